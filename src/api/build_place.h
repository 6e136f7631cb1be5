// What a build asks of the cluster, and which node takes it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/context.h"
#include "async/task.h"
#include "swarmlib/model.h"
#include "wire/create.h"
#include "wire/filters.h"

namespace swarm {

struct BuildRequest {
  ContainerSpec spec;  // its placement expressions, resources and platform
  Query query;         // for the engine: without placement expressions in `buildargs`
  std::vector<std::pair<std::string, std::string>> arguments;  // the others, those with a value
  std::vector<std::string> names;                              // that the image shall get
};

// Reads the query of POST /build. Build arguments as "constraint:zone==external" ask for a place,
// as lines of Env do at a create. InvalidArgument: `buildargs` is no JSON object of strings, or a
// bad expression.
absl::StatusOr<BuildRequest> ReadBuild(const Query& query, const CreateRules& rules);

// What a build can be nearer to on one node than on another.
struct BuildWishes {
  std::string node;                 // name or ID; empty = any
  std::vector<std::string> images;  // that it is made from
  std::vector<std::string> names;   // that it will have
};

// The node for a build: one that fits as for a container without ports. Among those the ones that
// hold most of `images`, then of `names`; then the strategy decides; then the fewest builds under
// way. FailedPrecondition (409) tells the reasons of the nodes when none fits.
Task<absl::StatusOr<NodePointer>> PlaceBuild(ContextPointer context, ContainerSpec spec,
                                             BuildWishes wishes);

// As a container's CPU shares at a create: with CreateRules::cpu_shares_as_cores the node is told
// its own shares for the cores asked for.
void SetSharesOfCores(const CreateRules& rules, const Node& node, Query& query);

}  // namespace swarm
