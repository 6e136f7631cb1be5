#include "manager/port_relays.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr int kTriesForAnyPort = 8;  // with several addresses a number may be free on one alone

bool IsRunning(ContainerState state) {
  return state == ContainerState::kRunning || state == ContainerState::kPaused;
}

// The engine chose the number on the node, so nobody counts on it.
bool LeftToTheEngine(const Container& container, std::uint16_t inside) {
  return std::none_of(container.wanted_ports.begin(), container.wanted_ports.end(),
                      [inside](const PortBinding& wanted) {
                        return wanted.container_port == inside && wanted.protocol == "tcp" &&
                               wanted.host_first != 0;
                      });
}

// Without those that a listener on every address makes impossible.
std::vector<std::string> DistinctHosts(std::vector<std::string> hosts) {
  for (const char* every : {"::", "0.0.0.0"}) {
    if (std::find(hosts.begin(), hosts.end(), every) == hosts.end()) continue;
    const bool both_families = std::string_view(every) == "::";
    std::erase_if(hosts, [&](const std::string& host) {
      return host != every && (both_families || host.find(':') == std::string::npos);
    });
  }
  std::vector<std::string> distinct;
  for (std::string& host : hosts) {
    if (std::find(distinct.begin(), distinct.end(), host) == distinct.end())
      distinct.push_back(std::move(host));
  }
  return distinct;
}

}  // namespace

PortRelays::PortRelays(Loop& loop, Cluster& cluster, RelayPorts mode,
                       std::function<std::vector<std::string>()> own_addresses)
    : loop_(loop),
      cluster_(cluster),
      mode_(mode),
      own_addresses_(std::move(own_addresses)),
      budget_(std::make_shared<net::RelayBudget>()) {
  budget_->most = kMostRelayedConnections;
}

PortRelays::~PortRelays() = default;

void PortRelays::Start(std::vector<std::string> hosts) {
  hosts_ = DistinctHosts(std::move(hosts));
  shown_hosts_ = hosts_;
  // A socket on "::" takes both families.
  if (hosts_.front() == "::") shown_hosts_ = {"0.0.0.0", "::"};
  running_ = true;
  Tick();
}

void PortRelays::Stop() {
  running_ = false;
  loop_.Cancel(timer_);
  groups_.clear();
  relays_.clear();
  holders_.clear();
  Publish();
}

bool PortRelays::Chosen(const Container& container) const {
  const auto label = container.labels.find(kRelayLabel);
  const std::string value = label == container.labels.end() ? "" : ToLower(label->second);
  if (mode_ == RelayPorts::kAll) return value != "false" && value != "0";
  return mode_ == RelayPorts::kLabel && (value == "true" || value == "1");
}

void PortRelays::Settle(Callback<bool> done) {
  loop_.Post([this, done = std::move(done)]() mutable {
    Sync();
    done(true);
  });
}

std::vector<RelayedPort> PortRelays::Of(std::string_view container_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = told_.find(container_id);
  return found == told_.end() ? std::vector<RelayedPort>() : found->second;
}

PortRelays::Wants PortRelays::WantsOf(const ContainerEntry& entry) const {
  const Container& container = entry.container;
  if (!IsRunning(container.state) || !Chosen(container)) return {};
  std::map<Key, Want> wants;
  for (const PortBinding& bound : container.bound_ports) {
    if (bound.protocol != "tcp" || bound.host_first == 0) continue;
    Want want;
    want.key = {container.id, bound.container_port, bound.host_first};
    want.created = container.created;
    want.owner = (container.names.empty() ? container.id : container.names.front()) + " on node " +
                 entry.node->name;
    RelayTarget target = RelayTargetOf(bound.host_ip, entry.node->ip, own_);
    want.target.host = std::move(target.host);
    want.target.port = bound.host_first;
    want.hindrance = std::move(target.hindrance);
    want.may_differ = LeftToTheEngine(container, bound.container_port);
    const auto [place, added] = wants.try_emplace(want.key, want);
    if (!added && !place->second.hindrance.empty()) place->second = std::move(want);
  }
  Wants list;
  for (auto& [key, want] : wants) list.push_back(std::move(want));
  return list;
}

std::map<PortRelays::Key, const PortRelays::Want*> PortRelays::Gather() {
  std::vector<std::string> own = own_addresses_();
  if (own != own_) groups_.clear();
  own_ = std::move(own);
  std::map<std::shared_ptr<const ContainerGroup>, Wants> now;
  for (const std::shared_ptr<const ContainerGroup>& group : cluster_.ContainersInGroups()) {
    const auto known = groups_.find(group);
    Wants wants;
    if (known != groups_.end()) {
      wants = std::move(known->second);
    } else {
      for (const ContainerPointer& entry : *group) {
        for (Want& want : WantsOf(*entry)) wants.push_back(std::move(want));
      }
    }
    now.emplace(group, std::move(wants));
  }
  groups_ = std::move(now);
  std::map<Key, const Want*> wanted;
  for (const auto& [group, wants] : groups_) {
    for (const Want& want : wants) wanted.emplace(want.key, &want);
  }
  return wanted;
}

void PortRelays::Tick() {
  Sync();
  timer_ = loop_.After(kRelayPoll, [this] { Tick(); });
}

