#include "run_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "swarmlib/status.h"

namespace swarmd {
namespace {

// Flags of `docker run` without a value (docker CLI reference, "docker container run").
constexpr std::array<std::string_view, 19> kSwitches = {"-d",
                                                        "--detach",
                                                        "-i",
                                                        "--interactive",
                                                        "-t",
                                                        "--tty",
                                                        "-P",
                                                        "--publish-all",
                                                        "--rm",
                                                        "--privileged",
                                                        "--init",
                                                        "--read-only",
                                                        "--oom-kill-disable",
                                                        "--no-healthcheck",
                                                        "--sig-proxy",
                                                        "--disable-content-trust",
                                                        "-q",
                                                        "--quiet",
                                                        "--help"};

bool IsSwitch(std::string_view word) {
  return std::find(kSwitches.begin(), kSwitches.end(), word) != kSwitches.end();
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') quoted.push_back('\\');
    if (static_cast<unsigned char>(letter) < 0x20) {
      constexpr char kDigits[] = "0123456789abcdef";
      quoted.append("\\u00").push_back(kDigits[(static_cast<unsigned char>(letter) >> 4U) & 15U]);
      quoted.push_back(kDigits[static_cast<unsigned char>(letter) & 15U]);
    } else {
      quoted.push_back(letter);
    }
  }
  return quoted + "\"";
}

std::string List(const std::vector<std::string>& items) {
  std::string list = "[";
  for (const std::string& item : items)
    list.append(list.size() > 1 ? "," : "").append(Quoted(item));
  return list + "]";
}

std::string Map(const std::map<std::string, std::string>& members) {  // values are JSON already
  std::string map = "{";
  for (const auto& [key, value] : members) {
    map.append(map.size() > 1 ? "," : "").append(Quoted(key)).append(":").append(value);
  }
  return map + "}";
}

// "512m" in bytes.
std::optional<std::int64_t> Bytes(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.empty() || unit == "b" || unit == "B") return value;
  constexpr std::string_view kUnits = "kmgt";
  const std::size_t power = kUnits.find(static_cast<char>(unit[0] | 0x20));
  if (power == std::string_view::npos || unit.size() > 2 || value > (std::int64_t{1} << 22U))
    return std::nullopt;
  return value << (10U * (power + 1));
}

// "1.5" processors in billionths.
std::optional<std::int64_t> NanoCpus(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > 1e6)
    return std::nullopt;
  return static_cast<std::int64_t>(value * 1e9 + 0.5);
}

// The value flags that placement reads, gathered by their long name.
using Values = std::multimap<std::string, std::string>;

std::vector<std::string> All(const Values& values, const std::string& flag) {
  std::vector<std::string> all;
  const auto [first, last] = values.equal_range(flag);
  for (auto at = first; at != last; ++at) all.push_back(at->second);
  return all;
}

std::string LongName(const std::string& flag) {
  static const std::map<std::string, std::string> kShort = {
      {"-e", "--env"},   {"-p", "--publish"},    {"-m", "--memory"}, {"-c", "--cpu-shares"},
      {"-l", "--label"}, {"--net", "--network"}, {"-v", "--volume"}, {"-h", "--hostname"}};
  const auto found = kShort.find(flag);
  return found == kShort.end() ? flag : found->second;
}

// "[ip:][host:]container[/protocol]", ranges of equal length spread out as the CLI does.
absl::Status AddPort(const std::string& text, std::map<std::string, std::string>& bindings,
                     std::map<std::string, std::string>& exposed) {
  std::string rest = text;
  std::string protocol = "tcp";
  if (const std::size_t slash = rest.rfind('/'); slash != std::string::npos) {
    protocol = rest.substr(slash + 1);
    rest.resize(slash);
  }
  const std::size_t last = rest.rfind(':');
  const std::string container = last == std::string::npos ? rest : rest.substr(last + 1);
  std::string host;
  std::string ip;
  if (last != std::string::npos) {
    host = rest.substr(0, last);
    if (const std::size_t colon = host.rfind(':'); colon != std::string::npos) {
      ip = host.substr(0, colon);
      host = host.substr(colon + 1);
    }
  }
  if (container.empty())
    return swarm::InvalidArgument("-p " + text + ": the container's port is missing");
  const std::string key = container + "/" + protocol;
  const std::string binding = Map({{"HostIp", Quoted(ip)}, {"HostPort", Quoted(host)}});
  std::string& list = bindings[key];
  list = list.empty() ? "[" + binding + "]" : list.substr(0, list.size() - 1) + "," + binding + "]";
  exposed[key] = "{}";
  return absl::OkStatus();
}

