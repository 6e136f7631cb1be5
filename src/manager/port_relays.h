// Follows the cluster's containers, and carries their published ports from the manager's host to
// their nodes.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "api/relayed_ports.h"
#include "async/loop.h"
#include "manager/relay_target.h"
#include "net/port_relay.h"
#include "swarmlib/cluster.h"
#include "swarmlib/manager.h"

namespace swarm {

// The label by which a container is chosen, or with "false" left out.
inline constexpr std::string_view kRelayLabel = "com.docker.swarm.relay";

// Ports that are relayed at once; further ones are told so.
inline constexpr std::size_t kMostRelayedPorts = 4'096;
// Connections through all of them; further ones wait in the kernel's queue.
inline constexpr std::size_t kMostRelayedConnections = 4'096;
// How often the cluster is looked at for changes that nobody here made.
inline constexpr Duration kRelayPoll = std::chrono::milliseconds(200);
// How often a port that could not be had is tried again.
inline constexpr Duration kRelayRetry = std::chrono::seconds(10);

// TCP ports of running containers. A relayed port has the number that it has on its node. Who holds
// a number keeps it; of those that come together the container created first has it. A container
// that left the choice of the number to its engine gets another one of the manager's when that one
// is taken; any other is not relayed then, and told why. Ports that are published where no other
// host reaches their node (relay_target.h) are not relayed.
class PortRelays final : public RelayedPorts {
 public:
  // Both outlive it. Nothing is done before Start. `own_addresses` gives the addresses of the
  // manager's host, in digits; asked on the loop.
  PortRelays(Loop& loop, Cluster& cluster, RelayPorts mode,
             std::function<std::vector<std::string>()> own_addresses = AddressesOfThisHost);
  ~PortRelays() override;

  // Listens for all on each of these addresses, in digits; not empty. On the loop.
  void Start(std::vector<std::string> hosts);
  // Closes all ports and cuts their connections. On the loop.
  void Stop();

  bool Chosen(const Container& container) const override;
  void Settle(Callback<bool> done) override;
  std::vector<RelayedPort> Of(std::string_view container_id) const override;

 private:
  struct Key {
    std::string container;  // id
    std::uint16_t inside = 0;
    std::uint16_t node_port = 0;

    auto operator<=>(const Key&) const = default;
  };
  struct Want {
    Key key;
    WallTime created{};
    std::string owner;  // "web on node n1"
    net::Address target;
    bool may_differ = false;  // from the number on the node
    std::string hindrance;    // why it cannot be relayed at all

    bool SameAs(const Want& other) const {
      return target.text() == other.target.text() && hindrance == other.hindrance;
    }
  };
  struct Relay {
    Want want;
    std::unique_ptr<net::PortRelay> relay;  // null while it could not be had
    std::uint16_t port = 0;
    std::string error;
  };
  using Wants = std::vector<Want>;

  Wants WantsOf(const ContainerEntry& entry) const;
  std::map<Key, const Want*> Gather();
  void Tick();
  void Sync();
  bool CloseUnwanted(const std::map<Key, const Want*>& wanted);
  void Open(Relay& relay);
  absl::StatusOr<std::vector<net::Listener>> Bind(std::uint16_t port) const;
  absl::StatusOr<std::vector<net::Listener>> BindAny() const;
  void Publish();

  Loop& loop_;
  Cluster& cluster_;
  const RelayPorts mode_;
  const std::function<std::vector<std::string>()> own_addresses_;
  // On the loop.
  std::vector<std::string> own_;  // addresses, at the last look
  bool running_ = false;
  std::vector<std::string> hosts_, shown_hosts_;
  Loop::TimerId timer_ = 0;
  std::uint64_t seen_ = 0;  // the cluster's generation
  TimePoint retry_at_{};
  const std::shared_ptr<net::RelayBudget> budget_;
  std::map<std::shared_ptr<const ContainerGroup>, Wants> groups_;  // of the last look
  std::map<Key, Relay> relays_;
  std::map<std::uint16_t, Key> holders_;  // by the manager's port
  // What clients are told.
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<RelayedPort>, std::less<>> told_;  // by container id
};

// The host of a bound TCP socket, in digits.
std::string LocalHostOf(int socket);

}  // namespace swarm
