#include "sched/builtin.h"

namespace swarm {
namespace {

// Any node that passes the filters; as the peer, without a look at its resources.
class RandomStrategy final : public Strategy {
 public:
  std::string_view name() const override { return "random"; }

  std::optional<std::int64_t> Rank(const NodeUsage& /*usage*/,
                                   const Resources& /*request*/) const override {
    return 0;
  }

  bool draws() const override { return true; }
};

}  // namespace

std::unique_ptr<Strategy> MakeRandomStrategy() { return std::make_unique<RandomStrategy>(); }

}  // namespace swarm
