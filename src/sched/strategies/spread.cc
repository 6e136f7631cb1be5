#include <algorithm>

#include "sched/builtin.h"
#include "sched/usage.h"

namespace swarm {
namespace {

// The emptiest node: lowest weight, then fewest containers.
class SpreadStrategy final : public Strategy {
 public:
  std::string_view name() const override { return "spread"; }

  std::optional<std::int64_t> Rank(const NodeUsage& usage,
                                   const Resources& request) const override {
    constexpr std::int64_t kHealthFactor = -10;
    const std::optional<std::int64_t> weight = PeerWeight(usage, request, kHealthFactor);
    if (!weight) return std::nullopt;
    return *weight * kRankStep + std::min(usage.containers, kRankStep - 1);
  }
};

}  // namespace

std::unique_ptr<Strategy> MakeSpreadStrategy() { return std::make_unique<SpreadStrategy>(); }

}  // namespace swarm
