#include "flags.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <utility>

#include <CLI/CLI.hpp>

#include "arguments.h"
#include "node_flags.h"
#include "swarmlib/version.h"

namespace swarmd {
namespace {

constexpr char kMissingDiscovery[] =
    "no discovery URL: name the engines, for example `swarmd manage "
    "nodes://10.0.0.1:2375,10.0.0.2:2375`, "
    "`file:///etc/swarm/cluster` or `sim://3`, or set SWARM_DISCOVERY";

// The texts as they stood on the command line, before they are checked.
struct Raw {
  std::string discovery_flag, log_level, log_format = "text", names = "both", timeout = "10s";
  std::string heartbeat = "60s", refresh_min = "30s", refresh_max = "60s", engine_timeout = "10s";
  std::string driver = "swarm", name_refresh, replication_ttl = "20s", advertise, root_folder;
  std::string relay_ports = "off", client_memory = "64MiB", event_memory = "32MiB";
  int refresh_retry = 3;
  double overcommit = 0.05;
  std::vector<std::string> positional, cluster_options, discovery_options, hosts;
  bool debug = false, cors = false, node_refresh = false, replication = false;
};

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// The values that Go reads as a boolean, which the peer's environment was read by.
std::optional<bool> ParseBoolean(const std::string& text) {
  for (const char* word : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == word) return true;
  }
  for (const char* word : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

void AddGlobal(CLI::App& app, Raw& raw, swarm::Config& config) {
  app.add_flag("--debug", raw.debug, "log everything, unless --log-level is given (also DEBUG=1)");
  app.add_option("--log-level,-l", raw.log_level,
                 "debug, info, warn, error, fatal or panic (default info)")
      ->check(CLI::IsMember({"debug", "info", "warn", "warning", "error", "fatal", "panic"}));
  app.add_option("--log-format", raw.log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_flag("--experimental", config.experimental,
               "told by /info and /version; changes nothing else");
}

void AddDiscovery(CLI::App& app, Raw& raw) {
  app.add_option(
      "DISCOVERY", raw.positional,
      "nodes://HOST:PORT,..., file://PATH or sim://N; a list without a scheme is nodes://");
  app.add_option("--discovery", raw.discovery_flag,
                 "the same as a flag (the spelling of early 2015)");
  app.add_option("--discovery-opt", raw.discovery_options, "KEY=VALUE for the discovery service")
      ->allow_extra_args(false);
  app.add_option("--heartbeat,--hb", raw.heartbeat,
                 "how often a source is read again at the latest");
}

void AddCluster(CLI::App& app, Raw& raw, swarm::Config& config) {
  app.add_option("--strategy", config.strategy, "spread, binpack or random");
  app.add_option("--filter,-f", config.filters, "use only these filters, in this order (repeat)")
      ->allow_extra_args(false);
  app.add_option("--cluster-driver,-c", raw.driver, "swarm")->check(CLI::IsMember({"swarm"}));
  app.add_option("--cluster-opt", raw.cluster_options, "swarm.overcommit=0.05, swarm.createretry=0")
      ->allow_extra_args(false);
  app.add_option("--overcommit,--oc", raw.overcommit,
                 "share of memory and processors given beyond what is there");
  app.add_flag("--cpu-shares-as-cores", config.cpu_shares_as_cores,
               "read -c N as N processors, as Docker Swarm did");
  app.add_flag("--pull-on-create", config.pull_on_create,
               "create pulls an image that no node has, as Docker Swarm did");
  app.add_flag("--tls", config.tls.enabled, "use TLS");
  app.add_flag("--tlsverify", config.tls.verify, "use TLS and verify clients and engines");
  app.add_option("--tlscacert", config.tls.ca_file, "the CA's certificate (PEM)");
  app.add_option("--tlscert", config.tls.certificate_file, "our certificate (PEM)");
  app.add_option("--tlskey", config.tls.key_file, "its key (PEM)");
  app.add_option("--engine-refresh-min-interval", raw.refresh_min,
                 "least time between two looks at an engine");
  app.add_option("--engine-refresh-max-interval", raw.refresh_max,
                 "most time between two looks at an engine");
  app.add_option("--engine-failure-retry", config.failure_retry,
                 "failures in a row until an engine is unhealthy")
      ->check(CLI::Range(1, 1000));
  app.add_option("--engine-refresh-retry", raw.refresh_retry, "deprecated; only 3 is accepted");
  app.add_option("--engine-timeout", raw.engine_timeout,
                 "an engine that takes longer to answer has failed");
}

void AddManage(CLI::App& app, Raw& raw, swarm::Config& config) {
  app.add_option("--host,-H", raw.hosts,
                 "[tcp://]ADDRESS:PORT or unix://PATH to listen on (repeat; SWARM_HOST)")
      ->allow_extra_args(false);
  app.add_option("--names", raw.names,
                 "container names as /name and /node/name, or only one of them")
      ->check(CLI::IsMember({"both", "node", "plain"}));
  app.add_option("--relay-ports", raw.relay_ports,
                 "listen on published TCP ports here too, and carry them to their nodes: of "
                 "containers with the label com.docker.swarm.relay=true, or of all")
      ->check(CLI::IsMember({"off", "label", "all"}));
  app.add_flag("--insecure", config.insecure,
               "listen beyond loopback without --tlsverify all the same");
  app.add_flag("--api-enable-cors,--cors", raw.cors, "answer browsers of every origin");
  app.add_option("--threads", config.threads, "event loops; 0 = one a processor")
      ->check(CLI::Range(0, 256));
  app.add_option("--max-connections", config.max_connections,
                 "clients' connections at once; 0 = half of what the limit of descriptors allows")
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--max-connections-per-client", config.max_connections_per_client,
                 "those of one address; 0 = half of --max-connections")
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--client-memory", raw.client_memory,
                 "most memory for request bodies and for answers that clients have not read");
  app.add_option("--event-memory", raw.event_memory, "most memory for the event history");
  app.add_option("--event-listeners", config.event_listeners, "most clients that follow events")
      ->check(CLI::Range(1, 1'000'000));
  app.add_flag("--refresh-on-node-filter", raw.node_refresh, "accepted for old command lines");
  app.add_option("--container-name-refresh-filter", raw.name_refresh,
                 "accepted for old command lines");
  app.add_flag("--replication", raw.replication,
               "refused: needs a discovery with a store, which this version has not");
  app.add_option("--replication-ttl", raw.replication_ttl, "changes nothing without --replication");
  app.add_option("--advertise,--addr", raw.advertise,
                 "HOST:PORT; changes nothing without --replication (SWARM_ADVERTISE)");
  app.add_option("--rootdir", raw.root_folder, "accepted for old command lines: nothing is stored");
}

// "A sentence" about what is wrong, or empty.
using Complaint = std::string;

Complaint TakeDuration(const char* flag, const std::string& text, swarm::Duration least,
                       swarm::Duration& into) {
  const std::optional<swarm::Duration> parsed = ParseDuration(text);
  if (!parsed || *parsed < least) {
    return std::string(flag) + " " + text +
           ": a duration such as 30s, 500ms or 1m30s of at least " +
           std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(least).count()) +
           "ms is wanted";
  }
  into = *parsed;
  return {};
}

Complaint TakeBytes(const char* flag, const std::string& text, std::size_t& into) {
  const std::optional<std::size_t> parsed = ParseBytes(text);
  if (!parsed || *parsed < swarm::kMinClientMemory)
    return std::string(flag) + " " + text + ": a size such as 64MiB of at least 1MiB is wanted";
  into = *parsed;
  return {};
}

Complaint CheckOvercommit(const std::string& asked, double overcommit) {
  if (overcommit > -1 && overcommit <= swarm::kMostOvercommit) return {};
  return asked + ": overcommit is a share such as 0.05 (5 % more), above -1 and at most 1000";
}

Complaint TakeClusterOption(const std::string& option, swarm::Config& config) {
  const std::size_t equals = option.find('=');
  const std::string key = option.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
  char* end = nullptr;
  if (key == "swarm.overcommit") {
    config.overcommit = std::strtod(value.c_str(), &end);
    if (value.empty() || *end != '\0') {
      return "--cluster-opt " + option + ": a number is wanted, for example swarm.overcommit=0.05";
    }
    return CheckOvercommit("--cluster-opt " + option, config.overcommit);
  }
  if (key == "swarm.createretry") {
    const long retries = std::strtol(value.c_str(), &end, 10);
    if (value.empty() || *end != '\0' || retries < 0 || retries > 100) {
      return "--cluster-opt " + option + ": a whole number from 0 to 100 is wanted";
    }
    config.create_retry = static_cast<int>(retries);
    return {};
  }
  return "--cluster-opt " + option + ": unknown; there are swarm.overcommit and swarm.createretry";
}

std::string AsUrl(const std::string& host) {
  return host.find("://") == std::string::npos ? "tcp://" + host : host;
}

std::vector<std::string> WordsBetweenCommas(const std::string& text) {
  constexpr char kBlanks[] = " \t";
  std::vector<std::string> words;
  std::istringstream rest(text);
  for (std::string word; std::getline(rest, word, ',');) {
    const std::size_t first = word.find_first_not_of(kBlanks);
    if (first == std::string::npos) continue;
    words.push_back(word.substr(first, word.find_last_not_of(kBlanks) + 1 - first));
  }
  return words;
}

Complaint TakeHosts(Raw& raw, swarm::Config& config) {
  if (raw.hosts.empty()) raw.hosts = WordsBetweenCommas(Environment("SWARM_HOST"));
  if (raw.hosts.empty()) raw.hosts.push_back("tcp://127.0.0.1:2375");
  for (const std::string& host : raw.hosts) config.listen.push_back(AsUrl(host));
  return {};
}

Complaint TakeDiscovery(const Raw& raw, swarm::Config& config) {
  if (raw.positional.size() > 1) {
    return "one discovery URL is wanted, not " + std::to_string(raw.positional.size()) + " (" +
           raw.positional[0] + " " + raw.positional[1] + " ...)";
  }
  if (!raw.discovery_flag.empty() && !raw.positional.empty()) {
    return "--discovery " + raw.discovery_flag + " and " + raw.positional[0] +
           " are both given; one is wanted";
  }
  config.discovery = raw.positional.empty() ? raw.discovery_flag : raw.positional[0];
  if (config.discovery.empty()) config.discovery = Environment("SWARM_DISCOVERY");
  if (config.discovery.empty()) return kMissingDiscovery;
  if (!raw.discovery_options.empty()) {
    return "--discovery-opt " + raw.discovery_options[0] +
           ": nodes://, file:// and sim:// have no options of their own";
  }
  return {};
}

bool IsHostAndPort(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  unsigned port = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + colon + 1, last, port);
  return error == std::errc() && end == last && port >= 1 && port <= 65535;
}

