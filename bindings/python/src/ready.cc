#include "ready.h"

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "lock.h"

namespace pyswarm {
namespace {

struct Ready {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::uint64_t> numbers;
  bool closed = false;
};

// Never destroyed: the manager's threads may note something at the very end. Replaced in the child
// of a fork, whose other threads are gone and may have held the mutex.
Ready*& TheReady() {
  static Ready* ready = new Ready;
  return ready;
}

py::list TakeReady() {
  Ready* const ready = TheReady();
  const std::vector<std::uint64_t> taken = Unlocked([ready] {
    std::unique_lock<std::mutex> lock(ready->mutex);
    ready->changed.wait(lock, [ready] { return ready->closed || !ready->numbers.empty(); });
    return std::exchange(ready->numbers, {});
  });
  py::list list;
  for (const std::uint64_t number : taken) list.append(number);
  return list;
}

}  // namespace

void NoteReady(std::uint64_t number) {
  Ready* const ready = TheReady();
  const std::lock_guard<std::mutex> lock(ready->mutex);
  ready->numbers.push_back(number);
  ready->changed.notify_one();
}

void CloseReady() {
  Ready* const ready = TheReady();
  const std::lock_guard<std::mutex> lock(ready->mutex);
  ready->closed = true;
  ready->changed.notify_all();
}

void BindReady(py::module_& module) {
  module.def("take_ready", &TakeReady);
  module.def("forget_ready", [] { TheReady() = new Ready; });
}

}  // namespace pyswarm
