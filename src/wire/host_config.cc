#include "wire/host_config.h"

#include <algorithm>

#include "base/text.h"
#include "model/address.h"
#include "swarmlib/status.h"
#include "wire/create_bounds.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

absl::Status WrongType(std::string_view key, std::string_view wanted, JsonValue found) {
  return InvalidArgument("invalid JSON: the field \"" + std::string(key) + "\" must be " +
                         std::string(wanted) + ", not " + std::string(JsonKindName(found.kind())));
}

constexpr std::int64_t kNanosACore = 1'000'000'000;
constexpr std::int64_t kSharesACore = 1'024;
constexpr std::int64_t kFewestShares = 2;  // the engine takes no less
// More than any machine has, so that sums and products of them fit.
constexpr std::int64_t kMostMemory = std::int64_t{1} << 53;
constexpr std::int64_t kMostCores = std::int64_t{1} << 20;

// Quota and period are signed 64-bit; their product is not.
std::int64_t ProcessorsOfQuota(std::int64_t quota, std::int64_t period) {
  if (quota <= 0) return 0;
  if (period <= 0) period = 100'000;
  const auto wide = static_cast<__int128>(quota) * kNanosACore / period;
  constexpr __int128 kMost = kMostCores * kNanosACore;
  return static_cast<std::int64_t>(std::min(wide, kMost));
}

struct Port {
  std::uint16_t first = 0, last = 0;
  std::string protocol = "tcp";
};

absl::Status BadPort(std::string_view text) {
  return InvalidArgument("invalid port specification: \"" + std::string(text) + "\"");
}

// "80", "80/udp", "7000-7005/tcp", and "" when `may_be_empty`.
absl::StatusOr<Port> ParsePort(std::string_view text, bool may_be_empty) {
  Port port;
  std::string_view digits = text;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    digits = text.substr(0, slash);
    port.protocol = ToLower(text.substr(slash + 1));
    if (port.protocol.empty()) port.protocol = "tcp";
    if (port.protocol != "tcp" && port.protocol != "udp" && port.protocol != "sctp")
      return BadPort(text);
  }
  if (digits.empty()) {
    if (may_be_empty) return port;
    return BadPort(text);
  }
  const std::size_t dash = digits.find('-');
  const auto first = ParseUnsigned(digits.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : ParseUnsigned(digits.substr(dash + 1));
  // As the engine: without the protocol.
  if (!first || !last || *first > 65'535 || *last > 65'535 || *last < *first)
    return BadPort(digits);
  port.first = static_cast<std::uint16_t>(*first);
  port.last = static_cast<std::uint16_t>(*last);
  return port;
}

// Of one address one text, so that ports on it are known to be on the same.
std::string PlainAddress(std::string_view ip) {
  std::string address = CanonicalAddress(ip);
  if (IsEveryAddress(address)) address.clear();
  return address;
}

absl::Status AddBinding(JsonValue entry, const Port& inside, PortSet& ports) {
  if (entry.is(Kind::kNull)) return absl::OkStatus();
  if (!entry.is(Kind::kObject)) return WrongType("PortBindings", "lists of objects", entry);
  const absl::StatusOr<std::string> ip = TextField(entry, "HostIp");
  if (!ip.ok()) return ip.status();
  const absl::StatusOr<std::string> text = TextField(entry, "HostPort");
  if (!text.ok()) return text.status();
  const absl::StatusOr<Port> host = ParsePort(*text, true);
  if (!host.ok()) return host.status();
  ports.Add({PlainAddress(*ip), host->first, host->last, inside.first, inside.protocol});
  return absl::OkStatus();
}

absl::Status AddBindings(std::string_view key, JsonValue list, PortSet& ports) {
  const absl::StatusOr<Port> inside = ParsePort(key, false);
  if (!inside.ok()) return inside.status();
  // The engine takes a single port here; a range is refused as it does.
  if (inside->first != inside->last) return BadPort(key.substr(0, key.find('/')));
  if (!list.is(Kind::kNull) && !list.is(Kind::kArray))
    return WrongType("PortBindings", "lists", list);
  const std::vector<JsonValue> entries = list.elements();
  if (entries.empty()) ports.Add({"", 0, 0, inside->first, inside->protocol});
  for (const JsonValue entry : entries) {
    if (absl::Status added = AddBinding(entry, *inside, ports); !added.ok()) return added;
  }
  return absl::OkStatus();
}

}  // namespace

