#include "cluster/guarded_client.h"

#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "async/loop.h"
#include "cluster/engine.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

// Asked to stop as soon as one of two is.
class EitherStop {
 public:
  EitherStop(std::stop_token caller, std::stop_token health)
      : caller_(std::move(caller)),
        health_(std::move(health)),
        on_caller_(caller_, Ask{source_}),
        on_health_(health_, Ask{source_}) {}

  std::stop_token token() const { return source_.get_token(); }
  bool only_health() const { return health_.stop_requested() && !caller_.stop_requested(); }

 private:
  struct Ask {
    std::stop_source source;
    void operator()() const {
      std::stop_source kept = source;  // what stops may destroy this
      kept.request_stop();
    }
  };

  const std::stop_token caller_;
  const std::stop_token health_;
  std::stop_source source_;
  std::stop_callback<Ask> on_caller_;
  std::stop_callback<Ask> on_health_;
};

}  // namespace

void GuardedClient::Call(Request request, CallOptions options, ResultCallback<Reply> done) {
  if (Refused(done)) return;
  ResultCallback<Reply> guarded = Guard(options, std::move(done));
  engine_.client().Call(std::move(request), std::move(options), std::move(guarded));
}

void GuardedClient::Open(Request request, CallOptions options, ResultCallback<Reply> done) {
  if (Refused(done)) return;
  ResultCallback<Reply> guarded = Guard(options, std::move(done));
  engine_.client().Open(std::move(request), std::move(options), std::move(guarded));
}

void GuardedClient::Upgrade(Request request, CallOptions options, ResultCallback<Reply> done) {
  if (Refused(done)) return;
  ResultCallback<Reply> guarded = Guard(options, std::move(done));
  engine_.client().Upgrade(std::move(request), std::move(options), std::move(guarded));
}

ResultCallback<Reply> GuardedClient::Guard(CallOptions& options, ResultCallback<Reply> done) {
  const TimePoint began = engine_.home()->clock().Now();
  auto stop = std::make_unique<EitherStop>(std::move(options.stop), engine_.health_token());
  options.stop = stop->token();
  return [engine = engine_.shared_from_this(), began, stop = std::move(stop),
          done = std::move(done)](absl::StatusOr<Reply> reply) mutable {
    const bool fell_ill = absl::IsCancelled(reply.status()) && stop->only_health();
    stop.reset();
    engine->NoteOutcome(reply.status(), began);
    // Not Unavailable: the request was sent, and may have been carried out.
    if (fell_ill) {
      reply = Cancelled(std::string(MessageOf(engine->Refusal())) +
                        "; the request was sent before and was not answered");
    }
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
