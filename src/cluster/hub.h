// What the parts of the engines driver share.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cluster/engine.h"
#include "cluster/engine_cluster.h"
#include "cluster/event_bus.h"
#include "cluster/exec_table.h"
#include "cluster/put_off.h"
#include "cluster/shared_state.h"
#include "cluster/tasks.h"

namespace swarm {

// Engines of one loop that are asked at once who they are, or are read whole; further ones wait for
// their turn. An engine that does not answer keeps the first for 2 engine_timeouts at most, and the
// second only if it falls silent while it is read.
inline constexpr int kMostDescribed = 512;
inline constexpr int kMostRead = 64;
// Readings of single containers that run at once in the whole cluster while engines are read; each
// loop has its share, at least one.
inline constexpr int kMostInspects = 1'024;
// The same for one engine.
inline constexpr int kMostInspectsPerEngine = 16;
// Inspects of one loop that run at once of containers whose inspect has failed before.
inline constexpr int kMaxRetries = 64;

// The engines by address. Thread-safe.
class Membership {
 public:
  std::shared_ptr<Engine> Find(std::string_view address) const;
  std::vector<std::shared_ptr<Engine>> All() const;  // by address
  // Replaces the set; what left and what came, by address. `make` is called for each new address.
  void Replace(const std::vector<std::string>& addresses,
               const std::function<std::shared_ptr<Engine>(const std::string&)>& make,
               std::vector<std::shared_ptr<Engine>>& left,
               std::vector<std::shared_ptr<Engine>>& came);
  void Clear();

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Engine>, std::less<>> engines_;
};

// The addresses of cordoned nodes, also of those that are out of discovery. Thread-safe.
class Cordons {
 public:
  void Set(const std::string& address, bool cordoned);
  bool Has(const std::string& address) const;

 private:
  mutable std::mutex mutex_;
  StringSet addresses_;
};

// Knows when every engine of the first set was tried. Thread-safe.
class Readiness {
 public:
  // The first call alone counts.
  void Expect(const std::vector<std::string>& addresses);
  void Tried(const std::string& address);
  bool ready() const { return over_.load(std::memory_order_acquire); }
  void When(Callback<> done);  // runs where the last engine was tried, or at once

 private:
  // With the lock held.
  std::vector<Callback<>> TakeIfOver();

  std::atomic<bool> over_{false};
  std::mutex mutex_;
  bool expected_ = false;
  StringSet waiting_;
  std::vector<Callback<>> callbacks_;
};

// The permits of one loop. On that loop.
struct LoopGates {
  explicit LoopGates(int most_inspects) : inspects(most_inspects) {}
  Gate described{kMostDescribed};
  Gate read{kMostRead};
  Gate inspects;
  Gate retries{kMaxRetries};
};

struct Hub {
  explicit Hub(EngineClusterOptions given);

  // Interval of the pings that find a frozen engine.
  Duration PingInterval() const;
  Loop* HomeOf(std::string_view address) const;
  // The caller's loop, or the first one.
  Loop* CallersLoop() const;
  // `loop` is one of the options'.
  LoopGates& GatesOf(Loop* loop) const { return *gates.at(loop); }
  // Logs what engines have of other nodes' containers, since it was logged last.
  void LogClashes();
  WallTime WallNow() const { return options.loops.front()->clock().Wall(); }

  EngineClusterOptions options;  // filters and strategy have moved into the state
  SharedState state;
  EventBus bus;
  PutOffReadings put_off;
  ExecTable execs;
  Cordons cordons;
  Membership membership;
  Readiness readiness;
  std::map<Loop*, std::unique_ptr<LoopGates>> gates;  // does not change
  std::atomic<int> listeners{0};
  std::atomic<int> watching{0};  // Watch coroutines that have not ended
  std::atomic<int> working{0};   // creates, operations and other calls that have not ended
  std::atomic<bool> stopped{false};
};

// Counts a piece of work from its start until nothing of it runs any more.
class CountedWork {
 public:
  explicit CountedWork(std::shared_ptr<Hub> hub) : hub_(std::move(hub)) { ++hub_->working; }
  CountedWork(CountedWork&&) = default;
  CountedWork& operator=(CountedWork&&) = delete;
  ~CountedWork() {
    if (hub_) --hub_->working;
  }

 private:
  std::shared_ptr<Hub> hub_;
};

// The same bytes give the same number on every platform.
std::uint64_t HashOf(std::string_view text);

}  // namespace swarm
