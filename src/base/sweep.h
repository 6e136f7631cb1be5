// When to take those that are gone out of a container that only grows.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace swarm {

// Looks at all of them only once there are twice as many as the last look left, so that adding one
// costs a few looks on average. Callers see to it that one thread at a time uses it.
class Sweep {
 public:
  // Before one is added: takes out those of which `is_gone` is true, when there may be many.
  template <typename Container, typename IsGone>
  void MakeRoom(Container& all, IsGone is_gone) {
    if (all.size() < sweep_at_) return;
    std::erase_if(all, std::move(is_gone));
    sweep_at_ = 2 * all.size() + kMinSwept;
  }

 private:
  static constexpr std::size_t kMinSwept = 64;

  std::size_t sweep_at_ = kMinSwept;
};

}  // namespace swarm
