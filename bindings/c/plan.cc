#include <string>
#include <utility>

#include "bindings/c/json.h"
#include "bindings/c/manager.h"
#include "bindings/c/utf8.h"
#include "swarmlib/model.h"

struct swarm_explanation {
  swarm::Explanation explanation;
  std::string json;
};
SWARM_HANDLE(swarm_explanation);

using namespace swarm::c;

namespace {

// Of all candidates or none, so that it is known also of one that is still to be drawn.
bool SoftDropped(const swarm::Explanation& explanation) {
  return !explanation.candidates.empty() && explanation.candidates.front().soft_dropped;
}

void Mend(swarm::Explanation& explanation) {
  explanation.summary = ToUtf8(std::move(explanation.summary));
  const auto mend = [](swarm::Placement& place) {
    place.node = ToUtf8(std::move(place.node));
    place.node_name = ToUtf8(std::move(place.node_name));
  };
  if (explanation.chosen) mend(*explanation.chosen);
  for (swarm::Placement& candidate : explanation.candidates) mend(candidate);
  for (swarm::NodeReason& refused : explanation.refused) {
    refused.node = ToUtf8(std::move(refused.node));
    refused.reason = ToUtf8(std::move(refused.reason));
  }
}

std::string JsonOf(const swarm::Explanation& explanation) {
  const auto& chosen = explanation.chosen;
  std::string json = "{\"Node\":" + (chosen ? Quote(chosen->node_name) : "null");
  json += ",\"Address\":" + (chosen ? Quote(chosen->node) : "null");
  json += ",\"SoftDropped\":";
  json += SoftDropped(explanation) ? "true" : "false";
  json += ",\"Summary\":" + Quote(explanation.summary) + ",\"Candidates\":[";
  const char* comma = "";
  for (const swarm::Placement& candidate : explanation.candidates) {
    json += comma;
    json += "{\"Node\":" + Quote(candidate.node_name) + ",\"Address\":" + Quote(candidate.node) +
            ",\"Weight\":" + std::to_string(candidate.weight) + "}";
    comma = ",";
  }
  json += "],\"Refused\":[";
  comma = "";
  for (const swarm::NodeReason& refused : explanation.refused) {
    json += comma;
    json += "{\"Node\":" + Quote(refused.node) + ",\"Reason\":" + Quote(refused.reason) + "}";
    comma = ",";
  }
  return json + "]}";
}

}  // namespace

swarm_code swarm_manager_plan(swarm_manager* manager, const char* body, size_t body_length,
                              const char* name, const char* platform,
                              swarm_explanation** explanation, swarm_error** error) {
  if (explanation != nullptr) *explanation = nullptr;
  return GuardWait("swarm_manager_plan", error, [&]() -> absl::Status {
    if (absl::Status usable = Usable(manager); !usable.ok()) return usable;
    if (absl::Status wanted = Wanted(explanation, "explanation"); !wanted.ok()) return wanted;
    if (absl::Status wanted = Wanted(body, "body"); !wanted.ok()) return wanted;
    absl::StatusOr<swarm::Explanation> plan = manager->manager->PlanCreate(
        std::string(body, body_length), std::string(OrEmpty(name)), std::string(OrEmpty(platform)));
    if (!plan.ok()) return plan.status();
    Mend(*plan);
    std::string json = JsonOf(*plan);
    *explanation = New(swarm_explanation{*std::move(plan), std::move(json)});
    return absl::OkStatus();
  });
}

int swarm_explanation_fits(const swarm_explanation* explanation) {
  if (!IsLive(explanation, "swarm_explanation_fits")) return 0;
  return explanation->explanation.candidates.empty() ? 0 : 1;
}
const char* swarm_explanation_node(const swarm_explanation* explanation) {
  if (!IsLive(explanation, "swarm_explanation_node") || !explanation->explanation.chosen)
    return nullptr;
  return explanation->explanation.chosen->node_name.c_str();
}
const char* swarm_explanation_address(const swarm_explanation* explanation) {
  if (!IsLive(explanation, "swarm_explanation_address") || !explanation->explanation.chosen)
    return nullptr;
  return explanation->explanation.chosen->node.c_str();
}
int swarm_explanation_soft_dropped(const swarm_explanation* explanation) {
  if (!IsLive(explanation, "swarm_explanation_soft_dropped")) return 0;
  return SoftDropped(explanation->explanation) ? 1 : 0;
}
const char* swarm_explanation_summary(const swarm_explanation* explanation) {
  return IsLive(explanation, "swarm_explanation_summary") ? explanation->explanation.summary.c_str()
                                                          : "";
}
size_t swarm_explanation_candidate_count(const swarm_explanation* explanation) {
  return IsLive(explanation, "swarm_explanation_candidate_count")
             ? explanation->explanation.candidates.size()
             : 0;
}
const char* swarm_explanation_candidate(const swarm_explanation* explanation, size_t index,
                                        int64_t* weight) {
  if (weight != nullptr) *weight = 0;
  if (!IsLive(explanation, "swarm_explanation_candidate")) return nullptr;
  const auto& candidates = explanation->explanation.candidates;
  if (index >= candidates.size()) return nullptr;
  if (weight != nullptr) *weight = candidates[index].weight;
  return candidates[index].node_name.c_str();
}
size_t swarm_explanation_refused_count(const swarm_explanation* explanation) {
  return IsLive(explanation, "swarm_explanation_refused_count")
             ? explanation->explanation.refused.size()
             : 0;
}
const char* swarm_explanation_refused(const swarm_explanation* explanation, size_t index,
                                      const char** reason) {
  if (reason != nullptr) *reason = nullptr;
  if (!IsLive(explanation, "swarm_explanation_refused")) return nullptr;
  const auto& refused = explanation->explanation.refused;
  if (index >= refused.size()) return nullptr;
  if (reason != nullptr) *reason = refused[index].reason.c_str();
  return refused[index].node.c_str();
}
const char* swarm_explanation_json(const swarm_explanation* explanation) {
  return IsLive(explanation, "swarm_explanation_json") ? explanation->json.c_str() : "";
}
void swarm_explanation_free(swarm_explanation* explanation) {
  Free(explanation, "swarm_explanation_free");
}
