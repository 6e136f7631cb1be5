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

// Does the work of InspectForClient. Who asks for a container mostly asks again, and mostly nothing
// has changed: an answer that comes again, byte for byte, is completed by copying. On one thread.
class InspectEditor {
 public:
  static constexpr std::size_t kMostNodes = 1024;
  static constexpr std::size_t kMostKept = 512;              // answers; then all are dropped
  static constexpr std::size_t kMostKeptBytes = 16U << 10U;  // of one; longer ones are not kept

  // Appends the completed answer to `to`.
  absl::Status Append(std::string_view body, const NodePointer& node, std::string& to);
  // The same without keeping the answer.
  absl::Status Edit(std::string_view body, const NodePointer& node, std::string& to);

 private:
  struct Kept {
    NodePointer node;
    std::string body, edited;
  };
  struct Known {
    NodePointer node;
    std::string text;  // ,"Node":{...}
  };

  const std::string& NodeText(const NodePointer& node);

  JsonDocument document_;
  StringMap<Known> nodes_;  // by address
  StringMap<Kept> kept_;    // by the beginning of the body, which holds the id
};

}  // namespace swarm
