#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace swarm {

void CheckFailed(const char* file, int line, const char* condition, const char* message) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s (%s)\n", file, line, message, condition);
  std::abort();
}

}  // namespace swarm
