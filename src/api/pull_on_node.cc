#include "api/pull_on_node.h"

#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "api/image_holders.h"
#include "api/node_progress.h"
#include "api/upstream.h"
#include "async/await.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/secret.h"
#include "swarmlib/status.h"
#include "wire/images.h"

namespace swarm {
namespace {

struct PullOrder {
  ContextPointer context;
  std::string image;
  std::string platform;
  Secret registry_auth;
  ApiVersion client;
  std::stop_token client_gone;
};

Request PullRequest(const PullOrder& order, const Node& node) {
  Query query = {{"fromImage", WithDefaultTag(order.image)}};
  if (!order.platform.empty()) query.emplace_back("platform", order.platform);
  Request request;
  request.method = "POST";
  request.target = EngineTarget(SpokenTo(node, order.client), "/images/create", query);
  if (!order.registry_auth.empty())
    request.headers.emplace_back("X-Registry-Auth", order.registry_auth.Reveal());
  return request;
}

Task<absl::Status> Pulled(std::shared_ptr<PullOrder> order, std::string address) {
  auto run = std::make_shared<NodeRun>();
  run->node = order->context->cluster().FindNode(address);
  if (!run->node) co_return Unavailable("node " + address + " has left the cluster");
  run->moved = order->context->clock().Now();
  run->patience = kCreatePullPatience;
  Loop* const loop = Loop::Current();
  WatchRun(*loop, order->context, run);
  const std::weak_ptr<NodeRun> watched = run;
  const Loop::TimerId limit = loop->After(kLongestCreatePull, [watched] {
    const auto now = watched.lock();
    if (now) CutRun(*now, DeadlineExceeded("it took longer than 30 minutes"));
  });
  // The client's end may be noticed on any thread.
  const std::stop_callback on_gone(order->client_gone, [loop, watched] {
    loop->Post([watched] {
      const auto now = watched.lock();
      if (now) CutRun(*now, Cancelled("the client went away"));
    });
  });
  Request request = PullRequest(*order, *run->node);
  absl::Status status =
      co_await FollowProgress(order->context, run, std::move(request), order->client, nullptr);
  loop->Cancel(limit);
  if (!run->cut.ok()) co_return run->cut;
  // The create that follows is the proof; what is known of the node's images only follows it.
  if (status.ok()) (void)co_await RereadImages(order->context, address);
  co_return status;
}

Task<void> RunPull(std::shared_ptr<PullOrder> order, std::string address,
                   Callback<absl::Status> done) {
  absl::Status status = Internal("the image could not be pulled");
  try {
    status = co_await Pulled(std::move(order), std::move(address));
  } catch (const std::exception& fault) {
    status = Annotate(status, fault.what());
  }
  done(std::move(status));
}

}  // namespace

void OfferPull(const ContextPointer& context, ApiExchange& exchange, CreateRequest& request) {
  auto order = std::make_shared<PullOrder>();
  order->context = context;
  order->image = request.spec.image;
  order->platform = request.spec.platform;
  order->client = exchange.version;
  order->client_gone = exchange.request.stop;
  request.pull_unknown = context->options().pull_on_create;
  if (const std::string* auth = FindHeader(exchange.request.headers, "X-Registry-Auth")) {
    order->registry_auth = Secret(*auth);
    request.pull_unknown = true;
    RemoveHeader(exchange.request.headers, "X-Registry-Auth");
  }
  request.pull = [order](std::string address, Callback<absl::Status> done) {
    Loop* const loop = Loop::Current();
    SWARM_CHECK(loop != nullptr, "creates run on a Loop");
    loop->Spawn(RunPull(order, std::move(address), std::move(done)));
  };
}

}  // namespace swarm
