#include "sched/pattern_work.h"

#include "model/expression.h"

namespace swarm {
namespace {

constexpr std::size_t kImagesANode = 4;  // by texts about those of so many containers

bool IsRegex(const Expression& expression) { return expression.match == Expression::Match::kRegex; }

}  // namespace

PatternWork PatternWorkOf(const ContainerSpec& spec) {
  PatternWork work;
  for (const Expression& constraint : spec.constraints) {
    if (IsRegex(constraint)) work.steps_a_node += PatternMatcher(constraint).size();
  }
  for (const Expression& affinity : spec.affinities) {
    if (IsExact(affinity)) continue;
    const std::size_t steps = PatternMatcher(affinity).size();
    if (affinity.key == "image") {
      work.steps_a_node += kImagesANode * steps;
    } else {
      work.steps_a_container += steps;
    }
  }
  return work;
}

bool HasCostlyPattern(const Term& term) {
  if (const auto* const label = std::get_if<term::Label>(&term)) return IsRegex(label->expression);
  if (const auto* const image = std::get_if<term::HoldsImage>(&term))
    return !IsExact(image->expression);
  const auto* const holder = std::get_if<term::HoldsContainer>(&term);
  return holder != nullptr && !IsExact(holder->expression);
}

}  // namespace swarm
