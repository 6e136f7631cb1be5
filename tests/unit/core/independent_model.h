// Where a container belongs, by rules written a second time: from the documents, without an index
// and without a line of sched. What only sched believes shows here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sched/plain_inventory.h"
#include "swarmlib/model.h"
#include "swarmlib/random.h"

namespace swarm {

class IndependentModel {
 public:
  // A mistake made on purpose, to show that a comparison with the model sees it.
  enum class Flaw {
    kNone,
    kNoOvercommit,
    kRoundedProcessors,  // parts of processors are added too
    kNoFailures,         // failures of a healthy node cost nothing
    kNoCount,            // equal weights are not settled by the number of containers
    kTieByAddress,       // equal ranks are not settled by the name
    kNoPorts,
    kNoRanges,      // of ports
    kOneAddress,    // ports clash whatever their addresses
    kStoppedPorts,  // containers that have stopped hold their ports
    kNoSlots,
    kNoDependencies,
    kNoWhitelist,
    kNoPlatform,
    kHardSoft,     // soft expressions are never dropped
    kCaseMatters,  // in "key=value"
    kNoNodeId,     // node== means the name alone
    kNoImages,
    kNoUpdates,  // what updates in flight add is not counted
    kCount
  };

  struct Settings {
    std::string strategy = "spread";  // or binpack, random
    double overcommit = 0.05;
    Flaw flaw = Flaw::kNone;
  };

  explicit IndependentModel(Settings settings) : settings_(std::move(settings)) {}

  // Empty when no node fits. Of `nodes` only what is described and held is looked at. The strategy
  // random draws once from `random` when a node fits.
  std::optional<Placement> Choose(std::vector<const PlainNode*> nodes, const ContainerSpec& spec,
                                  Random& random) const;

 private:
  using Nodes = std::vector<const PlainNode*>;
  struct Wish;
  struct Wishes;

  bool Has(Flaw flaw) const { return settings_.flaw == flaw; }
  bool Fits(const Nodes& nodes, const PlainNode& node, const Wishes& wishes, bool soft) const;
  bool ConstraintHolds(const Wish& wish, const Node& node) const;
  bool AffinityHolds(const Wish& wish, const PlainNode& node) const;
  bool PortsAreFree(const PlainNode& node, const ContainerSpec& spec) const;
  bool SlotIsFree(const PlainNode& node) const;
  std::vector<PortBinding> PortsOf(const Container& container) const;
  bool Clash(const PortBinding& one, const PortBinding& other) const;
  std::size_t Unserved(std::vector<PortBinding> ranges, std::vector<PortBinding> taken) const;
  // The lower, the better; empty when it is too much for the node.
  std::optional<std::int64_t> RankOf(const PlainNode& node, const ContainerSpec& spec) const;
  Resources TotalOf(const Node& node) const;

  const Settings settings_;
};

}  // namespace swarm
