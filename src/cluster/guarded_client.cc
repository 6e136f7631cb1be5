#include "cluster/guarded_client.h"

#include <utility>

#include "async/loop.h"
#include "cluster/engine.h"

namespace swarm {

void GuardedClient::Call(Request request, CallOptions options, ResultCallback<Reply> done) {
  if (Refused(done)) return;
  engine_.client().Call(std::move(request), std::move(options), Counted(std::move(done)));
}

void GuardedClient::Open(Request request, CallOptions options, ResultCallback<Reply> done) {
  if (Refused(done)) return;
  engine_.client().Open(std::move(request), std::move(options), Counted(std::move(done)));
}

void GuardedClient::Upgrade(Request request, CallOptions options, ResultCallback<Reply> done) {
  if (Refused(done)) return;
  engine_.client().Upgrade(std::move(request), std::move(options), Counted(std::move(done)));
}

ResultCallback<Reply> GuardedClient::Counted(ResultCallback<Reply> done) {
  const TimePoint began = engine_.home()->clock().Now();
  return [engine = engine_.shared_from_this(), began,
          done = std::move(done)](absl::StatusOr<Reply> reply) mutable {
    engine->NoteOutcome(reply.status(), began);
    done(std::move(reply));
  };
}

bool GuardedClient::Refused(ResultCallback<Reply>& done) {
  if (engine_.healthy()) return false;
  Loop* const loop = Loop::Current() != nullptr ? Loop::Current() : engine_.home();
  loop->Post([done = std::move(done), refusal = engine_.Refusal()]() mutable {
    done(std::move(refusal));
  });
  return true;
}

}  // namespace swarm
