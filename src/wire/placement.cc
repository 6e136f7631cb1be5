#include "wire/placement.h"

#include <algorithm>
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

// "constraint", for messages.
std::string_view WordOf(const Family& family) {
  return family.prefix.substr(0, family.prefix.size() - 1);
}

absl::StatusOr<std::vector<Expression>> ReadAll(const Family& family, const Texts& texts) {
  std::vector<Expression> expressions;
  for (const std::string& text : texts) {
    absl::StatusOr<Expression> expression = ReadExpression(text);
    if (!expression.ok()) return Annotate(expression.status(), WordOf(family));
    expressions.push_back(*std::move(expression));
  }
  return expressions;
}

std::size_t CountPatterns(const std::vector<Expression>& expressions) {
  return static_cast<std::size_t>(
      std::count_if(expressions.begin(), expressions.end(),
                    [](const Expression& expression) { return !IsExact(expression); }));
}

// Before any of them is compiled.
absl::Status CheckPatterns(const ContainerSpec& spec) {
  const std::size_t patterns = CountPatterns(spec.constraints) + CountPatterns(spec.affinities);
  constexpr std::string_view kWhat =
      "constraints and affinities by pattern (\"=\", * or a regular expression)";
  if (absl::Status few = CheckBound(kWhat, patterns, kMaxCreatePatterns); !few.ok()) return few;
  std::size_t names = 0;
  for (const Expression& whitelist : spec.whitelists) {
    const std::string& value = whitelist.value;
    names += static_cast<std::size_t>(std::count(value.begin(), value.end(), '|')) + 1;
  }
  return CheckBound("names in whitelists", names, kMaxCreateWhitelistNames);
}

}  // namespace

void UniqueTexts::Add(std::string_view text) {
  constexpr std::size_t kMaxKnown = 8 * kMaxCreateExpressions;
  if (known_.contains(text)) return;
  if (known_.size() >= kMaxKnown) {
    ++unlooked_;
    return;
  }
  known_.emplace(text);
  if (kept_.size() < kMaxCreateExpressions) kept_.emplace_back(text);
}

bool PlacementTexts::TakeEnv(std::string_view line) {
  for (const Family& family : kFamilies) {
    if (!line.starts_with(family.prefix)) continue;
    (this->*family.texts).Add(line.substr(family.prefix.size()));
    return true;
  }
  return false;
}

void PlacementTexts::AddConstraint(std::string_view text) { constraints.Add(text); }

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
  std::size_t count = 0;
  for (const Family& family : kFamilies) {
    if (family.expressions != nullptr) count += (this->*family.texts).count();
  }
  constexpr std::string_view kWhat =
      "placement expressions (constraint:, affinity: and whitelist: together)";
  if (absl::Status few = CheckBound(kWhat, count, kMaxCreateExpressions); !few.ok()) return few;
  for (const Family& family : kFamilies) {
    const Texts& texts = (this->*family.texts).kept();
    if (texts.empty()) continue;
    std::string json;
    AppendJsonStrings(json, texts);
    spec.labels[std::string(family.label)] = json;
    if (family.expressions == nullptr) continue;
    absl::StatusOr<std::vector<Expression>> read = ReadAll(family, texts);
    if (!read.ok()) return read.status();
    spec.*family.expressions = *std::move(read);
  }
  if (absl::Status few = CheckPatterns(spec); !few.ok()) return few;
  for (const Family& family : kFamilies) {
    if (family.expressions == nullptr) continue;
    for (const Expression& expression : spec.*family.expressions) {
      const absl::Status compiles = CheckCompiles(expression);
      if (!compiles.ok()) return Annotate(compiles, WordOf(family));
    }
  }
  return absl::OkStatus();
}

}  // namespace swarm
