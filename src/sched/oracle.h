// The scheduler without any index: it looks at every node each time.
#pragma once

#include "sched/judge.h"
#include "swarmlib/random.h"
#include "swarmlib/scheduler.h"

namespace swarm {

// What the indexed scheduler must agree with, node by node and draw by draw.
class Oracle final : public Scheduler {
 public:
  // All outlive this.
  Oracle(const Inventory& inventory, const FilterList& filters, const Strategy& strategy,
         const SchedulerOptions& options, Random& random)
      : judging_{inventory, filters, strategy, options}, random_(random) {}

  absl::StatusOr<Placement> Choose(const ContainerSpec& spec) override;
  absl::StatusOr<Explanation> Explain(const ContainerSpec& spec) const override;

 private:
  Judging judging_;
  Random& random_;
};

}  // namespace swarm
