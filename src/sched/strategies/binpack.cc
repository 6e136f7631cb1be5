#include <algorithm>

#include "sched/builtin.h"
#include "sched/usage.h"

namespace swarm {
namespace {

// The fullest node that still fits: highest weight, then most containers. The lowest rank is taken,
// so both are negated.
class BinpackStrategy final : public Strategy {
 public:
  std::string_view name() const override { return "binpack"; }

  std::optional<std::int64_t> Rank(const NodeUsage& usage,
                                   const Resources& request) const override {
    constexpr std::int64_t kHealthFactor = 10;
    const std::optional<std::int64_t> weight = PeerWeight(usage, request, kHealthFactor);
    if (!weight) return std::nullopt;
    return -(*weight * kRankStep + std::min(usage.containers, kRankStep - 1));
  }
};

}  // namespace

std::unique_ptr<Strategy> MakeBinpackStrategy() { return std::make_unique<BinpackStrategy>(); }

}  // namespace swarm
