#include "manager/name_resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "async/thread.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

std::string TextOf(const addrinfo& entry) {
  std::array<char, NI_MAXHOST> text{};
  const int failed = getnameinfo(entry.ai_addr, entry.ai_addrlen, text.data(), text.size(), nullptr,
                                 0, NI_NUMERICHOST);
  return failed != 0 ? std::string() : std::string(text.data());
}

}  // namespace

absl::StatusOr<std::vector<std::string>> LookUpName(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* entries = nullptr;
  const int failed = getaddrinfo(host.c_str(), nullptr, &hints, &entries);
  if (failed != 0) {
    return NotFound("the name " + host + " has no address: " + gai_strerror(failed));
  }
  std::vector<std::string> found;
  for (const addrinfo* entry = entries; entry != nullptr; entry = entry->ai_next) {
    std::string text = TextOf(*entry);
    if (!text.empty()) found.push_back(std::move(text));
  }
  freeaddrinfo(entries);
  if (found.empty()) return NotFound("the name " + host + " has no address");
  return found;
}

const std::string& PlainestAddress(const std::vector<std::string>& addresses) {
  const auto plain = std::find_if(addresses.begin(), addresses.end(), [](const auto& address) {
    return address.find(':') == std::string::npos;
  });
  return plain == addresses.end() ? addresses.front() : *plain;
}

struct NameResolver::State {
  struct Wanted {
    std::string host;
    ResultCallback<std::vector<std::string>> done;
  };

  // Looks one name up after the other until none waits.
  static void Work(std::shared_ptr<State> state) {
    std::unique_lock lock(state->mutex);
    while (!state->waiting.empty()) {
      Wanted next = std::move(state->waiting.front());
      state->waiting.pop_front();
      lock.unlock();
      absl::StatusOr<std::vector<std::string>> found = state->look_up(next.host);
      lock.lock();
      // Called while locked, so that Close knows when the last callback has returned.
      if (!state->closed) next.done(std::move(found));
    }
    --state->threads;
  }

  static bool StartWork(const std::shared_ptr<State>& state) {
    try {
      StartThread([state] { Work(state); }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    return true;
  }

  std::mutex mutex;
  LookUp look_up;
  std::deque<Wanted> waiting;
  int threads = 0;
  bool closed = false;
};

NameResolver::NameResolver(LookUp look_up) : state_(std::make_shared<State>()) {
  state_->look_up = std::move(look_up);
}

void NameResolver::Resolve(std::string host, ResultCallback<std::vector<std::string>> done) {
  std::unique_lock lock(state_->mutex);
  if (state_->closed) return;
  if (state_->waiting.size() >= kMostWaitingLookUps) {
    lock.unlock();
    done(ResourceExhausted("more than " + std::to_string(kMostWaitingLookUps) +
                           " names wait to be looked up"));
    return;
  }
  state_->waiting.push_back({std::move(host), std::move(done)});
  if (state_->threads >= kMostLookUps) return;
  ++state_->threads;
  if (State::StartWork(state_)) return;
  if (--state_->threads > 0) return;
  State::Wanted refused = std::move(state_->waiting.back());
  state_->waiting.pop_back();
  lock.unlock();
  refused.done(ResourceExhausted("no thread for the look-up of " + refused.host));
}

void NameResolver::Close() {
  std::deque<State::Wanted> dropped;
  const std::lock_guard lock(state_->mutex);
  state_->closed = true;
  state_->waiting.swap(dropped);
}

int NameResolver::threads() const {
  const std::lock_guard lock(state_->mutex);
  return state_->threads;
}

}  // namespace swarm