Complaint TakeReplication(Raw& raw) {
  if (raw.replication) {
    return "--replication needs a discovery with a store for the election (consul://, etcd://, "
           "zk://), which this version does not have yet: run one manager, and start it again "
           "where it ended; it rebuilds its state from the engines";
  }
  swarm::Duration unused{};
  Complaint complaint =
      TakeDuration("--replication-ttl", raw.replication_ttl, std::chrono::milliseconds(1), unused);
  if (!complaint.empty()) return complaint;
  if (raw.advertise.empty()) raw.advertise = Environment("SWARM_ADVERTISE");
  if (raw.advertise.empty() || IsHostAndPort(raw.advertise)) return {};
  return "--advertise " + raw.advertise + ": HOST:PORT is wanted, with a port from 1 to 65535";
}

void TakeNotices(const Raw& raw, Flags& flags) {
  if (!raw.advertise.empty()) {
    flags.notices.push_back("--advertise " + raw.advertise +
                            " changes nothing without --replication");
  }
  if (!raw.root_folder.empty()) {
    flags.notices.push_back("nothing is stored: --rootdir changes nothing");
  }
  if (raw.node_refresh || !raw.name_refresh.empty()) {
    flags.notices.push_back(
        "lists are always fresh: --refresh-on-node-filter and "
        "--container-name-refresh-filter change nothing");
  }
}

