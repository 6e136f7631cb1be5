#include "config.h"

#include <cstdint>
#include <string>
#include <utility>

#include "lock.h"
#include "swarmlib/simulation.h"
#include "swarmlib/status.h"
#include "values.h"

namespace pyswarm {
namespace {

// The values of the options, and TypeError with the option's name when one is of a wrong type.
class Options {
 public:
  explicit Options(const py::dict& options) : options_(options) {}

  py::object Get(const char* name) const { return options_[name]; }

  template <typename Value>
  void Take(const char* name, Value& into) const {
    try {
      into = Get(name).cast<Value>();
    } catch (const py::cast_error&) {
      throw py::type_error(std::string(name) +
                           " is of a wrong type: " + py::repr(Get(name)).cast<std::string>());
    }
  }

  void TakeSeconds(const char* name, swarm::Duration& into) const {
    double seconds = 0;
    Take(name, seconds);
    into = Seconds(seconds);
  }

  template <typename Value, std::size_t count>
  void TakeWord(const char* name, const std::pair<const char*, Value> (&words)[count],
                Value& into) const {
    std::string given;
    Take(name, given);
    std::string known;
    for (const auto& [word, value] : words) {
      if (given == word) {
        into = value;
        return;
      }
      known += (known.empty() ? "" : ", ") + std::string(word);
    }
    throw StatusError(swarm::InvalidArgument(std::string(name) + " \"" + given +
                                             "\" is not known; there are " + known));
  }

 private:
  const py::dict& options_;
};

constexpr std::pair<const char*, swarm::NameStyle> kNameStyles[] = {
    {"both", swarm::NameStyle::kBoth},
    {"node", swarm::NameStyle::kNode},
    {"plain", swarm::NameStyle::kPlain}};
constexpr std::pair<const char*, swarm::RelayPorts> kRelayPorts[] = {
    {"off", swarm::RelayPorts::kOff},
    {"label", swarm::RelayPorts::kLabel},
    {"all", swarm::RelayPorts::kAll}};

// `simulation`: the sim:// URL of the engines behind another discovery; empty = what the discovery
// names is real, unless it is sim:// itself.
void Simulate(swarm::Config& config, const std::string& simulation) {
  if (simulation.empty()) return swarm::AddSimulation(config);
  constexpr std::string_view kScheme = "sim://";
  if (!simulation.starts_with(kScheme)) {
    throw StatusError(swarm::InvalidArgument("simulation \"" + simulation +
                                             "\": a URL such as sim://3?seed=7 is wanted"));
  }
  std::string discovery = std::exchange(config.discovery, simulation);
  swarm::AddSimulation(config);
  config.discovery = std::move(discovery);
  // Making it makes the engines.
  const auto made = swarm::MakeDiscovery(config.discovery_registry, simulation, {});
  OkOrRaise(made.status());
}

}  // namespace

swarm::Config ReadConfig(const py::dict& given, Callables& kept) {
  const Options options(given);
  swarm::Config config;
  options.Take("discovery", config.discovery);
  options.Take("strategy", config.strategy);
  config.listen = StringVector(options.Get("listen"), "listen");
  config.filters = StringVector(options.Get("filters"), "filters");
  options.Take("tls", config.tls.enabled);
  options.Take("tls_verify", config.tls.verify);
  options.Take("tls_ca", config.tls.ca_file);
  options.Take("tls_cert", config.tls.certificate_file);
  options.Take("tls_key", config.tls.key_file);
  options.Take("insecure", config.insecure);
  options.TakeWord("names", kNameStyles, config.names);
  options.Take("overcommit", config.overcommit);
  options.Take("create_retry", config.create_retry);
  options.Take("cpu_shares_as_cores", config.cpu_shares_as_cores);
  options.Take("pull_on_create", config.pull_on_create);
  options.TakeWord("relay_ports", kRelayPorts, config.relay_ports);
  options.Take("cors", config.cors);
  options.Take("experimental", config.experimental);
  options.TakeSeconds("heartbeat", config.heartbeat);
  options.TakeSeconds("refresh_min", config.refresh_min);
  options.TakeSeconds("refresh_max", config.refresh_max);
  options.Take("failure_retry", config.failure_retry);
  options.TakeSeconds("engine_timeout", config.engine_timeout);
  options.Take("threads", config.threads);
  options.Take("max_connections", config.max_connections);
  options.Take("max_connections_per_client", config.max_connections_per_client);
  options.Take("client_memory", config.client_memory);
  options.Take("event_memory", config.event_memory);
  options.Take("event_listeners", config.event_listeners);
  options.Take("caller_threads", config.caller_threads);
  options.Take("seed", config.seed);
  SetLog(config, options.Get("log"), kept);
  std::string simulation;
  options.Take("simulation", simulation);
  Simulate(config, simulation);
  AddFilters(config, options.Get("custom_filters"), kept);
  AddStrategies(config, options.Get("custom_strategies"), kept);
  AddDiscovery(config, options.Get("custom_discovery"), kept);
  return config;
}

}  // namespace pyswarm
