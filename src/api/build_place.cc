#include "api/build_place.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "api/plan_place.h"
#include "base/text.h"
#include "model/expression.h"
#include "swarmlib/status.h"
#include "wire/host_config.h"
#include "wire/images.h"
#include "wire/json.h"
#include "wire/placement.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

absl::Status BadArguments(std::string_view text) {
  return InvalidArgument("error reading build args: a JSON object of strings is wanted, not " +
                         ShortQuoted(text));
}

// Takes the placement out of the value of `buildargs`. The client has split "constraint:zone==x" at
// its first "=", and "constraint:zone!=x" behind its "!".
absl::Status TakeArguments(std::string& json, PlacementTexts& texts, BuildRequest& build) {
  if (json.empty()) return absl::OkStatus();
  JsonDocument document;
  if (!document.Parse(json).ok()) return BadArguments(json);
  if (document.root().absent()) return absl::OkStatus();
  if (!document.root().is(Kind::kObject)) return BadArguments(json);
  std::string kept;
  for (const auto& [key, value] : document.root().members()) {
    if (!value.absent() && !value.is(Kind::kString)) return BadArguments(json);
    const std::string name = key.text();
    if (!value.absent() && texts.TakeEnv(name + "=" + value.text())) continue;
    if (!value.absent()) build.arguments.emplace_back(name, value.text());
    kept.append(kept.empty() ? "" : ",").append(key.raw()).append(":").append(value.raw());
  }
  json = "{" + kept + "}";
  return absl::OkStatus();
}

// The amounts stand in the query under the names of a HostConfig.
absl::StatusOr<Resources> ReadAmounts(const Query& query, const CreateRules& rules) {
  static constexpr std::pair<std::string_view, std::string_view> kAmounts[] = {
      {"memory", "Memory"},
      {"cpushares", "CpuShares"},
      {"cpuquota", "CpuQuota"},
      {"cpuperiod", "CpuPeriod"}};
  std::string json = "{";
  for (const auto& [parameter, field] : kAmounts) {
    const std::string* text = FindQuery(query, parameter);
    const std::optional<std::uint64_t> amount =
        text == nullptr ? std::nullopt : ParseUnsigned(*text);
    // "-1" and the like ask for nothing.
    if (amount && *amount <= static_cast<std::uint64_t>(INT64_MAX))
      AppendJsonField(json, field, static_cast<std::int64_t>(*amount));
  }
  json += "}";
  JsonDocument document;
  if (absl::Status parsed = document.Parse(json); !parsed.ok()) return parsed;
  return ReadResources(document.root(), rules);
}

// How many of the images each node holds, by address.
std::map<std::string, int> CountHeld(const Context& context,
                                     const std::vector<std::string>& images) {
  std::map<std::string, int> held;
  if (images.empty()) return held;
  const auto entries = context.cluster().Images();
  for (const std::string& image : images) {
    std::map<std::string, int> holders;
    for (const auto& entry : entries) {
      if (ImageMatches(entry->image, image)) holders[entry->node] = 1;
    }
    for (const auto& holder : holders) held[holder.first] += holder.second;
  }
  return held;
}

absl::Status NoPlaceForBuild(const Explanation& plan) {
  constexpr std::size_t kMostNamed = 20;
  std::string message = "no node can take the build";
  if (!plan.summary.empty()) message += ": " + plan.summary;
  for (std::size_t at = 0; at < std::min(plan.refused.size(), kMostNamed); ++at) {
    message += "\n" + plan.refused[at].node + ": " + plan.refused[at].reason;
  }
  return FailedPrecondition(message);
}

}  // namespace

absl::StatusOr<BuildRequest> ReadBuild(const Query& query, const CreateRules& rules) {
  BuildRequest build;
  build.query = query;
  PlacementTexts texts;
  for (auto& field : build.query) {
    if (field.first == "t" && !field.second.empty()) build.names.push_back(field.second);
    if (field.first != "buildargs") continue;
    if (absl::Status taken = TakeArguments(field.second, texts, build); !taken.ok()) return taken;
  }
  if (absl::Status applied = texts.Apply(build.spec); !applied.ok()) return applied;
  absl::StatusOr<Resources> amounts = ReadAmounts(query, rules);
  if (!amounts.ok()) return amounts.status();
  build.spec.request = *amounts;
  const std::string* platform = FindQuery(query, "platform");
  // For several of them no node is better than another.
  if (platform != nullptr && platform->find(',') == std::string::npos)
    build.spec.platform = *platform;
  return build;
}

Task<absl::StatusOr<NodePointer>> PlaceBuild(ContextPointer context, ContainerSpec spec,
                                             BuildWishes wishes) {
  if (!wishes.node.empty()) {
    absl::StatusOr<Expression> only = ParseExpression("node==" + wishes.node);
    if (!only.ok()) co_return only.status();
    spec.constraints.push_back(*std::move(only));
  }
  absl::StatusOr<Explanation> plan = co_await PlanPlace(context, spec);
  if (plan.ok() && plan->candidates.empty() && !spec.platform.empty()) {
    // Engines build for platforms that are not their own.
    spec.platform.clear();
    plan = co_await PlanPlace(context, std::move(spec));
  }
  if (!plan.ok()) co_return plan.status();
  if (plan->candidates.empty()) co_return NoPlaceForBuild(*plan);
  const std::map<std::string, int> sources = CountHeld(*context, wishes.images);
  const std::map<std::string, int> results = CountHeld(*context, wishes.names);
  const auto count = [](const std::map<std::string, int>& held, const std::string& node) {
    const auto found = held.find(node);
    return found == held.end() ? 0 : found->second;
  };
  const auto rank = [&](const Placement& place) {
    return std::make_tuple(-count(sources, place.node), -count(results, place.node), place.weight,
                           context->build_sessions()->OpenOn(place.node));
  };
  const auto best = std::min_element(
      plan->candidates.begin(), plan->candidates.end(),
      [&](const Placement& left, const Placement& right) { return rank(left) < rank(right); });
  const NodePointer node = context->cluster().FindNode(best->node);
  if (node) co_return node;
  co_return Unavailable("node " + best->node_name + " has just left the cluster: try again");
}

void SetSharesOfCores(const CreateRules& rules, const Node& node, Query& query) {
  const std::int64_t cores = CoresOf(node);
  if (!rules.cpu_shares_as_cores || cores <= 0) return;
  for (auto& field : query) {
    if (field.first != "cpushares") continue;
    const std::optional<std::uint64_t> wanted = ParseUnsigned(field.second);
    constexpr std::uint64_t kMostCores = 1U << 20U;
    if (wanted && *wanted > 0 && *wanted <= kMostCores)
      field.second = std::to_string(SharesOfCores(static_cast<std::int64_t>(*wanted), cores));
  }
}

}  // namespace swarm