bool PortRelays::CloseUnwanted(const std::map<Key, const Want*>& wanted) {
  bool closed = false;
  for (auto at = relays_.begin(); at != relays_.end();) {
    const auto want = wanted.find(at->first);
    if (want != wanted.end() && want->second->SameAs(at->second.want)) {
      ++at;
      continue;
    }
    closed = closed || at->second.relay != nullptr;
    if (at->second.relay) holders_.erase(at->second.port);
    at = relays_.erase(at);
  }
  return closed;
}

void PortRelays::Sync() {
  if (!running_) return;
  const std::uint64_t generation = cluster_.generation();
  const TimePoint now = loop_.clock().Now();
  if (generation == seen_ && now < retry_at_) return;
  seen_ = generation;
  const std::map<Key, const Want*> wanted = Gather();
  const bool closed = CloseUnwanted(wanted);
  const bool retry = closed || now >= retry_at_;
  if (now >= retry_at_) retry_at_ = now + kRelayRetry;
  for (const auto& [key, want] : wanted) {
    if (relays_.find(key) == relays_.end()) relays_[key].want = *want;
  }
  std::vector<Relay*> to_open;
  for (auto& [key, relay] : relays_) {
    if (!relay.relay && (relay.error.empty() || retry)) to_open.push_back(&relay);
  }
  std::sort(to_open.begin(), to_open.end(), [](const Relay* left, const Relay* right) {
    if (left->want.created != right->want.created) return left->want.created < right->want.created;
    return left->want.key < right->want.key;
  });
  for (Relay* relay : to_open) Open(*relay);
  Publish();
}

void PortRelays::Open(Relay& relay) {
  const Want& want = relay.want;
  const std::uint16_t number = want.key.node_port;
  absl::StatusOr<std::vector<net::Listener>> listeners = AlreadyExists("");
  if (!want.hindrance.empty()) {
    listeners = FailedPrecondition(want.hindrance);
  } else if (holders_.size() >= kMostRelayedPorts) {
    listeners = ResourceExhausted("the manager relays " + std::to_string(kMostRelayedPorts) +
                                  " ports already");
  } else if (const auto holder = holders_.find(number); holder != holders_.end()) {
    listeners = AlreadyExists("port " + std::to_string(number) + " is relayed for container " +
                              relays_.at(holder->second).want.owner);
  } else {
    listeners = Bind(number);
  }
  if (absl::IsAlreadyExists(listeners.status()) && want.may_differ) listeners = BindAny();
  const bool was_refused = !relay.error.empty();
  if (!listeners.ok()) {
    const std::string why(MessageOf(listeners.status()));
    if (why != relay.error) {
      Log(loop_.log(), LogLevel::kWarning, "a published port is not relayed",
          {{"container", want.owner}, {"port", std::to_string(number)}, {"reason", why}});
    }
    relay.error = why;
    return;
  }
  relay.error.clear();
  const auto bound = net::ParseAddress(listeners->front().address);
  relay.port = bound.ok() ? bound->port : number;
  relay.relay =
      std::make_unique<net::PortRelay>(loop_, *std::move(listeners), want.target, budget_);
  holders_[relay.port] = want.key;
  Log(loop_.log(), was_refused ? LogLevel::kInfo : LogLevel::kDebug, "a published port is relayed",
      {{"container", want.owner},
       {"port", std::to_string(relay.port)},
       {"target", want.target.text()}});
}

absl::StatusOr<std::vector<net::Listener>> PortRelays::Bind(std::uint16_t port) const {
  std::vector<net::Listener> all;
  for (const std::string& host : hosts_) {
    net::Address address;
    address.host = host;
    address.port = all.empty() ? port : net::ParseAddress(all.front().address)->port;
    auto listeners = net::BindListeners("tcp://" + address.text(), 1);
    if (!listeners.ok()) return listeners.status();
    all.push_back(std::move(listeners->front()));
  }
  return all;
}

absl::StatusOr<std::vector<net::Listener>> PortRelays::BindAny() const {
  absl::StatusOr<std::vector<net::Listener>> bound = Bind(0);
  for (int tried = 1; !bound.ok() && tried < kTriesForAnyPort; ++tried) bound = Bind(0);
  return bound;
}

void PortRelays::Publish() {
  std::map<std::string, std::vector<RelayedPort>, std::less<>> told;
  for (const auto& [key, relay] : relays_) {
    RelayedPort port;
    port.port = std::to_string(key.inside) + "/tcp";
    port.node_ip = relay.want.target.host;
    port.node_port = key.node_port;
    port.error = relay.error;
    if (relay.relay) {
      port.ips = shown_hosts_;
      port.manager_port = relay.port;
    }
    told[key.container].push_back(std::move(port));
  }
  const std::lock_guard lock(mutex_);
  told_ = std::move(told);
}

std::string LocalHostOf(int socket) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&name), &size) != 0) return {};
  char text[INET6_ADDRSTRLEN] = "";
  if (name.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&name)->sin_addr, text, sizeof text);
  } else if (name.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&name)->sin6_addr, text,
              sizeof text);
  }
  return text;
}

}  // namespace swarm
