#include "api/plan_place.h"

#include <utility>

#include "async/await.h"

namespace swarm {

Task<absl::StatusOr<Explanation>> PlanPlace(ContextPointer context, ContainerSpec spec) {
  if (!context->options().plan) co_return context->cluster().Plan(spec);
  auto start = [context, spec = std::move(spec)](ResultCallback<Explanation> done) mutable {
    context->options().plan(std::move(spec), std::move(done));
  };
  absl::StatusOr<Explanation> plan =
      co_await AwaitCallback<absl::StatusOr<Explanation>>(std::move(start));
  co_return plan;
}

}  // namespace swarm
