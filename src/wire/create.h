// Create bodies: read for placement, edited as a JSON tree, everything else untouched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/model.h"
#include "wire/attachments.h"

namespace swarm {

// Labels that keep on the container what a manager needs to know again after a restart.
inline constexpr std::string_view kSwarmIdLabel = "com.docker.swarm.id";
inline constexpr std::string_view kConstraintsLabel = "com.docker.swarm.constraints";
inline constexpr std::string_view kAffinitiesLabel = "com.docker.swarm.affinities";
inline constexpr std::string_view kWhitelistsLabel = "com.docker.swarm.whitelists";
inline constexpr std::string_view kReschedulePoliciesLabel = "com.docker.swarm.reschedule-policies";

inline constexpr std::size_t kMostCreateBytes = 4U << 20U;

struct CreateRules {
  bool cpu_shares_as_cores = false;  // CpuShares counts as processors (the peer's reading)
};

struct ParsedCreate {
  ContainerSpec spec;
  // To be sent: expressions taken out of Env and written to the labels
  // com.docker.swarm.{constraints,affinities, whitelists,reschedule-policies} (JSON arrays), label
  // com.docker.swarm.id set, "node/" taken off the names of networks, of volumes and of other
  // containers, fields of HostConfig at the top level moved into it, and a HostConfig in any case.
  std::string body;
  // What is named there without a node, each once and in order.
  std::vector<NamedVolume> volumes;
  std::vector<std::string> networks;  // names or ids, without what every engine has
  bool names_of_node = false;         // a network or volume is named with its node
};

// `name` and `platform` are query parameters. `swarm_id` is used unless the body carries a full id
// in its label for it. InvalidArgument (400): malformed JSON, a field of the wrong type, a doubled
// or case-colliding key among the fields read here, a bad expression or label array, a bad name, a
// bad port, more than the bounds of wire/create_bounds.h, a field of HostConfig beside it.
absl::StatusOr<ParsedCreate> ParseCreate(std::string_view body, std::string_view name,
                                         std::string_view platform, std::string_view swarm_id,
                                         const CreateRules& rules);

// For cpu_shares_as_cores, once the node is known: the body of a create or an update with the cores
// that it asks for as CpuShares turned into such shares of the node; the same body when it asks for
// none.
std::string WithSharesOfCores(std::string_view body, const Node& node);

// A create body with another label com.docker.swarm.id.
std::string WithSwarmId(std::string_view body, std::string_view swarm_id);

// The label com.docker.swarm.id when it is a full id, else empty: anything else is no name of a
// container.
std::string SwarmIdOf(const Labels& labels);

// The Id of a create answer. InvalidArgument when it is no full id.
absl::StatusOr<std::string> CreatedId(std::string_view body);

// What an update body sets: Memory, NanoCpus, CpuQuota/CpuPeriod, CpuShares.
absl::StatusOr<Resources> ParseUpdate(std::string_view body, const CreateRules& rules);

}  // namespace swarm
