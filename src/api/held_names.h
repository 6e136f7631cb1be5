// Names of NameLocks for as long as somebody holds them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/context.h"
#include "api/name_locks.h"

namespace swarm {

// Names that were given to LockNames and taken. They are given back when this ends, whatever way
// that is: by a return, an exception, or the end of the coroutine that waits.
class HeldNames {
 public:
  HeldNames() = default;
  HeldNames(std::shared_ptr<NameLocks> locks, std::vector<std::string> names)
      : locks_(std::move(locks)), names_(std::move(names)) {}
  // Of the context's own locks.
  HeldNames(const ContextPointer& context, std::vector<std::string> names)
      : HeldNames(std::shared_ptr<NameLocks>(context, &context->locks()), std::move(names)) {}
  HeldNames(HeldNames&&) = default;
  HeldNames& operator=(HeldNames&& other) noexcept {
    GiveBack();
    locks_ = std::move(other.locks_);
    names_ = std::move(other.names_);
    return *this;
  }
  ~HeldNames() { GiveBack(); }

  // Before the end.
  void GiveBack() {
    if (const std::shared_ptr<NameLocks> locks = std::exchange(locks_, nullptr))
      UnlockNames(*locks, std::exchange(names_, {}));
  }

 private:
  std::shared_ptr<NameLocks> locks_;
  std::vector<std::string> names_;
};

}  // namespace swarm
