#include "swarmlib/wiped.h"

#include <cstring>

namespace swarm {

void Wipe(void* bytes, std::size_t count) {
  if (count > 0) explicit_bzero(bytes, count);
}

void Wipe(std::string& text) {
  text.resize(text.capacity());  // a longer text may have been there before
  Wipe(text.data(), text.size());
  text.clear();
}

}  // namespace swarm
