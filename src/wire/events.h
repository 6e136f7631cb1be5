// Events as engines send them and as clients want them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/event.h"
#include "swarmlib/model.h"
#include "wire/api_version.h"
#include "wire/filters.h"

namespace swarm {

// Bytes of one event. An event holds the labels of its container, and a create of some MiB of them
// is taken.
inline constexpr std::size_t kMostEventBytes = 8U << 20U;

// Cuts JSON objects out of a stream that may be split anywhere (newline, RS 0x1e or nothing between
// them).
class ObjectSplitter {
 public:
  enum class Larger { kFail, kSkip };  // what an object beyond the bound means

  explicit ObjectSplitter(std::size_t most_bytes, Larger larger = Larger::kFail)
      : most_(most_bytes), larger_(larger) {}

  // Appends whole objects to `objects`. ResourceExhausted when one grows beyond the bound, unless
  // such are skipped; InvalidArgument when the stream holds anything but objects.
  absl::Status Feed(std::string_view bytes, std::vector<std::string>& objects);

  // Objects skipped since this was last asked.
  std::size_t TakeSkipped() { return std::exchange(skipped_, 0); }

 private:
  void Hold(std::string_view bytes);

  std::size_t most_;
  Larger larger_;
  std::size_t skipped_ = 0;
  bool too_large_ = false;  // the object under way; nothing of it is held
  std::string held_;
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

// One event object of an engine (old {status,id,from} ones too), with node.* attributes added.
absl::StatusOr<ClusterEvent> ParseEvent(std::string_view object, const Node& node);

// The attribute of an event; empty without it. Valid as long as the event.
std::string_view AttributeOf(const ClusterEvent& event, std::string_view key);

// One JSON object and a newline, in the shape of the client's version: below 1.52 with status, id,
// from
// ("IMAGE node:NAME") and the peer's `node` object.
std::string FormatEvent(const ClusterEvent& event, ApiVersion client);

// container (id prefix or name, node/name too), event, image, type, label, network, volume, daemon,
// scope, plugin, node. Several values of a key: any; several keys: all (labels: all).
bool EventMatches(const ClusterEvent& event, const FilterArguments& filters);

// The order of replayed events: by time, equal times by node name, then by address.
bool ComesBefore(const ClusterEvent& left, const ClusterEvent& right);

// Bytes of memory that a kept event takes, about.
std::size_t MemoryOf(const ClusterEvent& event);

// An event of our own, `events_lost`: of those that the node's engine emitted up to then some may
// be missing, for that reason.
ClusterEvent EventsLost(const Node& node, std::int64_t time_nano, std::string_view reason);

// Rejects unknown keys: 400 `invalid filter 'x'`.
absl::Status CheckEventFilters(const FilterArguments& filters);

}  // namespace swarm
