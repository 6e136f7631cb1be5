// Containers as engines list and inspect them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/cluster.h"
#include "swarmlib/manager.h"
#include "wire/create.h"
#include "wire/json.h"

namespace swarm {

// Reads the answer of GET /containers/json?all=1 of one engine, a piece at a time. Each record's
// row is the engine's own object with Names per `style`, the node's IP in Ports, Node added and the
// place of Status left open. One walk over the bytes; no row that cannot be read is dropped:
// InvalidArgument names its position. But a row whose Id is no full id is left out, since nothing
// can be asked of it.
class ContainerListReader {
 public:
  // `body` and `node` outlive this.
  ContainerListReader(std::string_view body, const Node& node, NameStyle style)
      : body_(body), node_(node), style_(style) {}

  // The next rows: `most_rows` at most, and none behind the one that reaches `most_bytes`. After an
  // error this is not called again.
  absl::StatusOr<std::vector<ContainerRecord>> Next(std::size_t most_rows, std::size_t most_bytes);
  // The list has been read to its end.
  bool done() const { return done_; }
  // The Ids, quoted, of the rows that were left out so far.
  const std::vector<std::string>& skipped() const { return skipped_; }

 private:
  absl::Status Begin();
  absl::Status ReadRow(std::vector<ContainerRecord>& records);
  absl::Status BadRow(std::string_view why) const;

  const std::string_view body_;
  const Node& node_;
  const NameStyle style_;
  JsonDocument document_;
  std::size_t at_ = 0;
  std::size_t row_ = 0;
  bool done_ = false;
  std::vector<std::string> skipped_;
};

// The whole list at once. Ids that were left out are added to `skipped` unless that is null.
absl::StatusOr<std::vector<ContainerRecord>> ParseContainerList(
    std::string_view body, const Node& node, NameStyle style,
    std::vector<std::string>* skipped = nullptr);

// Adds what only GET /containers/ID/json tells: resources, wanted ports, times, health, exit code,
// swarm id. `node` is the one that answered. On an error `record` is partly changed.
absl::Status ApplyInspect(std::string_view body, const CreateRules& rules, const Node& node,
                          ContainerRecord& record);

// "Up 3 hours (healthy)", "Exited (0) 5 minutes ago", "Created", as the engine words it (moby
// container/state.go, docker/go-units HumanDuration); "Host Down" while the node is not healthy.
std::string StatusText(const Container& container, NodeState node_state, WallTime now);

// Appends the whole list object.
void AppendRow(std::string& to, const ContainerEntry& entry, WallTime now);
// Until then AppendRow appends the same as now.
WallTime RowHoldsUntil(const ContainerEntry& entry, WallTime now);

// Sets State, where the row has it.
void SetRowState(ListFragment& row, std::string_view state);

// An engine's inspect answer with `Node` added and empty host addresses replaced by the node's IP.
absl::StatusOr<std::string> InspectForClient(std::string_view body, const Node& node);

}  // namespace swarm
