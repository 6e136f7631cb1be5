#include "wire/create_bounds.h"

#include <string>

#include "swarmlib/status.h"

namespace swarm {

absl::Status CheckBound(std::string_view what, std::size_t found, std::size_t most) {
  if (found <= most) return absl::OkStatus();
  return InvalidArgument("too many " + std::string(what) + " are given: " + std::to_string(found) +
                         ", at most " + std::to_string(most) + " are taken");
}

std::size_t CountEntries(JsonValue value) {
  std::size_t count = 0;
  value.ForEachElement([&count](JsonValue) { ++count; });
  value.ForEachMember([&count](JsonValue, JsonValue) { ++count; });
  return count;
}

absl::Status CheckReference(std::string_view field, std::string_view reference) {
  if (reference.size() <= kMaxReferenceBytes) return absl::OkStatus();
  return InvalidArgument("a container named in " + std::string(field) + " has a name of " +
                         std::to_string(reference.size()) + " bytes, at most " +
                         std::to_string(kMaxReferenceBytes) + " are taken");
}

}  // namespace swarm
