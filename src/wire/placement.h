// Placement wishes of a create body: where they stand, and how they are kept.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/text.h"
#include "swarmlib/model.h"
#include "wire/create_bounds.h"

namespace swarm {

// Texts in order, each once.
class UniqueTexts {
 public:
  void Add(std::string_view text);
  // All that were added, of which kMaxCreateExpressions are kept. Where there are far more, nobody
  // looks which of them are the same.
  std::size_t count() const { return known_.size() + unlooked_; }
  const std::vector<std::string>& kept() const { return kept_; }

 private:
  StringSet known_;
  std::vector<std::string> kept_;
  std::size_t unlooked_ = 0;
};

// The expressions as texts.
struct PlacementTexts {
  UniqueTexts constraints, affinities, whitelists, reschedules;

  // Takes one line of Env; false when it is no placement.
  bool TakeEnv(std::string_view line);
  void AddConstraint(std::string_view text);
  // Takes the JSON arrays out of the labels com.docker.swarm.*. InvalidArgument names the label
  // that holds none.
  absl::Status TakeLabels(const Labels& labels);

  // Parses all of them into `spec`, and sets its labels com.docker.swarm.*. InvalidArgument names
  // the expression that cannot be read, or the bound of wire/create_bounds.h that is passed.
  absl::Status Apply(ContainerSpec& spec) const;
};

}  // namespace swarm