absl::StatusOr<std::string> HostConfig(const Values& values,
                                       std::map<std::string, std::string>& exposed) {
  std::map<std::string, std::string> bindings;
  for (const std::string& port : All(values, "--publish")) {
    const absl::Status added = AddPort(port, bindings, exposed);
    if (!added.ok()) return added;
  }
  std::map<std::string, std::string> host = {{"PortBindings", Map(bindings)},
                                             {"Links", List(All(values, "--link"))},
                                             {"VolumesFrom", List(All(values, "--volumes-from"))}};
  for (const std::string& memory : All(values, "--memory")) {
    const std::optional<std::int64_t> bytes = Bytes(memory);
    if (!bytes)
      return swarm::InvalidArgument("-m " + memory + ": an amount such as 512m is wanted");
    host["Memory"] = std::to_string(*bytes);
  }
  for (const std::string& cpus : All(values, "--cpus")) {
    const std::optional<std::int64_t> nano = NanoCpus(cpus);
    if (!nano) return swarm::InvalidArgument("--cpus " + cpus + ": a number such as 1.5 is wanted");
    host["NanoCpus"] = std::to_string(*nano);
  }
  for (const std::string& shares : All(values, "--cpu-shares")) {
    if (shares.empty() || shares.find_first_not_of("0123456789") != std::string::npos ||
        shares.size() > 9) {
      return swarm::InvalidArgument("-c " + shares + ": a whole number is wanted");
    }
    host["CpuShares"] = shares;
  }
  for (const auto& [flag, field] : {std::pair("--network", "NetworkMode"),
                                    std::pair("--ipc", "IpcMode"), std::pair("--pid", "PidMode")}) {
    for (const std::string& mode : All(values, flag)) host[field] = Quoted(mode);
  }
  return Map(host);
}

}  // namespace

absl::StatusOr<RunLine> ParseRunLine(const std::vector<std::string>& words) {
  std::size_t at = 0;
  if (at < words.size() && words[at] == "docker") ++at;
  if (at < words.size() && words[at] == "container") ++at;
  if (at < words.size() && (words[at] == "run" || words[at] == "create")) ++at;
  Values values;
  for (; at < words.size() && words[at].size() > 1 && words[at][0] == '-'; ++at) {
    std::string word = words[at];
    if (word == "--") {
      ++at;
      break;
    }
    std::optional<std::string> value;
    if (const std::size_t equals = word.find('=');
        equals != std::string::npos && word.compare(0, 2, "--") == 0) {
      value = word.substr(equals + 1);
      word.resize(equals);
    }
    if (IsSwitch(word)) continue;
    if (word[1] != '-' && word.size() > 2) {  // "-dit", "-p80:80", "-dp 80:80"
      std::size_t letter = 1;
      while (letter < word.size() && IsSwitch(std::string("-") + word[letter])) ++letter;
      if (letter == word.size()) continue;
      if (letter + 1 < word.size()) value = word.substr(letter + 1);
      word = std::string("-") + word[letter];
    }
    if (!value) {
      if (++at >= words.size()) return swarm::InvalidArgument(word + ": its value is missing");
      value = words[at];
    }
    values.emplace(LongName(word), *value);
  }
  if (at >= words.size()) return swarm::InvalidArgument("the image is missing from the line");
  std::map<std::string, std::string> exposed;
  for (const std::string& port : All(values, "--expose")) {
    exposed[port.find('/') == std::string::npos ? port + "/tcp" : port] = "{}";
  }
  const absl::StatusOr<std::string> host = HostConfig(values, exposed);
  if (!host.ok()) return host.status();
  std::map<std::string, std::string> labels;
  for (const std::string& label : All(values, "--label")) {
    const std::size_t equals = label.find('=');
    labels[label.substr(0, equals)] =
        Quoted(equals == std::string::npos ? "" : label.substr(equals + 1));
  }
  RunLine line;
  line.body = Map({{"Image", Quoted(words[at])},
                   {"Env", List(All(values, "--env"))},
                   {"Labels", Map(labels)},
                   {"ExposedPorts", Map(exposed)},
                   {"HostConfig", *host}});
  for (const std::string& name : All(values, "--name")) line.name = name;
  for (const std::string& platform : All(values, "--platform")) line.platform = platform;
  return line;
}

}  // namespace swarmd
