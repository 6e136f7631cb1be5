// Structs that grow: what an older or a newer caller passes, as the struct of this library.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "bindings/c/guard.h"

namespace swarm::c {

// Copies the caller's `given` over `into`, which holds the defaults. InvalidArgument: it is NULL,
// its struct_size is no size of it, or it has fields set that this library does not know.
template <typename Struct>
absl::Status Widen(const Struct* given, Struct& into, const char* name) {
  const std::string shown = name;
  if (given == nullptr) return MakeStatus(SWARM_INVALID_ARGUMENT, "the " + shown + " is NULL");
  const std::size_t size = given->struct_size;
  constexpr std::size_t kMostSize = 65'536;  // so that a number that is no size is not believed
  if (size < sizeof(std::size_t) || size > kMostSize || size % alignof(Struct) != 0) {
    return MakeStatus(SWARM_INVALID_ARGUMENT, shown + ".struct_size is " + std::to_string(size) +
                                                  ", which is no size of it; begin with the _INIT "
                                                  "macro of " +
                                                  shown);
  }
  const auto* const bytes = reinterpret_cast<const char*>(given);
  for (std::size_t at = sizeof(Struct); at < size; ++at) {
    if (bytes[at] != 0) {
      return MakeStatus(SWARM_INVALID_ARGUMENT,
                        shown + " has a field set at byte " + std::to_string(at) +
                            " that this library does not know: it was compiled for a newer "
                            "libswarm; this one's " +
                            shown + " has " + std::to_string(sizeof(Struct)) + " bytes");
    }
  }
  std::memcpy(&into, given, size < sizeof(Struct) ? size : sizeof(Struct));
  into.struct_size = sizeof(Struct);
  return absl::OkStatus();
}

// Writes the first `size` bytes of `defaults` into a caller's struct.
template <typename Struct>
absl::Status Begin(const Struct& defaults, std::size_t size, Struct* into) {
  if (size < sizeof(std::size_t) || size > sizeof(Struct)) {
    return MakeStatus(SWARM_INVALID_ARGUMENT, "struct_size is " + std::to_string(size) + "; " +
                                                  std::to_string(sizeof(std::size_t)) + " to " +
                                                  std::to_string(sizeof(Struct)) + " is wanted");
  }
  std::memcpy(into, &defaults, size);
  into->struct_size = size;
  return absl::OkStatus();
}

}  // namespace swarm::c
