// What predicates of the embedding program say of nodes: noted while the state is locked, asked
// when it is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sched/inventory.h"
#include "swarmlib/filter.h"

namespace swarm {

inline constexpr std::size_t kMaxQuestions = 64;  // noted in one round
// Rounds in which a node had changed since it was asked about. Then predicates are asked at once,
// with the state locked, so that a placement ends.
inline constexpr int kMaxLostRounds = 8;

// Of one decision about one container. A round is a search that notes what it would have to know,
// and then Ask; when a search has noted nothing it has decided. Not thread-safe.
class Questions {
 public:
  // kBest: of what is noted in the order of preference, only as much is asked as is needed to go
  // on.
  enum class Want { kBest, kAll };
  explicit Questions(Want want) : want_(want), most_(want == Want::kBest ? 1 : kMaxQuestions) {}

  // While the state is locked. A new search begins.
  void Begin();
  // Whether it holds for the node: as it is now (`exact`) or as it was when it was asked. A guess
  // when it is not known; then it is open.
  bool Holds(const term::Opaque& predicate, const NodeView& view, const Inventory& inventory,
             bool exact);
  // The search has decided nothing: Ask, then search again.
  bool open() const { return !noted_.empty(); }

  // While the state is not locked: calls predicates.
  void Ask();

 private:
  using Key = std::pair<const term::Opaque*, std::string>;  // with the node's address
  struct Answer {
    std::uint64_t revision = 0;  // of the node
    bool holds = false;
  };
  struct Question {
    Key key;
    std::uint64_t revision = 0;
    std::shared_ptr<const NodeView> view;
    bool exact = false;
  };

  const Want want_;
  std::size_t most_;  // questions of this round
  int lost_ = 0;
  bool changed_ = false;  // a node, in this round
  std::map<Key, Answer> answers_;
  std::vector<Question> noted_;
};

}  // namespace swarm
