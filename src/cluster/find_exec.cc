#include "cluster/find_exec.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "cluster/engine_calls.h"
#include "cluster/tasks.h"
#include "model/names.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::size_t kMostExecBytes = 1U << 20U;

struct Probe {
  std::string exec_id;
  std::vector<std::shared_ptr<Engine>> engines;
  std::size_t next = 0;
  std::string found;   // address
  std::string silent;  // labels of the engines that could not be asked
  std::stop_source stop;
};

// Workers run on one loop.
Task<void> ProbeSome(std::shared_ptr<Probe> probe) {
  while (probe->found.empty() && probe->next < probe->engines.size()) {
    const std::shared_ptr<Engine> engine = probe->engines[probe->next++];
    std::string target = engine->version_prefix() + "/exec/" + probe->exec_id + "/json";
    const TimePoint began = engine->home()->clock().Now();
    const absl::StatusOr<std::string> body =
        co_await Get(engine, std::move(target), kMostExecBytes, probe->stop.get_token());
    if (body.ok()) {
      probe->found = engine->address();
      probe->stop.request_stop();
    } else if (!absl::IsNotFound(body.status()) && !absl::IsCancelled(body.status())) {
      engine->NoteOutcome(body.status(), began);
      probe->silent.append(probe->silent.empty() ? "" : ", ").append(engine->Label());
    }
  }
}

}  // namespace

Task<absl::StatusOr<std::string>> FindExecNode(std::shared_ptr<Hub> hub, std::string exec_id) {
  const std::string text = "No such exec instance: " + exec_id;
  if (!IsFullId(exec_id)) co_return NotFound(text);
  if (const std::optional<std::string> known = hub->execs.Find(exec_id)) co_return *known;
  auto probe = std::make_shared<Probe>();
  probe->exec_id = exec_id;
  probe->engines = hub->membership.All();
  std::erase_if(probe->engines, [](const auto& engine) { return !engine->healthy(); });
  std::vector<Task<void>> workers;
  const std::size_t count = std::min(probe->engines.size(), kMostProbes);
  for (std::size_t i = 0; i < count; ++i) workers.push_back(ProbeSome(probe));
  co_await RunAll(std::move(workers));
  if (!probe->found.empty()) {
    co_return hub->execs.Remember(exec_id, probe->found);
  }
  if (probe->silent.empty()) co_return NotFound(text);
  co_return NotFound(text + " (not asked: " + probe->silent + ")");
}

}  // namespace swarm
