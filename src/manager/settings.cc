#include "manager/settings.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kUnix = "unix://";

absl::Status CheckAddress(const Config& config, std::string_view address) {
  const std::string shown(address);
  if (address.substr(0, kUnix.size()) == kUnix) {
    if (address.size() > kUnix.size()) return absl::OkStatus();
    return InvalidArgument("listen address " + shown + ": the path is missing");
  }
  if (address.substr(0, kTcp.size()) != kTcp) {
    return InvalidArgument("listen address " + shown +
                           ": tcp://ADDRESS:PORT or unix:///PATH is wanted");
  }
  const std::string_view rest = address.substr(kTcp.size());
  const std::size_t colon = rest.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : ParseUnsigned(rest.substr(colon + 1));
  if (!port || *port > 65535) {
    return InvalidArgument("listen address " + shown +
                           ": a port from 0 to 65535 is missing, as in tcp://127.0.0.1:2375");
  }
  if (IsLoopbackAddress(address) || config.tls.verify || config.insecure) return absl::OkStatus();
  return InvalidArgument(
      "refusing to listen on " + shown +
      " without --tlsverify: whoever reaches this port is root on every engine. Use --tlsverify, "
      "listen on 127.0.0.1, or say --insecure if that is what you want");
}

std::string Choices(const std::vector<std::string>& names) { return Join(names, ", "); }

absl::Status CheckConnections(const Config& config) {
  if (config.max_connections < 0) return InvalidArgument("max_connections must not be negative");
  if (config.max_connections_per_client < 0)
    return InvalidArgument("max_connections_per_client must not be negative");
  const std::size_t most = 2 * net::MaxConnectionsOfDescriptors();
  if (static_cast<std::size_t>(config.max_connections) <= most) return absl::OkStatus();
  return InvalidArgument("max_connections is " + std::to_string(config.max_connections) +
                         ", but this process has descriptors for " + std::to_string(most) +
                         " at most; raise its limit (ulimit -n, LimitNOFILE=) or ask for fewer");
}

// The peer's default order (docker/swarm scheduler/filter/filter.go); platform is ours.
std::vector<std::string> DefaultFilters(const FilterRegistry& registry) {
  std::vector<std::string> order = {"health",   "port",       "containerslots", "dependency",
                                    "affinity", "constraint", "whitelist",      "platform"};
  std::erase_if(order,
                [&registry](const std::string& name) { return registry.Find(name) == nullptr; });
  for (const std::string& name : registry.Names()) {
    if (std::find(order.begin(), order.end(), name) == order.end()) order.push_back(name);
  }
  return order;
}

}  // namespace

bool IsLoopbackAddress(std::string_view listen_address) {
  if (listen_address.substr(0, kUnix.size()) == kUnix) return true;
  if (listen_address.substr(0, kTcp.size()) != kTcp) return false;
  const std::string_view rest = listen_address.substr(kTcp.size());
  const std::string host(rest.substr(0, rest.rfind(':')));
  in_addr digits{};
  if (inet_pton(AF_INET, host.c_str(), &digits) == 1) return ntohl(digits.s_addr) >> 24U == 127;
  return host == "localhost" || host == "[::1]";
}

