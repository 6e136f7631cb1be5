#include "async/thread.h"

#include <signal.h>

#include <utility>

namespace swarm {
namespace {

// A thread inherits the mask of its maker.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

std::thread StartThread(Callback<> work) {
  const SignalsBlocked blocked;
  return std::thread(std::move(work));
}

}  // namespace swarm
