#include "sched/usage.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/text.h"

namespace swarm {
namespace {

constexpr std::int64_t kNanoCpus = 1'000'000'000;

std::string OneDecimal(double value, const char* unit) {
  char text[64];
  const int length = std::snprintf(text, sizeof(text), "%.1f%s", value, unit);
  return {text, static_cast<std::size_t>(length)};
}

std::int64_t In64Bits(__int128 value) {
  constexpr __int128 kMost = INT64_MAX;
  return static_cast<std::int64_t>(std::clamp(value, -kMost, kMost));
}

// The share in percent that is used with the request, cut off; empty when it does not fit.
std::optional<std::int64_t> Share(std::int64_t used, std::int64_t asked, std::int64_t total) {
  constexpr std::int64_t kWhole = 100;
  if (asked <= 0) return kWhole;
  if (asked > total) return std::nullopt;
  // A hundred times a memory of more than 81 PiB does not fit into 64 bits.
  constexpr std::int64_t kMostIn64Bits = INT64_MAX / kWhole;
  std::int64_t all = 0;
  if (__builtin_add_overflow(used, asked, &all)) return std::nullopt;
  const std::int64_t share =
      all <= kMostIn64Bits ? all * kWhole / total
                           : static_cast<std::int64_t>(static_cast<__int128>(all) * kWhole / total);
  if (share > kWhole) return std::nullopt;
  return share;
}

}  // namespace

Resources ResourceSum::value() const { return {In64Bits(nano_cpus_), In64Bits(memory_)}; }

Resources WithOvercommit(const Resources& total, double overcommit) {
  constexpr double kLeast = -1;
  constexpr double kMost = 1000;
  // Not a number fails both comparisons.
  const double share = overcommit >= kLeast ? (overcommit <= kMost ? overcommit : kMost)
                                            : (overcommit < kLeast ? kLeast : 0);
  const auto percent = static_cast<std::int64_t>(share * 100);
  const __int128 cpus = total.nano_cpus / kNanoCpus;
  return {In64Bits(total.nano_cpus + cpus * percent / 100 * kNanoCpus),
          In64Bits(total.memory + static_cast<__int128>(total.memory) * percent / 100)};
}

std::int64_t HealthOf(const Node& node, int failure_retry) {
  if (node.state != NodeState::kHealthy || failure_retry <= 0) return 0;
  const std::int64_t failures = std::clamp(node.failures, 0, failure_retry);
  return 100 - failures * 100 / failure_retry;
}

bool IsCandidate(const Node& node) {
  return (node.state == NodeState::kHealthy || node.state == NodeState::kUnhealthy) &&
         !node.cordoned;
}

std::optional<std::int64_t> SlotLimit(const Node& node) {
  constexpr std::uint64_t kMost = 1'000'000'000;
  const auto label = node.labels.find("containerslots");
  if (label == node.labels.end()) return std::nullopt;
  const std::optional<std::uint64_t> limit = ParseUnsigned(label->second);
  if (!limit || *limit > kMost) return std::nullopt;
  return static_cast<std::int64_t>(*limit);
}

std::string BytesText(std::int64_t bytes) {
  constexpr std::array<const char*, 6> kUnits = {" B", " KiB", " MiB", " GiB", " TiB", " PiB"};
  if (bytes < 1024) return std::to_string(bytes) + kUnits[0];
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return OneDecimal(value, kUnits[unit]);
}

std::string CpusText(std::int64_t nano_cpus) {
  return OneDecimal(static_cast<double>(nano_cpus) / static_cast<double>(kNanoCpus), "");
}

std::optional<std::int64_t> PeerWeight(const NodeUsage& usage, const Resources& request,
                                       std::int64_t health_factor) {
  const std::optional<std::int64_t> cpus =
      Share(usage.reserved.nano_cpus, request.nano_cpus, usage.total.nano_cpus);
  if (!cpus) return std::nullopt;
  const std::optional<std::int64_t> memory =
      Share(usage.reserved.memory, request.memory, usage.total.memory);
  if (!memory) return std::nullopt;
  return *cpus + *memory + health_factor * usage.health;
}

}  // namespace swarm
