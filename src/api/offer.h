// The API version and operating system that the manager offers to clients as its own.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "swarmlib/clock.h"
#include "swarmlib/cluster.h"
#include "wire/api_version.h"

namespace swarm {

struct Offer {
  ApiVersion newest;
  std::string os;  // of most healthy nodes; "linux" without any
};

ApiVersion OwnNewestApi();  // of NewestApiVersion()
ApiVersion OwnOldestApi();

// The newest version that every healthy engine speaks, at most our own; our own without any. It
// falls at once, and rises only when it could have been higher for kHold without a break, since
// clients keep what they negotiated. Thread-safe.
class VersionOffer {
 public:
  static constexpr Duration kHold = std::chrono::seconds(60);
  // With more nodes than this it is computed again at most once every kPause.
  static constexpr std::size_t kManyNodes = 256;
  static constexpr Duration kPause = std::chrono::seconds(1);

  VersionOffer(const Cluster& cluster, const Clock& clock) : cluster_(cluster), clock_(clock) {}

  Offer Now();

 private:
  void Compute(TimePoint now);

  const Cluster& cluster_;
  const Clock& clock_;
  std::mutex mutex_;
  bool computed_ = false;
  std::uint64_t generation_ = 0;
  TimePoint computed_at_{};
  std::size_t nodes_ = 0;
  ApiVersion common_;         // what the healthy engines have in common now
  bool rising_ = false;       // common_ is above what is offered
  TimePoint higher_since_{};  // when it began to be
  ApiVersion reach_;          // the least of common_ since then
  Offer offer_;
};

}  // namespace swarm
