// Placement wishes of a create body: where they stand, and how they are kept.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/model.h"

namespace swarm {

inline constexpr std::size_t kMostPlacements = 1000;  // of each kind

// Texts in order, each once. Adding costs the logarithm of what is there.
class UniqueTexts {
 public:
  void Add(std::string text);
  // All that were added, of which kMostPlacements are kept.
  std::size_t count() const { return known_.size(); }
  const std::vector<std::string>& kept() const { return kept_; }

 private:
  std::set<std::string, std::less<>> known_;
  std::vector<std::string> kept_;
};

// The expressions as texts.
struct PlacementTexts {
  UniqueTexts constraints, affinities, whitelists, reschedules;

  // Takes one line of Env; false when it is no placement.
  bool TakeEnv(std::string_view line);
  void AddConstraint(std::string text);
  // Takes the JSON arrays out of the labels com.docker.swarm.*. InvalidArgument names the label
  // that holds none.
  absl::Status TakeLabels(const Labels& labels);

  // InvalidArgument when there are more than kMostPlacements. Parses all of them into `spec`, and
  // sets its labels com.docker.swarm.*.
  absl::Status Apply(ContainerSpec& spec) const;
};

}  // namespace swarm
