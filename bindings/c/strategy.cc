#include <optional>
#include <string>
#include <utility>

#include "bindings/c/options.h"
#include "bindings/c/structs.h"
#include "swarmlib/status.h"
#include "swarmlib/strategy.h"

namespace swarm::c {
namespace {

class CallerStrategy final : public Strategy {
 public:
  CallerStrategy(std::string name, const swarm_strategy& strategy, OwnedPointer owned, LogSink log)
      : name_(std::move(name)),
        rank_(strategy.rank),
        owned_(std::move(owned)),
        log_(std::move(log)) {}

  std::string_view name() const override { return name_; }

  std::optional<std::int64_t> Rank(const NodeUsage& usage,
                                   const Resources& request) const override {
    swarm_node_usage lent{};
    lent.struct_size = sizeof lent;
    lent.reserved_nano_cpus = usage.reserved.nano_cpus;
    lent.reserved_memory = usage.reserved.memory;
    lent.total_nano_cpus = usage.total.nano_cpus;
    lent.total_memory = usage.total.memory;
    lent.health = usage.health;
    lent.containers = usage.containers;
    lent.asked_nano_cpus = request.nano_cpus;
    lent.asked_memory = request.memory;
    int fits = 0;
    std::int64_t rank = 0;
    const absl::Status called = CallBack("strategy " + name_, [&](swarm_failure* failure) {
      return rank_(owned_->user_data(), &lent, &fits, &rank, failure);
    });
    if (!called.ok() && log_) {
      log_({LogLevel::kWarning,
            "a callback failed; the node is taken as one that does not fit",
            {{"callback", "strategy " + name_}, {"reason", std::string(MessageOf(called))}}});
    }
    if (!called.ok() || fits == 0) return std::nullopt;
    return rank;
  }

 private:
  const std::string name_;
  swarm_code (*const rank_)(void*, const swarm_node_usage*, int*, std::int64_t*, swarm_failure*);
  const OwnedPointer owned_;
  const LogSink log_;
};

}  // namespace

absl::Status AddStrategy(const swarm_strategy* given, Config& config, OwnedList& owned) {
  swarm_strategy strategy = SWARM_STRATEGY_INIT;
  if (absl::Status read = Widen(given, strategy, "swarm_strategy"); !read.ok()) return read;
  if (absl::Status fit = CheckName(strategy.name); !fit.ok()) return fit;
  if (absl::Status wanted = Wanted(reinterpret_cast<const void*>(strategy.rank), "rank");
      !wanted.ok())
    return wanted;
  owned.push_back(std::make_shared<Owned>(strategy.user_data, strategy.destroy));
  return config.strategy_registry.Add(strategy.name, [name = std::string(strategy.name), strategy,
                                                      share = owned.back(), log = config.log] {
    return std::make_unique<CallerStrategy>(name, strategy, share, log);
  });
}

}  // namespace swarm::c
