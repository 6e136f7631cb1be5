#include "bindings/c/options.h"

#include <limits>
#include <string>
#include <utility>

#include "bindings/c/structs.h"
#include "bindings/c/utf8.h"
#include "swarmlib/simulation.h"
#include "swarmlib/status.h"

namespace swarm::c {
namespace {

constexpr swarm_options kDefaultOptions = SWARM_OPTIONS_INIT;

// Bytes after the last field would be unknown ones when a field is added there.
static_assert(offsetof(swarm_options, own_scheme_count) + sizeof kDefaultOptions.own_scheme_count ==
              sizeof(swarm_options));

absl::Status ReadSwitch(std::int32_t value, const char* name, bool& into) {
  if (value != 0 && value != 1) {
    return InvalidArgument("options." + std::string(name) + " is " + std::to_string(value) +
                           "; 0 or 1 is wanted");
  }
  into = value == 1;
  return absl::OkStatus();
}

template <typename Enumeration>
absl::Status ReadChoice(std::int32_t value, std::int32_t last, const char* name,
                        Enumeration& into) {
  if (value < 0 || value > last) {
    return InvalidArgument("options." + std::string(name) + " is " + std::to_string(value) +
                           "; 0 to " + std::to_string(last) + " is wanted");
  }
  into = static_cast<Enumeration>(value);
  return absl::OkStatus();
}

absl::Status ReadDuration(std::int64_t milliseconds, const char* name, Duration& into) {
  if (milliseconds < 0)
    return InvalidArgument("options." + std::string(name) + " must not be negative");
  into = ToDuration(milliseconds);
  return absl::OkStatus();
}

absl::Status ReadCount(std::int64_t value, const char* name, int& into) {
  constexpr int kMax = std::numeric_limits<int>::max();
  if (value < 1 || value > kMax) {
    return InvalidArgument("options." + std::string(name) + " is " + std::to_string(value) +
                           "; 1 to " + std::to_string(kMax) + " is wanted");
  }
  into = static_cast<int>(value);
  return absl::OkStatus();
}

// The first of them that is not ok.
absl::Status First(std::initializer_list<absl::Status> statuses) {
  for (const absl::Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

LogSink MakeLogSink(swarm_log log, OwnedPointer owned) {
  return [log, owned = std::move(owned)](const LogRecord& record) {
    const InCallback marked;
    GuardValue(0, [&] {
      const std::string message = ToUtf8(record.message);
      std::vector<std::string> values;
      for (const auto& field : record.fields) values.push_back(ToUtf8(field.second));
      std::vector<swarm_field> fields;
      for (std::size_t i = 0; i < values.size(); ++i)
        fields.push_back({record.fields[i].first.c_str(), values[i].c_str()});
      log(owned->user_data(), static_cast<swarm_log_level>(record.level), message.c_str(),
          fields.data(), fields.size());
      return 0;
    });
  };
}

absl::Status ReadPlain(const swarm_options& options, Config& config) {
  config.discovery = OrEmpty(options.discovery);
  if (options.strategy != nullptr) config.strategy = options.strategy;
  config.tls.ca_file = OrEmpty(options.tls_ca_file);
  config.tls.certificate_file = OrEmpty(options.tls_certificate_file);
  config.tls.key_file = OrEmpty(options.tls_key_file);
  config.overcommit = options.overcommit;
  config.create_retry = options.create_retry;
  config.failure_retry = options.failure_retry;
  config.threads = options.threads;
  config.max_connections = options.max_connections;
  config.max_connections_per_client = options.max_connections_per_client;
  config.client_memory = options.client_memory;
  config.event_memory = options.event_memory;
  config.seed = options.seed;
  return First({
      ReadStrings(options.listen, options.listen_count, "options.listen", config.listen),
      ReadStrings(options.filters, options.filter_count, "options.filters", config.filters),
      ReadSwitch(options.tls, "tls", config.tls.enabled),
      ReadSwitch(options.tls_verify, "tls_verify", config.tls.verify),
      ReadSwitch(options.insecure, "insecure", config.insecure),
      ReadSwitch(options.cpu_shares_as_cores, "cpu_shares_as_cores", config.cpu_shares_as_cores),
      ReadSwitch(options.pull_on_create, "pull_on_create", config.pull_on_create),
      ReadSwitch(options.cors, "cors", config.cors),
      ReadSwitch(options.experimental, "experimental", config.experimental),
      ReadSwitch(options.caller_threads, "caller_threads", config.caller_threads),
      ReadChoice(options.names, SWARM_NAMES_PLAIN, "names", config.names),
      ReadChoice(options.relay_ports, SWARM_RELAY_PORTS_ALL, "relay_ports", config.relay_ports),
      ReadDuration(options.heartbeat_ms, "heartbeat_ms", config.heartbeat),
      ReadDuration(options.refresh_min_ms, "refresh_min_ms", config.refresh_min),
      ReadDuration(options.refresh_max_ms, "refresh_max_ms", config.refresh_max),
      ReadDuration(options.engine_timeout_ms, "engine_timeout_ms", config.engine_timeout),
      ReadCount(options.event_listeners, "event_listeners", config.event_listeners),
  });
}

// Adds each of `count` own makers to its registry.
template <typename Struct>
absl::Status AddEach(const Struct* const* list, std::size_t count, const char* name,
                     absl::Status (*add)(const Struct*, Config&, OwnedList&), Config& config,
                     OwnedList& owned) {
  if (list == nullptr && count > 0)
    return InvalidArgument("options." + std::string(name) + " is NULL, but its count is not 0");
  for (std::size_t i = 0; i < count; ++i) {
    const absl::Status added = add(list[i], config, owned);
    if (!added.ok())
      return Annotate(added, "options." + std::string(name) + "[" + std::to_string(i) + "]");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckName(const char* name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  const std::string_view text = OrEmpty(name);
  if (!text.empty() && text.find_first_not_of(kLetters) == std::string_view::npos)
    return absl::OkStatus();
  return InvalidArgument("the name \"" + std::string(text) +
                         "\" is none: lower-case letters, digits, - and _ are wanted");
}

absl::Status ReadStrings(const char* const* strings, std::size_t count, const char* name,
                         std::vector<std::string>& into) {
  if (strings == nullptr && count > 0)
    return InvalidArgument(std::string(name) + " is NULL, but its count is not 0");
  for (std::size_t i = 0; i < count; ++i) {
    if (strings[i] == nullptr)
      return InvalidArgument(std::string(name) + "[" + std::to_string(i) + "] is NULL");
    into.emplace_back(strings[i]);
  }
  return absl::OkStatus();
}

absl::Status ReadOptions(const swarm_options* given, Config& config, OwnedList& owned) {
  swarm_options options = kDefaultOptions;
  if (absl::Status read = Widen(given, options, "swarm_options"); !read.ok()) return read;
  if (absl::Status read = ReadPlain(options, config); !read.ok()) return read;
  // Taken over also when nothing is logged with it.
  owned.push_back(std::make_shared<Owned>(options.log_user_data, options.log_destroy));
  if (options.log != nullptr) config.log = MakeLogSink(options.log, owned.back());
  bool simulation = false;
  if (absl::Status read = ReadSwitch(options.simulation, "simulation", simulation); !read.ok())
    return read;
  if (simulation) AddSimulation(config);
  if (absl::Status added = AddEach(options.own_filters, options.own_filter_count, "own_filters",
                                   AddFilter, config, owned);
      !added.ok())
    return added;
  if (absl::Status added = AddEach(options.own_strategies, options.own_strategy_count,
                                   "own_strategies", AddStrategy, config, owned);
      !added.ok())
    return added;
  return AddEach(options.own_schemes, options.own_scheme_count, "own_schemes", AddScheme, config,
                 owned);
}

}  // namespace swarm::c

using namespace swarm::c;

swarm_code swarm_options_init(swarm_options* options, size_t struct_size, swarm_error** error) {
  return Guard("swarm_options_init", error, [&]() -> absl::Status {
    if (absl::Status wanted = Wanted(options, "options"); !wanted.ok()) return wanted;
    return Begin(kDefaultOptions, struct_size, options);
  });
}
