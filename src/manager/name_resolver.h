// Host names to IPs, on threads of their own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/callback.h"

namespace swarm {

// Look-ups that run at once: each may wait for a name server that does not answer, and none waits
// for another.
inline constexpr int kMostLookUps = 16;
// Look-ups that wait for one of those to end.
inline constexpr std::size_t kMostWaitingLookUps = 4'096;

// The addresses of a name in digits, the one that the system would try first in front; at least
// one. Blocks.
absl::StatusOr<std::vector<std::string>> LookUpName(const std::string& host);

// The first IPv4 address among them, else the first. `addresses` is not empty.
const std::string& PlainestAddress(const std::vector<std::string>& addresses);

// Thread-safe. The system's resolver cannot be interrupted, so nothing ever waits for its threads:
// those still in a look-up after Close end by themselves and touch nothing of the caller.
class NameResolver {
 public:
  using LookUp = std::function<absl::StatusOr<std::vector<std::string>>(const std::string& host)>;

  explicit NameResolver(LookUp look_up = LookUpName);
  ~NameResolver() { Close(); }
  NameResolver(const NameResolver&) = delete;
  NameResolver& operator=(const NameResolver&) = delete;

  // Calls back once on a thread of its own, or at once with an error; not at all after Close.
  // `done` neither waits nor uses the resolver. ResourceExhausted when kMostWaitingLookUps wait.
  void Resolve(std::string host, ResultCallback<std::vector<std::string>> done);
  // When it returns no callback runs and none will. Does not wait for look-ups. Idempotent.
  void Close();
  // Threads that live now.
  int threads() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace swarm