Complaint Finish(Raw& raw, Flags& flags) {
  swarm::Config& config = flags.config;
  const auto second = std::chrono::seconds(1);
  const auto moment = std::chrono::milliseconds(1);
  for (Complaint complaint :
       {TakeDuration("--heartbeat", raw.heartbeat, second, config.heartbeat),
        TakeDuration("--engine-refresh-min-interval", raw.refresh_min, moment, config.refresh_min),
        TakeDuration("--engine-refresh-max-interval", raw.refresh_max, moment, config.refresh_max),
        TakeDuration("--engine-timeout", raw.engine_timeout, moment, config.engine_timeout),
        TakeDuration("--timeout", raw.timeout, moment, flags.timeout),
        TakeBytes("--client-memory", raw.client_memory, config.client_memory),
        TakeBytes("--event-memory", raw.event_memory, config.event_memory),
        TakeDiscovery(raw, config)}) {
    if (!complaint.empty()) return complaint;
  }
  if (config.refresh_max < config.refresh_min) {
    return "--engine-refresh-max-interval " + raw.refresh_max +
           " is below --engine-refresh-min-interval " + raw.refresh_min;
  }
  if (raw.refresh_retry != 3)
    return "--engine-refresh-retry is gone; --engine-failure-retry does its work";
  config.overcommit = raw.overcommit;
  Complaint overcommit = CheckOvercommit("--overcommit", raw.overcommit);
  if (!overcommit.empty()) return overcommit;
  for (const std::string& option : raw.cluster_options) {
    Complaint complaint = TakeClusterOption(option, config);
    if (!complaint.empty()) return complaint;
  }
  if (config.tls.verify) config.tls.enabled = true;
  config.cors = raw.cors;
  config.names = raw.names == "node"    ? swarm::NameStyle::kNode
                 : raw.names == "plain" ? swarm::NameStyle::kPlain
                                        : swarm::NameStyle::kBoth;
  config.relay_ports = raw.relay_ports == "all"     ? swarm::RelayPorts::kAll
                       : raw.relay_ports == "label" ? swarm::RelayPorts::kLabel
                                                    : swarm::RelayPorts::kOff;
  const Complaint replication = TakeReplication(raw);
  if (!replication.empty()) return replication;
  TakeNotices(raw, flags);
  return TakeHosts(raw, config);
}

