// Volumes of the cluster, as the engines know them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/context.h"

namespace swarm {

// A volume of some name on one node.
struct VolumeCopy {
  NodePointer node;
  bool local = true;  // of local scope: it is nowhere else
  std::string id;     // our label's value, empty = not ours

  bool ours() const { return !id.empty(); }
};

struct FoundVolumes {
  // Of the names asked for; copies by node name. When one of them is ours only ours are there.
  std::map<std::string, std::vector<VolumeCopy>> copies;
  std::vector<NodePointer> silent;  // healthy nodes that did not answer in time
};
Task<FoundVolumes> FindVolumes(ContextPointer context, std::vector<std::string> names);

// The nodes that do not answer and whose containers, as known last, use these volumes; volumes
// without such nodes are not in it.
using HoldersByVolume = std::map<std::string, std::vector<NodePointer>, std::less<>>;
HoldersByVolume DownHolders(const Context& context, const std::vector<std::string>& volumes);

// Addresses of nodes with volumes of a compose project that may not move.
Task<std::vector<std::string>> NodesWithVolumesOf(ContextPointer context, std::string project);

// Makes a volume of the cluster on that node: the client's body with our label, whose value is
// `id`.
Task<Result> MakeVolume(ContextPointer context, NodePointer node, std::string name,
                        std::string body, std::string id, ApiVersion client, std::stop_token stop);
// True when the answer tells of that very volume. An engine says 201 for one that was there before,
// too.
bool IsMadeAs(const Result& answer, std::string_view id);

// The name under which NameLocks knows it.
inline std::string VolumeLock(const std::string& name) { return "volume " + name; }

}  // namespace swarm
