// What a cluster is made of, as values.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swarmlib/clock.h"

namespace swarm {

using Labels = std::map<std::string, std::string, std::less<>>;

// An amount of processor time and memory. 0 in a request means "nothing asked".
struct Resources {
  std::int64_t nano_cpus = 0;  // 1'000'000'000 = one processor
  std::int64_t memory = 0;     // bytes

  friend bool operator==(const Resources&, const Resources&) = default;
};

// pending: known by address only, or refused with a reason. unhealthy: did not answer
// `failure_retry` times. disconnected: left discovery.
enum class NodeState { kPending, kHealthy, kUnhealthy, kDisconnected };

std::string_view NodeStateName(NodeState state);  // "Pending", "Healthy", ...

// One engine of the cluster, known by its address. Immutable once published.
struct Node {
  std::string address;  // "10.0.0.1:2375" as discovery named it; unique, the key everywhere
  std::string id;       // the engine's ID; empty while pending
  std::string name;     // the engine's host name; empty while pending
  std::string ip;       // the address's host as an IP, where published ports are reached
  NodeState state = NodeState::kPending;
  std::string error;  // why it is pending or unhealthy, in a sentence; empty when all is well
  int failures = 0;   // consecutive, 0..failure_retry
  bool cordoned = false;
  Resources total;  // as the engine reports, without overcommit
  Labels labels;    // the engine's own, over the standard ones (storagedriver, ostype, ...)
  std::string engine_version;
  std::string api_version;      // newest that the engine speaks, "1.41"
  std::string min_api_version;  // oldest
  std::string os;               // "linux"
  std::string architecture;     // "x86_64"
  std::string kernel_version;
  std::string operating_system;
  WallTime updated_at{};
  Duration clock_offset{};  // engine's clock minus ours
};

enum class ContainerState { kCreated, kRunning, kPaused, kRestarting, kRemoving, kExited, kDead };

std::string_view ContainerStateName(ContainerState state);  // "created", "running", ...
std::optional<ContainerState> ParseContainerState(std::string_view name);

// A wish for, or a hold on, ports of the host.
struct PortBinding {
  std::string host_ip;           // empty = every address
  std::uint16_t host_first = 0;  // 0 = the engine picks one
  std::uint16_t host_last = 0;   // = host_first unless a range to pick one from
  std::uint16_t container_port = 0;
  std::string protocol = "tcp";  // tcp, udp, sctp

  friend bool operator==(const PortBinding&, const PortBinding&) = default;
};

// One demand on the node: `key OPERATOR value`. Made by ParseExpression of model/expression.h.
struct Expression {
  enum class Operator { kEqual, kNotEqual };
  enum class Match { kGlob, kRegex };

  std::string key;
  Operator op = Operator::kEqual;
  Match match = Match::kGlob;
  bool soft = false;         // "~": dropped when no node fits with it
  bool ignore_case = false;  // single "=": the posts' form
  std::string value;         // without operator, "~" and slashes
  std::string text;          // as the user wrote it

  friend bool operator==(const Expression&, const Expression&) = default;
};

// What is asked of the cluster when a container is to be made: the placement's view of a create
// request.
struct ContainerSpec {
  std::string name;  // without slash; empty = the manager invents one
  std::string image;
  std::string swarm_id;  // label com.docker.swarm.id; empty = Place makes one
  Labels labels;
  std::vector<Expression> constraints;
  std::vector<Expression> affinities;
  std::vector<Expression> whitelists;
  Resources request;
  std::vector<PortBinding> ports;
  bool host_network = false;
  std::vector<PortBinding> exposed;       // with host_network: the ports that it will take
  std::vector<std::string> volumes_from;  // container references, modes stripped
  std::vector<std::string> links;         // container references, aliases stripped
  std::vector<std::string> joined;  // containers whose network, ipc or pid namespace is shared
  std::string platform;             // "linux/arm64"; empty = any
};

// A container as the cluster knows it. Immutable once published.
struct Container {
  std::string id;  // 64 hexadecimal digits
  std::string swarm_id;
  std::string node;  // Node::address of its owner
  std::vector<std::string>
      names;  // without slash; the first is its own, further ones are link aliases "other/alias"
  std::string image;  // as given at creation
  std::string image_id;
  std::string command;
  Labels labels;
  ContainerState state = ContainerState::kCreated;
  bool has_health = false;
  std::string health;  // none, starting, healthy, unhealthy
  int exit_code = 0;
  std::string error;  // State.Error
  WallTime created{};
  WallTime started_at{};
  WallTime finished_at{};
  Resources request;
  std::string network_mode;
  std::vector<std::string> networks;  // names
  std::vector<std::string> network_ids;
  std::vector<std::string> volumes;       // names and destinations, for the filter `volume`
  std::vector<PortBinding> wanted_ports;  // as created: taken again at start
  std::vector<PortBinding> bound_ports;   // as the engine holds them now; empty when stopped
  std::vector<PortBinding> exposed_ports;

  friend bool operator==(const Container&, const Container&) = default;
};

struct Image {
  std::string id;  // "sha256:..."
  std::vector<std::string> repo_tags;
  std::vector<std::string> repo_digests;
  Labels labels;
  WallTime created{};
  std::int64_t size = 0;  // bytes
};

// Where a container goes, and why not elsewhere.
struct Placement {
  std::string node;  // Node::address
  std::string node_name;
  std::int64_t weight = 0;    // by which the strategy ranked it
  bool soft_dropped = false;  // no node fitted with the soft expressions
};

// Why one node was not taken.
struct NodeReason {
  std::string node;  // name, or address while pending
  std::string reason;
};

// All that Scheduler::Explain can say: the nodes that fit, best first, and the reason of each
// other.
struct Explanation {
  // Empty when nothing fits, and when the strategy draws among the candidates (Strategy::draws).
  std::optional<Placement> chosen;
  std::vector<Placement> candidates;  // best first, bounded by 100
  std::vector<NodeReason> refused;    // by node name
  std::string summary;                // the peer's first line when nothing fits; empty otherwise
};

}  // namespace swarm
