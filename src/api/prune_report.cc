#include "api/prune_report.h"

#include <utility>

#include "api/verdicts.h"
#include "swarmlib/status.h"
#include "wire/json.h"

namespace swarm {

void PruneReport::Add(NodePointer node, Result answer) {
  NodeAnswer& said = answers_.emplace_back();
  std::set<std::string>& names = removed_.emplace_back();
  said.node = std::move(node);
  said.answer = std::move(answer);
  said.answered = true;
  if (!said.answer.ok() || said.answer->status >= 400) return;
  JsonDocument document;
  if (const absl::Status parsed = document.Parse(said.answer->body); !parsed.ok()) {
    said.answer = HttpError(502, "what the engine has pruned cannot be read");
    return;
  }
  document.root().Find(key_).ForEachElement([&](JsonValue name) { names.insert(name.text()); });
  if (const auto space = document.root().Find("SpaceReclaimed")) {
    has_sum_ = true;
    reclaimed_ += space.integer().value_or(0);
  }
}

absl::Status PruneReport::Failure() const { return FirstFailure(answers_, "pruned on node "); }

std::string PruneReport::Text() const {
  std::set<std::string> all;
  for (const std::set<std::string>& names : removed_) all.insert(names.begin(), names.end());
  return TextOf(all);
}

std::string PruneReport::TextOf(const std::set<std::string>& names) const {
  std::string text = "{";
  AppendJsonKey(text, key_);
  AppendJsonStrings(text, std::vector<std::string>(names.begin(), names.end()));
  if (has_sum_) AppendJsonField(text, "SpaceReclaimed", reclaimed_);
  return text + "}\n";
}

}  // namespace swarm
