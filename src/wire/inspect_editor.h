// Completes inspect answers one after the other.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/text.h"
#include "swarmlib/cluster.h"
#include "wire/json.h"

namespace swarm {

// Does the work of InspectForClient, and keeps what it needs for the next one. On one thread.
class InspectEditor {
 public:
  static constexpr std::size_t kMostNodes = 1024;

  // Appends the completed answer to `to`.
  absl::Status Append(std::string_view body, const NodePointer& node, std::string& to);

 private:
  struct Known {
    NodePointer node;
    std::string text;  // ,"Node":{...}
  };

  const std::string& NodeText(const NodePointer& node);

  JsonDocument document_;
  StringMap<Known> nodes_;  // by address
};

}  // namespace swarm
