#include "sim/faults.h"

#include <utility>

#include "base/text.h"

namespace swarm {
namespace {

constexpr int kWithoutEnd = -1;

}  // namespace

void FaultPlan::OnCall(std::uint64_t number, Fault fault) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({calls_ + number, "*", 1, 1000, fault});
}

void FaultPlan::OnPath(std::string glob, Fault fault, int times) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({0, std::move(glob), times, 1000, fault});
}

void FaultPlan::Randomly(int thousandths, Fault fault) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({0, "*", kWithoutEnd, thousandths, fault});
}

void FaultPlan::Always(Fault fault) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({0, "*", kWithoutEnd, 1000, fault});
}

void FaultPlan::Heal() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
}

std::optional<Fault> FaultPlan::Next(std::string_view method, std::string_view path) {
  const std::lock_guard lock(mutex_);
  ++calls_;
  std::string call(method);
  call.append(" ").append(path);
  for (auto rule = rules_.begin(); rule != rules_.end(); ++rule) {
    if (rule->number != 0 && rule->number != calls_) continue;
    if (!GlobMatch(rule->glob, call)) continue;
    if (rule->thousandths < 1000 &&
        random_.Below(1000) >= static_cast<std::uint64_t>(rule->thousandths))
      continue;
    const Fault fault = rule->fault;
    if (rule->times > 0 && --rule->times == 0) rules_.erase(rule);
    return fault;
  }
  return std::nullopt;
}

std::uint64_t FaultPlan::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

}  // namespace swarm
