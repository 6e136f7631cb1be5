// Broken invariants end the program; bad input never does.
#pragma once

namespace swarm {

// Writes where and what to standard error and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              const char* message);

}  // namespace swarm

// Always on. `message` says what must hold, as a string literal.
#define SWARM_CHECK(condition, message) \
  ((condition) ? static_cast<void>(0)   \
               : ::swarm::CheckFailed(__FILE__, __LINE__, #condition, message))
