// Places a container: place [DISCOVERY]. Without an argument on three simulated engines.
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "swarmlib/manager.h"
#include "swarmlib/simulation.h"
#include "swarmlib/status.h"

namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "place: %s\n", std::string(swarm::MessageOf(status)).c_str());
  return 1;
}

absl::Status Post(swarm::Manager& manager, std::string target, std::string body) {
  swarm::Request request;
  request.method = "POST";
  request.target = std::move(target);
  if (!body.empty()) request.headers = {{"Content-Type", "application/json"}};
  request.body = std::move(body);
  const absl::StatusOr<swarm::Reply> reply = manager.Call(std::move(request), {});
  if (!reply.ok()) return reply.status();
  if (reply->status >= 400) return swarm::HttpError(reply->status, reply->body);
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  swarm::Config config;
  config.discovery = argc > 1 ? argv[1] : "sim://3";
  swarm::AddSimulation(config);
  auto manager = swarm::Manager::Open(std::move(config));
  if (!manager.ok()) return Fail(manager.status());
  const absl::Status ready = (*manager)->WaitReady(std::chrono::seconds(30));
  if (!ready.ok()) return Fail(ready);
  for (const swarm::NodePointer& node : (*manager)->cluster().Nodes())
    std::printf("%s is %s\n", node->name.c_str(),
                std::string(swarm::NodeStateName(node->state)).c_str());

  const std::string body =
      R"({"Image": "nginx", "Env": ["constraint:zone==external"], "HostConfig": {"Memory": 67108864}})";
  const auto plan = (*manager)->PlanCreate(body, "web", "");
  if (!plan.ok()) return Fail(plan.status());
  if (plan->chosen) std::printf("web goes to %s\n", plan->chosen->node_name.c_str());
  const absl::Status made = Post(**manager, "/containers/create?name=web", body);
  if (!made.ok()) return Fail(made);
  const absl::Status started = Post(**manager, "/containers/web/start", "");
  if (!started.ok()) return Fail(started);
  std::printf("web was started\n");

  const auto nowhere =
      (*manager)->PlanCreate(R"({"Image": "nginx", "Env": ["constraint:zone==moon"]})", "", "");
  if (!nowhere.ok()) return Fail(nowhere.status());
  std::printf("%s\n", nowhere->summary.c_str());
  for (const swarm::NodeReason& refused : nowhere->refused)
    std::printf("not %s: %s\n", refused.node.c_str(), refused.reason.c_str());
  return 0;
}