std::size_t PortSet::Hash::operator()(const PortBinding& port) const {
  constexpr std::size_t kOdd = 0x9e3779b97f4a7c15;
  const StringHash hash;
  std::size_t mixed =
      std::size_t{port.host_first} << 32 | std::size_t{port.host_last} << 16 | port.container_port;
  mixed = (mixed ^ hash(port.protocol)) * kOdd;
  return (mixed ^ hash(port.host_ip)) * kOdd;
}

void PortSet::Add(PortBinding port) {
  if (seen_.insert(port).second) ports_.push_back(std::move(port));
}

absl::StatusOr<std::string> TextField(JsonValue object, std::string_view key) {
  const absl::StatusOr<JsonValue> found = FindField(object, key);
  if (!found.ok()) return found.status();
  if (found->absent()) return std::string();
  if (!found->is(Kind::kString)) return WrongType(key, "a string", *found);
  return found->text();
}

absl::StatusOr<std::int64_t> IntegerField(JsonValue object, std::string_view key) {
  const absl::StatusOr<JsonValue> found = FindField(object, key);
  if (!found.ok()) return found.status();
  if (found->absent()) return 0;
  if (!found->is(Kind::kNumber)) return WrongType(key, "a number", *found);
  const std::optional<std::int64_t> value = found->integer();
  if (value) return *value;
  return InvalidArgument("invalid JSON: the field \"" + std::string(key) +
                         "\" must be a whole number of 64 bits, not " + std::string(found->raw()));
}

absl::StatusOr<JsonValue> ObjectField(JsonValue object, std::string_view key) {
  const absl::StatusOr<JsonValue> found = FindField(object, key);
  if (!found.ok()) return found.status();
  if (found->absent()) return JsonValue();
  if (!found->is(Kind::kObject)) return WrongType(key, "an object", *found);
  return *found;
}

