// Networks of the cluster, as the engines know them.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/context.h"

namespace swarm {

// One engine's network. Those of one name that have our label are copies of one network of the
// cluster.
struct NetworkCopy {
  NodePointer node;
  std::string id, name, project;
  WallTime created{};
  bool local = true;       // of local scope: it is on that node alone
  std::string cluster_id;  // our label; empty for the node's own
  std::string spec;        // the request that made it; empty for the node's own

  bool ours() const { return !cluster_id.empty(); }
};

struct FoundNetworks {
  std::vector<NetworkCopy> copies;  // without what every engine has; by node name
  std::vector<NodePointer> silent;  // healthy nodes that did not answer in time
};
Task<FoundNetworks> FindNetworks(ContextPointer context);

// What was found, by name and id, for who looks up many. `found` outlives it.
class NetworkIndex {
 public:
  explicit NetworkIndex(const FoundNetworks& found);

  // The copies of the network that `reference` names: by full id, name (the cluster's first), or id
  // prefix; the copy first created comes first. Empty when there is none. InvalidArgument when a
  // prefix fits several.
  absl::StatusOr<std::vector<NetworkCopy>> Match(std::string_view reference) const;
  // All of that name, in the order in which they were found.
  std::vector<const NetworkCopy*> Named(std::string_view name) const;

 private:
  using Entry = std::pair<std::string_view, std::size_t>;  // with its place among the copies
  std::vector<NetworkCopy> WholeOf(const NetworkCopy& one) const;

  const std::vector<NetworkCopy>& copies_;
  std::vector<Entry> by_id_, by_name_;  // sorted
};

// The same for one.
absl::StatusOr<std::vector<NetworkCopy>> MatchNetwork(const FoundNetworks& found,
                                                      std::string_view reference);

// Null when there is none.
const NetworkCopy* CopyOn(const std::vector<NetworkCopy>& copies, std::string_view address);
// Another network of that name, not of the cluster, on that node; null when there is none.
const NetworkCopy* OwnOn(const FoundNetworks& found, std::string_view name,
                         std::string_view address);

// Makes a network of the cluster on that node: the client's body with our labels.
Task<Result> MakeNetwork(ContextPointer context, NodePointer node, std::string name,
                         std::string spec, std::string cluster_id, ApiVersion client,
                         std::stop_token stop);

// Sees to it that the node has a copy of the network, of which `copies` (at least one) are known.
// Its name is locked.
Task<absl::Status> BringNetwork(ContextPointer context, NodePointer node,
                                std::vector<NetworkCopy> copies);

// The name under which NameLocks knows it.
inline std::string NetworkLock(std::string_view name) { return "network " + std::string(name); }

}  // namespace swarm
