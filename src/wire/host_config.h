// The parts of a HostConfig that placement reads, from create bodies and from inspect answers
// alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/model.h"
#include "wire/create.h"
#include "wire/json.h"

namespace swarm {

// Field `key` of `object` in one shape, or empty when it is absent or null. InvalidArgument names
// the field and what stands there instead, or says that it is there twice.
absl::StatusOr<std::string> TextField(JsonValue object, std::string_view key);
absl::StatusOr<std::int64_t> IntegerField(JsonValue object, std::string_view key);
absl::StatusOr<JsonValue> ObjectField(JsonValue object, std::string_view key);
absl::StatusOr<std::vector<std::string>> TextsField(JsonValue object, std::string_view key);
// OK when the field's value is absent or an array of strings and nulls.
absl::Status CheckTexts(JsonValue value, std::string_view key);
absl::StatusOr<Labels> LabelsField(JsonValue object, std::string_view key);

// Of one container: published ports, those of them that are ranges to pick a port from, and exposed
// ports, which are all of three protocols.
inline constexpr std::size_t kMostPorts = 65'536;
inline constexpr std::int64_t kMostPortRanges = 256;
inline constexpr std::size_t kMostExposedPorts = 3 * 65'536;

// Adds ports to a list, each once. The list outlives it.
class PortSet {
 public:
  explicit PortSet(std::vector<PortBinding>& ports) : ports_(ports) {}
  void Add(PortBinding port);

 private:
  struct Hash {
    std::size_t operator()(const PortBinding& port) const;
  };

  std::vector<PortBinding>& ports_;
  std::unordered_set<PortBinding, Hash> seen_;
};

// Memory, NanoCpus or CpuQuota over CpuPeriod, and CpuShares where the rules count them as
// processors. More than any machine has is cut off.
absl::StatusOr<Resources> ReadResources(JsonValue host_config, const CreateRules& rules);
// The same of a container that is on `node`, whose CpuShares are shares again.
absl::StatusOr<Resources> ReadHeldResources(JsonValue host_config, const CreateRules& rules,
                                            const Node& node);
std::int64_t CoresOf(const Node& node);
// What an engine with `cores`, at least 1, is told for `wanted` cores.
std::int64_t SharesOfCores(std::int64_t wanted, std::int64_t cores);

// {"80/tcp":[{"HostIp":"","HostPort":"8080"}]}: null or an empty list = the engine picks a port.
// InvalidArgument also for more than the bounds above.
absl::StatusOr<std::vector<PortBinding>> ReadPortBindings(JsonValue bindings);
// How many such bindings are there, before anything is made of them.
std::size_t CountBindings(JsonValue bindings);
// {"80/tcp":{}}: host_first and host_last are the port itself, as it is taken with the network of
// the host. InvalidArgument also for more than `most`, ranges counted port by port.
absl::StatusOr<std::vector<PortBinding>> ReadExposedPorts(JsonValue exposed,
                                                          std::size_t most = kMostExposedPorts);
// What an engine reports as bound, {"80/tcp":[...],"443/tcp":null}: only entries with a host port.
std::vector<PortBinding> ReadBoundPorts(JsonValue ports);

// True for "", "0.0.0.0" and "::".
bool IsEveryAddress(std::string_view ip);
// The bytes of an array of port objects with empty addresses under `ip_key` replaced by `ip`; of
// entries that are the same then (IPv4 and IPv6 wildcards) one stays.
std::string PortsWithAddress(std::string_view text, JsonValue array, std::string_view ip_key,
                             std::string_view ip);

// "container:web" → "web"; empty for anything else.
std::string JoinedContainer(std::string_view mode);

}  // namespace swarm
