#include "api/verdicts.h"

#include <algorithm>

#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/errors.h"

namespace swarm {

Verdicts::Verdicts(const std::vector<NodeAnswer>& answers) {
  for (const NodeAnswer& said : answers) {
    if (!said.answer.ok()) {
      const absl::Status status = said.answer.status();
      failed.push_back({&said, HttpStatusOf(status), std::string(MessageOf(status))});
    } else if (said.answer->status < 300) {
      done.push_back(&said);
    } else if (said.answer->status == 404) {
      missing.push_back(&said);
    } else {
      const int status = said.answer->status < 400 ? 502 : std::min(said.answer->status, 599);
      failed.push_back({&said, status, EngineMessage(said.answer->body)});
    }
  }
}

std::string Verdicts::DoneNames() const {
  std::vector<std::string> names;
  for (const NodeAnswer* said : done) names.push_back(said->node->name);
  return Join(names, ", ");
}

absl::Status Verdicts::Failed(std::string_view deed, int mixed) const {
  const Failure& first = failed.front();
  bool same_status = true, same_text = true;
  std::vector<std::string> texts;
  for (const Failure& failure : failed) {
    same_status = same_status && failure.status == first.status;
    same_text = same_text && failure.text == first.text;
    texts.push_back(failure.said->node->name + ": " + failure.text);
  }
  const int status = same_status ? first.status : mixed;
  if (done.empty()) {
    return HttpError(status, same_status && same_text ? first.text : Join(texts, "; "));
  }
  // What was done stands: a client's "you asked wrongly" would not be the whole truth.
  return HttpError(mixed, std::string(deed) + " on " + DoneNames() +
                              ", but not everywhere: " + Join(texts, "; "));
}

absl::Status FailureOf(const NodeAnswer& said) {
  if (!said.answer.ok()) return Annotate(said.answer.status(), "node " + said.node->name);
  if (said.answer->status < 400) return absl::OkStatus();
  return HttpError(std::min(said.answer->status, 599),
                   EngineMessage(said.answer->body) + " (node " + said.node->name + ")");
}

absl::Status FirstFailure(const std::vector<NodeAnswer>& answers, std::string_view done) {
  int status = 0;
  std::string message;
  std::vector<std::string> well;
  for (const NodeAnswer& said : answers) {
    const absl::Status failure = FailureOf(said);
    if (failure.ok()) {
      well.push_back(said.node->name);
      continue;
    }
    if (said.answer.ok() && said.answer->status == 404) continue;
    if (status == 0) status = HttpStatusOf(failure);
    if (!message.empty()) message += "; ";
    message += MessageOf(failure);
  }
  if (status == 0) return absl::OkStatus();
  if (!well.empty()) message.append("; ").append(done).append(Join(well, ", "));
  return HttpError(status, message);
}

}  // namespace swarm
