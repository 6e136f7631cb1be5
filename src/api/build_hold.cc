#include "api/build_hold.h"

#include <utility>

#include "async/await.h"
#include "base/check.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

using HoldPointer = std::shared_ptr<BuildReservation>;

ContainerSpec SameOn(const Node& node, const ContainerSpec& spec) {
  ContainerSpec there;
  there.request = spec.request;
  Expression only;
  only.key = "node";
  only.value = node.id.empty() ? node.name : node.id;
  only.text = "node==" + only.value;
  there.constraints.push_back(std::move(only));
  return there;
}

// A create holds its place while the node is made ready for it. This one is never ready: it ends
// when the hold does, and its engine is not asked for anything.
Task<absl::StatusOr<HoldPointer>> Hold(ContextPointer context, ContainerSpec spec) {
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  auto start = [context, loop, spec = std::move(spec)](ResultCallback<HoldPointer> done) mutable {
    auto waiting = std::make_shared<ResultCallback<HoldPointer>>(std::move(done));
    CreateRequest request;
    request.spec = std::move(spec);
    request.body = "{}";
    request.prepare = [loop, waiting](const std::string& address, Callback<absl::Status> end) {
      (void)address;
      auto hold = std::make_shared<BuildReservation>(*loop, std::move(end));
      if (*waiting) std::exchange(*waiting, nullptr)(std::move(hold));
    };
    context->cluster().CreateContainer(
        std::move(request), [waiting](const absl::StatusOr<CreateResult>& result) {
          if (!*waiting) return;
          SWARM_CHECK(!result.ok(), "a create that is not ready makes nothing");
          std::exchange(*waiting, nullptr)(result.status());
        });
  };
  return AwaitCallback<absl::StatusOr<HoldPointer>>(std::move(start));
}

}  // namespace

BuildReservation::~BuildReservation() {
  // When the loop itself ends so does the create that waits here.
  if (Loop::Current() == &loop_) end_(Cancelled("the build has ended"));
}

Task<absl::StatusOr<BuildPlace>> HoldBuild(ContextPointer context, ContainerSpec spec,
                                           BuildWishes wishes) {
  constexpr int kMostTries = 8;
  for (int tries = 1;; ++tries) {
    const absl::StatusOr<NodePointer> chosen = co_await PlaceBuild(context, spec, wishes);
    if (!chosen.ok()) co_return chosen.status();
    BuildPlace place;
    place.node = *chosen;
    if (spec.request == Resources()) co_return place;
    ContainerSpec there = SameOn(*place.node, spec);
    absl::StatusOr<HoldPointer> held = co_await Hold(context, std::move(there));
    if (held.ok()) {
      place.hold = *std::move(held);
      co_return place;
    }
    if (!absl::IsFailedPrecondition(held.status()) || tries == kMostTries) co_return held.status();
  }
}

}  // namespace swarm