void TakeLogging(const Raw& raw, Flags& flags) {
  flags.log_json = raw.log_format == "json";
  if (raw.log_level == "warn" || raw.log_level == "warning")
    flags.log_level = swarm::LogLevel::kWarning;
  if (raw.log_level == "error" || raw.log_level == "fatal" || raw.log_level == "panic") {
    flags.log_level = swarm::LogLevel::kError;
  }
  if (raw.log_level == "debug") flags.log_level = swarm::LogLevel::kDebug;
  if (!raw.log_level.empty()) return;
  const std::string from_environment = Environment("DEBUG");
  const std::optional<bool> debug = ParseBoolean(from_environment);
  if (raw.debug || debug.value_or(false)) flags.log_level = swarm::LogLevel::kDebug;
  if (!debug && !from_environment.empty()) {
    flags.notices.push_back("DEBUG=" + from_environment + " is neither true nor false: ignored");
  }
}

std::vector<std::string> LongNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* part : app.get_subcommands([](const CLI::App*) { return true; })) {
    for (const CLI::Option* option : part->get_options()) {
      names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
    }
  }
  for (const CLI::Option* option : app.get_options()) {
    names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
  }
  return names;
}

ParseOutcome Stop(int exit_code, std::string output) {
  ParseOutcome outcome;
  outcome.stop = true;
  outcome.exit_code = exit_code;
  outcome.output = std::move(output);
  return outcome;
}

