// What a node offers, in the peer's numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "swarmlib/model.h"
#include "swarmlib/strategy.h"

namespace swarm {

// Ranks are weight * kRankStep + containers, so that the count settles equal weights.
inline constexpr std::int64_t kRankStep = 1'000'000;

struct SchedulerOptions {
  double overcommit = 0.05;  // share of a node that may be given out beyond what it has; -1..1000
  int failure_retry = 3;     // failures until a node counts as unhealthy; > 0
};

// A sum that stays exact whatever is added and taken away again.
class ResourceSum {
 public:
  void Add(const Resources& what, int times) {
    nano_cpus_ += static_cast<__int128>(what.nano_cpus) * times;
    memory_ += static_cast<__int128>(what.memory) * times;
  }
  // As near as 64 bits come.
  Resources value() const;

 private:
  __int128 nano_cpus_ = 0;
  __int128 memory_ = 0;
};

// `total` enlarged by the integer percentage of `overcommit`, cut off to whole processors and bytes
// as the peer does: 5 % of 2 processors is none, of 64 is 3.
Resources WithOvercommit(const Resources& total, double overcommit);

// 100 for a node without failures, less per failure, 0 when it is not healthy.
std::int64_t HealthOf(const Node& node, int failure_retry);

// True for nodes that may be chosen at all: known engines, healthy or not, that are not cordoned.
bool IsCandidate(const Node& node);

// The limit that the label containerslots sets; empty without one, or when it is not a number.
std::optional<std::int64_t> SlotLimit(const Node& node);

// "1.5 GiB".
std::string BytesText(std::int64_t bytes);
// "1.5" processors.
std::string CpusText(std::int64_t nano_cpus);

// The peer's weight of a node: used and asked share of processors and memory in percent, 100 each
// when nothing is asked, plus health_factor * health. Empty when the request does not fit.
std::optional<std::int64_t> PeerWeight(const NodeUsage& usage, const Resources& request,
                                       std::int64_t health_factor);

}  // namespace swarm
