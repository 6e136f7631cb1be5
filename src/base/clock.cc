#include "swarmlib/clock.h"

#include <random>

#include "base/check.h"
#include "swarmlib/random.h"

namespace swarm {
namespace {

class MachineClock final : public Clock {
 public:
  TimePoint Now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  }
  WallTime Wall() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

}  // namespace

Clock& SystemClock() {
  static MachineClock clock;
  return clock;
}

ManualClock::ManualClock(WallTime wall) : wall_(wall) {}

void ManualClock::Advance(Duration by) {
  SWARM_CHECK(by >= Duration::zero(), "time never goes back");
  now_ += by;
  wall_ += by;
}

std::uint64_t EntropySeed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32U) | device();
}

}  // namespace swarm