// Of the program, or of the command `topic`.
ParseOutcome ShowHelp(CLI::App& app, const std::string& program, const std::string& topic) {
  const CLI::App* named = nullptr;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!topic.empty() && command->check_name(topic)) named = command;
  }
  if (!topic.empty() && named == nullptr) {
    return Stop(2, program + ": there is no command " + topic + " (see `" + program + " help`)\n");
  }
  if (named != nullptr) return Stop(0, named->help());
  app.clear();  // a parsed command would print its own help
  return Stop(0, app.help());
}

std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

ParseOutcome ParseFlags(const std::string& program, const std::vector<std::string>& words) {
  ParseOutcome outcome;
  Flags& flags = outcome.flags;
  Raw raw;
  const std::string version = program + " version " + std::string(swarm::Version()) + "\n";
  CLI::App app("One Docker endpoint over any number of Docker engines.", program);
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.set_version_flag("--version,-v", version.substr(0, version.size() - 1));
  AddGlobal(app, raw, flags.config);

  CLI::App* manage =
      app.add_subcommand("manage", "serve the Docker API over the engines")->alias("m");
  AddDiscovery(*manage, raw);
  AddCluster(*manage, raw, flags.config);
  AddManage(*manage, raw, flags.config);
  CLI::App* list = app.add_subcommand("list", "print the engines' addresses")->alias("l");
  AddDiscovery(*list, raw);
  list->add_option("--timeout", raw.timeout, "how long to wait for the first answer");
  CLI::App* explain = app.add_subcommand("explain",
                                         "print where a `docker run` line would go and why: "
                                         "explain DISCOVERY -- docker run ... IMAGE");
  AddDiscovery(*explain, raw);
  AddCluster(*explain, raw, flags.config);
  explain->add_option("--timeout", raw.timeout, "how long to wait for the engines");
  CLI::App* node = AddNodeCommand(app, flags.node, raw.timeout);
  app.add_subcommand("version", "print the version");
  CLI::App* help = app.add_subcommand("help", "print this, or the flags of a command")->alias("h");
  std::string topic;
  help->add_option("COMMAND", topic);

  std::vector<std::string> options = Normalise(words, LongNames(app));
  const auto divider = std::find(options.begin(), options.end(), "--");
  if (divider != options.end()) flags.run_line.assign(divider + 1, options.end());
  options.erase(divider, options.end());
  std::reverse(options.begin(), options.end());
  try {
    app.parse(options);
  } catch (const CLI::CallForHelp&) {
    for (const CLI::App* chosen : app.get_subcommands()) return Stop(0, chosen->help());
    return Stop(0, app.help());
  } catch (const CLI::CallForVersion&) {
    return Stop(0, version);
  } catch (const CLI::ParseError& error) {
    return Stop(2, program + ": " + OneLine(error.what()) + " (see `" + program + " help`)\n");
  }
  if (app.got_subcommand("version")) return Stop(0, version);
  if (app.get_subcommands().empty()) return Stop(words.empty() ? 0 : 2, app.help());
  if (app.got_subcommand(help)) return ShowHelp(app, program, topic);
  flags.command = app.get_subcommands().front()->get_name();
  TakeLogging(raw, flags);
  const Complaint complaint = app.got_subcommand(node)
                                  ? FinishNodeCommand(*node, raw.timeout, flags.node)
                                  : Finish(raw, flags);
  if (!complaint.empty()) return Stop(2, program + ": " + complaint + "\n");
  if (flags.command == "explain" && flags.run_line.empty()) {
    return Stop(2, program + ": explain: the line to explain is missing: `" + program +
                       " explain DISCOVERY -- docker run -e constraint:zone==external nginx`\n");
  }
  return outcome;
}

}  // namespace swarmd