absl::Status CheckTexts(JsonValue value, std::string_view key) {
  if (value.absent()) return absl::OkStatus();
  if (!value.is(Kind::kArray)) return WrongType(key, "an array of strings", value);
  JsonValue wrong;
  value.ForEachElement([&wrong](JsonValue element) {
    if (!element.is(Kind::kString) && !element.is(Kind::kNull)) wrong = element;
  });
  return wrong ? WrongType(key, "an array of strings", wrong) : absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> TextsField(JsonValue object, std::string_view key) {
  const absl::StatusOr<JsonValue> found = FindField(object, key);
  if (!found.ok()) return found.status();
  if (absl::Status checked = CheckTexts(*found, key); !checked.ok()) return checked;
  std::vector<std::string> texts;
  found->ForEachElement([&texts](JsonValue element) { texts.push_back(element.text()); });
  return texts;
}

absl::StatusOr<Labels> LabelsField(JsonValue object, std::string_view key) {
  const absl::StatusOr<JsonValue> found = ObjectField(object, key);
  if (!found.ok()) return found.status();
  Labels labels;
  for (const auto& [name, value] : found->members()) {
    if (!value.is(Kind::kString) && !value.is(Kind::kNull))
      return WrongType(key, "an object of strings", value);
    labels[name.text()] = value.text();
  }
  return labels;
}

std::int64_t CoresOf(const Node& node) { return node.total.nano_cpus / kNanosACore; }

std::int64_t SharesOfCores(std::int64_t wanted, std::int64_t cores) {
  wanted = std::min(wanted, kMostCores);
  return std::max(kFewestShares, (wanted * kSharesACore + cores - 1) / cores);
}

namespace {

std::int64_t CoresOfShares(std::int64_t shares, std::int64_t cores) {
  return std::min(shares, kMostCores) * std::min(cores, kMostCores) / kSharesACore;
}

// `cores` of the node whose shares they are; 0 while they still are cores themselves.
absl::StatusOr<Resources> ReadAmounts(JsonValue host_config, const CreateRules& rules,
                                      std::int64_t cores) {
  std::int64_t amounts[5] = {};
  static constexpr std::string_view kKeys[5] = {"Memory", "NanoCpus", "CpuQuota", "CpuPeriod",
                                                "CpuShares"};
  for (int i = 0; i < 5; ++i) {
    const absl::StatusOr<std::int64_t> amount = IntegerField(host_config, kKeys[i]);
    if (!amount.ok()) return amount.status();
    amounts[i] = std::max<std::int64_t>(*amount, 0);
  }
  Resources resources;
  resources.memory = std::min(amounts[0], kMostMemory);
  resources.nano_cpus = std::max(std::min(amounts[1], kMostCores * kNanosACore),
                                 ProcessorsOfQuota(amounts[2], amounts[3]));
  if (rules.cpu_shares_as_cores) {
    const std::int64_t asked = cores > 0 ? CoresOfShares(amounts[4], cores) : amounts[4];
    // As quota: N processors of period 1.
    resources.nano_cpus = std::max(resources.nano_cpus, ProcessorsOfQuota(asked, 1));
  }
  return resources;
}

}  // namespace

absl::StatusOr<Resources> ReadResources(JsonValue host_config, const CreateRules& rules) {
  return ReadAmounts(host_config, rules, 0);
}

absl::StatusOr<Resources> ReadHeldResources(JsonValue host_config, const CreateRules& rules,
                                            const Node& node) {
  return ReadAmounts(host_config, rules, std::max<std::int64_t>(CoresOf(node), 1));
}

absl::StatusOr<std::vector<PortBinding>> ReadPortBindings(JsonValue bindings) {
  std::vector<PortBinding> ports;
  PortSet set(ports);
  for (const auto& [key, list] : bindings.members()) {
    if (absl::Status added = AddBindings(key.text(), list, set); !added.ok()) return added;
  }
  const auto ranges = std::count_if(ports.begin(), ports.end(), [](const PortBinding& port) {
    return port.host_last > port.host_first;
  });
  if (ports.size() > kMostPorts || ranges > kMostPortRanges) {
    return InvalidArgument("too many ports are published: " + std::to_string(ports.size()) +
                           ", ranges to choose from among them: " + std::to_string(ranges) +
                           "; at most " + std::to_string(kMostPorts) + " and " +
                           std::to_string(kMostPortRanges) + " are taken");
  }
  return ports;
}

std::size_t CountBindings(JsonValue bindings) {
  std::size_t count = 0;
  bindings.ForEachMember([&count](JsonValue, JsonValue list) {
    std::size_t entries = 0;
    list.ForEachElement([&entries](JsonValue) { ++entries; });
    count += std::max<std::size_t>(entries, 1);
  });
  return count;
}

absl::StatusOr<std::vector<PortBinding>> ReadExposedPorts(JsonValue exposed, std::size_t most) {
  std::vector<PortBinding> ports;
  PortSet set(ports);
  std::vector<Port> read;
  std::size_t total = 0;
  for (const auto& [key, nothing] : exposed.members()) {
    absl::StatusOr<Port> port = ParsePort(key.text(), false);
    if (!port.ok()) return port.status();
    // Counted before they are known to be the same as others: each of them is work.
    total += static_cast<std::size_t>(port->last - port->first) + 1;
    read.push_back(*std::move(port));
  }
  if (absl::Status few = CheckBound("exposed ports", total, most); !few.ok()) return few;
  for (const Port& port : read) {
    for (int number = port.first; number <= port.last; ++number) {
      const auto one = static_cast<std::uint16_t>(number);
      set.Add({"", one, one, one, port.protocol});
    }
  }
  return ports;
}

std::vector<PortBinding> ReadBoundPorts(JsonValue ports) {
  std::vector<PortBinding> bound;
  PortSet set(bound);
  ports.ForEachMember([&set](JsonValue key, JsonValue list) {
    const absl::StatusOr<Port> inside = ParsePort(key.text(), false);
    if (!inside.ok()) return;
    list.ForEachElement([&](JsonValue entry) {
      const absl::StatusOr<Port> host = ParsePort(entry.Find("HostPort").text(), true);
      if (!host.ok() || host->first == 0) return;
      set.Add({PlainAddress(entry.Find("HostIp").text()), host->first, host->last, inside->first,
               inside->protocol});
    });
  });
  return bound;
}

bool IsEveryAddress(std::string_view ip) { return ip.empty() || ip == "0.0.0.0" || ip == "::"; }

std::string PortsWithAddress(std::string_view text, JsonValue array, std::string_view ip_key,
                             std::string_view ip) {
  std::vector<std::string> entries;
  StringSet seen;
  array.ForEachElement([&](JsonValue entry) {
    TextEdits edits;
    const JsonValue address = entry.Find(ip_key);
    if (!ip.empty() && address.is(Kind::kString) && IsEveryAddress(address.text())) {
      edits.Replace(address.begin(), address.end(), JsonString(ip));
    }
    std::string edited = edits.Apply(text, entry.begin(), entry.end());
    if (seen.insert(edited).second) entries.push_back(std::move(edited));
  });
  return "[" + Join(entries, ",") + "]";
}

std::string JoinedContainer(std::string_view mode) {
  constexpr std::string_view kPrefix = "container:";
  if (!mode.starts_with(kPrefix)) return {};
  return std::string(mode.substr(kPrefix.size()));
}

}  // namespace swarm
