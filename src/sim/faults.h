// What goes wrong between a manager and a simulated engine, on request.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swarmlib/clock.h"
#include "swarmlib/random.h"

namespace swarm {

struct Fault {
  enum class Kind {
    kRefuse,          // connection refused: the engine saw nothing
    kConnectTimeout,  // no answer to the connection request: the engine saw nothing
    kSilence,         // accepted, never answered, not carried out
    kReset,           // carried out; the connection breaks after `bytes` of the answer's body
    kTruncate,        // carried out; the answer ends in order after `bytes`
    kLyingLength,     // carried out; the head promises more than `bytes` more than comes
    kError,           // not carried out; answered with `status`
    kSlow,            // carried out after `delay`
    kLostAnswer,      // carried out; the connection breaks before the answer's head
  };
  Kind kind = Kind::kRefuse;
  std::uint64_t bytes = 0;
  Duration delay{};
  int status = 500;
};

// The faults of one engine. Same seed and same calls, same faults. Any thread.
class FaultPlan {
 public:
  explicit FaultPlan(std::uint64_t seed = 1) : random_(seed) {}

  // The `number`th call from now on, counted from 1.
  void OnCall(std::uint64_t number, Fault fault);
  // The next `times` calls whose "METHOD /path" (without version and query) matches the glob.
  void OnPath(std::string glob, Fault fault, int times = 1);
  // Each call with that probability, in thousandths.
  void Randomly(int thousandths, Fault fault);
  // Every call until Heal.
  void Always(Fault fault);
  // Nothing goes wrong any more.
  void Heal();

  // Counts one call and says what happens to it.
  std::optional<Fault> Next(std::string_view method, std::string_view path);
  // Calls counted so far.
  std::uint64_t calls() const;

 private:
  struct Rule {
    std::uint64_t number = 0;  // 0 = any
    std::string glob;
    int times = 1;
    int thousandths = 1000;
    Fault fault;
  };
  mutable std::mutex mutex_;
  std::vector<Rule> rules_;
  std::uint64_t calls_ = 0;
  Random random_;
};

}  // namespace swarm
