#include "wire/placement.h"

#include <utility>

#include "model/expression.h"
#include "swarmlib/status.h"
#include "wire/create.h"
#include "wire/json.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;
using Texts = std::vector<std::string>;

struct Family {
  std::string_view prefix, label;
  UniqueTexts PlacementTexts::*texts;
  std::vector<Expression> ContainerSpec::*expressions;  // null: words, not expressions
};

constexpr Family kFamilies[] = {
    {"constraint:", kConstraintsLabel, &PlacementTexts::constraints, &ContainerSpec::constraints},
    {"affinity:", kAffinitiesLabel, &PlacementTexts::affinities, &ContainerSpec::affinities},
    {"whitelist:", kWhitelistsLabel, &PlacementTexts::whitelists, &ContainerSpec::whitelists},
    {"reschedule:", kReschedulePoliciesLabel, &PlacementTexts::reschedules, nullptr},
};

absl::Status TakeLabel(const Family& family, const std::string& json, UniqueTexts& texts) {
  JsonDocument document;
  const bool is_array = document.Parse(json).ok() && document.root().is(Kind::kArray);
  bool are_strings = true;
  if (is_array) {
    document.root().ForEachElement([&](JsonValue element) {
      are_strings = are_strings && element.is(Kind::kString);
      texts.Add(element.text());
    });
  }
  if (is_array && are_strings) return absl::OkStatus();
  return InvalidArgument(
      "the label \"" + std::string(family.label) +
      "\" must hold a JSON array of strings, such as [\"zone==external\"], not " + json);
}

absl::Status CheckPolicies(const Texts& policies) {
  for (const std::string& policy : policies) {
    if (policy == "off" || policy == "on-node-failure") continue;
    return InvalidArgument("invalid reschedule policy \"" + policy +
                           "\": off or on-node-failure is wanted");
  }
  if (policies.size() < 2) return absl::OkStatus();
  return InvalidArgument("more than one reschedule policy is given: " + policies[0] + " and " +
                         policies[1]);
}

}  // namespace

void UniqueTexts::Add(std::string text) {
  const auto [known, is_new] = known_.insert(std::move(text));
  if (is_new && kept_.size() < kMostPlacements) kept_.push_back(*known);
}

bool PlacementTexts::TakeEnv(std::string_view line) {
  for (const Family& family : kFamilies) {
    if (!line.starts_with(family.prefix)) continue;
    (this->*family.texts).Add(std::string(line.substr(family.prefix.size())));
    return true;
  }
  return false;
}

void PlacementTexts::AddConstraint(std::string text) { constraints.Add(std::move(text)); }

absl::Status PlacementTexts::TakeLabels(const Labels& labels) {
  for (const Family& family : kFamilies) {
    const auto found = labels.find(family.label);
    if (found == labels.end() || found->second.empty()) continue;
    if (absl::Status taken = TakeLabel(family, found->second, this->*family.texts); !taken.ok())
      return taken;
  }
  return absl::OkStatus();
}

absl::Status PlacementTexts::Apply(ContainerSpec& spec) const {
  if (absl::Status checked = CheckPolicies(reschedules.kept()); !checked.ok()) return checked;
  for (const Family& family : kFamilies) {
    const std::size_t count = (this->*family.texts).count();
    const Texts& texts = (this->*family.texts).kept();
    if (texts.empty()) continue;
    if (count > kMostPlacements) {
      return InvalidArgument("more than " + std::to_string(kMostPlacements) + " expressions \"" +
                             std::string(family.prefix) +
                             "...\" are given: " + std::to_string(count));
    }
    std::string json;
    AppendJsonStrings(json, texts);
    spec.labels[std::string(family.label)] = json;
    if (family.expressions == nullptr) continue;
    (spec.*family.expressions).clear();
    for (const std::string& text : texts) {
      absl::StatusOr<Expression> expression = ParseExpression(text);
      if (!expression.ok())
        return Annotate(expression.status(), family.prefix.substr(0, family.prefix.size() - 1));
      (spec.*family.expressions).push_back(*std::move(expression));
    }
  }
  return absl::OkStatus();
}

}  // namespace swarm
