// A caller's `user_data` and what ends it.
#pragma once

#include <memory>
#include <vector>

#include "bindings/c/guard.h"

namespace swarm::c {

// Calls `destroy` when the last share of it goes, if the library has taken it over by then.
class Owned {
 public:
  Owned(void* user_data, swarm_destroy destroy) : user_data_(user_data), destroy_(destroy) {}
  ~Owned() {
    if (!taken_ || destroy_ == nullptr) return;
    const InCallback marked;
    GuardValue(0, [this] {
      destroy_(user_data_);
      return 0;
    });
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  void* user_data() const { return user_data_; }
  void Take() { taken_ = true; }

 private:
  void* const user_data_;
  const swarm_destroy destroy_;
  bool taken_ = false;
};

using OwnedPointer = std::shared_ptr<Owned>;

// Shares of each `user_data` of some options, to be taken over when the call has succeeded.
using OwnedList = std::vector<OwnedPointer>;

}  // namespace swarm::c