absl::Status CheckListen(const Config& config) {
  for (const std::string& address : config.listen) {
    const absl::Status status = CheckAddress(config, address);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckConfig(const Config& config) {
  if (dynamic_cast<ManualClock*>(config.clock) != nullptr) {
    return InvalidArgument(
        "clock: a ManualClock stands still while nobody moves it, and a manager waits on threads "
        "of "
        "its own; give a Clock that goes by itself, or none");
  }
  if (config.discovery.empty()) {
    return InvalidArgument("no discovery URL; there are " +
                           Choices(config.discovery_registry.Names()) +
                           ", for example nodes://10.0.0.1:2375,10.0.0.2:2375");
  }
  if (!(config.overcommit > -1 && config.overcommit <= kMostOvercommit)) {
    return InvalidArgument("overcommit must be above -1 and at most 1000");
  }
  if (config.create_retry < 0) return InvalidArgument("create_retry must not be negative");
  if (config.failure_retry < 1) return InvalidArgument("failure_retry must be at least 1");
  if (config.refresh_min <= Duration::zero() || config.refresh_max < config.refresh_min) {
    return InvalidArgument("0 < refresh_min <= refresh_max must hold");
  }
  if (config.engine_timeout <= Duration::zero())
    return InvalidArgument("engine_timeout must be above 0");
  if (config.heartbeat < std::chrono::seconds(1))
    return InvalidArgument("heartbeat must be at least 1s");
  for (const auto& [name, bytes] : {std::pair("client_memory", config.client_memory),
                                    std::pair("event_memory", config.event_memory)}) {
    if (bytes < kMinClientMemory)
      return InvalidArgument(std::string(name) + " must be at least 1 MiB, 1048576 bytes");
  }
  if (config.event_listeners < 1) return InvalidArgument("event_listeners must be at least 1");
  if (config.threads < 0 || config.threads > kMaxThreads) {
    return InvalidArgument("threads is " + std::to_string(config.threads) +
                           "; it must be 0 (one a processor) to " + std::to_string(kMaxThreads));
  }
  if (const absl::Status checked = CheckConnections(config); !checked.ok()) return checked;
  return CheckListen(config);
}

std::shared_ptr<net::ConnectionRoom> MakeConnectionRoom(const Config& config, Metrics& metrics) {
  net::ConnectionRoom::Options options;
  options.max_connections = config.max_connections != 0
                                ? static_cast<std::size_t>(config.max_connections)
                                : net::MaxConnectionsOfDescriptors();
  options.max_per_client = config.max_connections_per_client != 0
                               ? static_cast<std::size_t>(config.max_connections_per_client)
                               : std::max<std::size_t>(1, options.max_connections / 2);
  options.clock = config.clock;
  options.log = config.log;
  options.metrics = &metrics;
  return std::make_shared<net::ConnectionRoom>(std::move(options));
}

absl::StatusOr<std::vector<std::unique_ptr<Filter>>> MakeFilters(const Config& config) {
  std::vector<std::unique_ptr<Filter>> filters;
  const std::vector<std::string> names =
      config.filters.empty() ? DefaultFilters(config.filter_registry) : config.filters;
  for (const std::string& name : names) {
    const FilterMaker* maker = config.filter_registry.Find(name);
    if (maker == nullptr) {
      return InvalidArgument("filter " + name + " is not supported; there are " +
                             Choices(config.filter_registry.Names()));
    }
    filters.push_back((*maker)());
  }
  return filters;
}

absl::StatusOr<std::unique_ptr<Strategy>> MakeStrategy(const Config& config) {
  const StrategyMaker* maker = config.strategy_registry.Find(config.strategy);
  if (maker == nullptr) {
    return InvalidArgument("strategy " + config.strategy + " is not supported; there are " +
                           Choices(config.strategy_registry.Names()));
  }
  return (*maker)();
}

absl::StatusOr<EngineClusterOptions> MakeClusterOptions(const Config& config) {
  auto filters = MakeFilters(config);
  if (!filters.ok()) return filters.status();
  auto strategy = MakeStrategy(config);
  if (!strategy.ok()) return strategy.status();
  EngineClusterOptions options;
  options.log = config.log;
  options.state.overcommit = config.overcommit;
  options.state.failure_retry = config.failure_retry;
  options.filters = *std::move(filters);
  options.strategy = *std::move(strategy);
  options.names = config.names;
  options.create_rules.cpu_shares_as_cores = config.cpu_shares_as_cores;
  options.refresh_min = config.refresh_min;
  options.refresh_max = config.refresh_max;
  options.engine_timeout = config.engine_timeout;
  options.create_retry = config.create_retry;
  options.event_memory = config.event_memory;
  options.backend = config.backend;
  return options;
}

}  // namespace swarm
