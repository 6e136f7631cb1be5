#include "api/offer.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/check.h"
#include "swarmlib/version.h"

namespace swarm {
namespace {

ApiVersion Own(std::string_view text) {
  const std::optional<ApiVersion> version = ParseApiVersion(text);
  SWARM_CHECK(version.has_value(), "the library's own API versions are two numbers");
  return *version;
}

}  // namespace

ApiVersion OwnNewestApi() {
  static const ApiVersion version = Own(NewestApiVersion());
  return version;
}

ApiVersion OwnOldestApi() {
  static const ApiVersion version = Own(OldestApiVersion());
  return version;
}

Offer VersionOffer::Now() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const TimePoint now = clock_.Now();
  const std::uint64_t generation = cluster_.generation();
  const bool changed = !computed_ || generation != generation_;
  if (changed && (!computed_ || nodes_ <= kManyNodes || now - computed_at_ >= kPause)) {
    generation_ = generation;
    Compute(now);
  }
  if (rising_ && now - higher_since_ >= kHold) {
    offer_.newest = reach_;
    rising_ = common_ > reach_;
    reach_ = common_;
    higher_since_ = now;
  }
  return offer_;
}

void VersionOffer::Compute(TimePoint now) {
  ApiVersion common = OwnNewestApi();
  std::map<std::string, int> systems;
  const std::vector<NodePointer> nodes = cluster_.Nodes();
  for (const NodePointer& node : nodes) {
    if (node->state != NodeState::kHealthy) continue;
    const std::optional<ApiVersion> newest = ParseApiVersion(node->api_version);
    if (newest && *newest < common) common = *newest;
    if (!node->os.empty()) ++systems[node->os];
  }
  offer_.os = "linux";
  int most = systems.contains(offer_.os) ? systems[offer_.os] : 0;
  for (const auto& [os, count] : systems) {
    if (count > most) {
      most = count;
      offer_.os = os;
    }
  }
  if (!computed_ || common <= offer_.newest) {
    offer_.newest = common;
    rising_ = false;
  } else if (!rising_) {
    rising_ = true;
    reach_ = common;
    higher_since_ = now;
  } else {
    reach_ = std::min(reach_, common);
  }
  common_ = common;
  computed_ = true;
  computed_at_ = now;
  nodes_ = nodes.size();
}

}  // namespace swarm
