#include "sim/sim_backend.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "async/await.h"
#include "async/loop.h"
#include "base/check.h"
#include "sim/memory_stream.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

enum class Form { kCall, kOpen, kUpgrade };

// One exchange: whichever of answer, time-out and stop comes first ends it.
class SimulatedExchange : public std::enable_shared_from_this<SimulatedExchange> {
 public:
  SimulatedExchange(std::shared_ptr<SimulatedEngine> engine, Form form, Request request,
                    CallOptions options, ResultCallback<Reply> done)
      : engine_(std::move(engine)),
        loop_(*Loop::Current()),
        form_(form),
        request_(std::move(request)),
        options_(std::move(options)),
        done_(std::move(done)) {}

  void Begin(Duration latency) {
    timeout_ = loop_.After(options_.timeout, [self = shared_from_this()] {
      self->timeout_ = 0;
      self->Finish(DeadlineExceeded(self->engine_->name() + " did not answer in time"));
    });
    // The stop may come from any thread, and while this runs.
    on_stop_.emplace(options_.stop, StopPoster{this});
    if (options_.stop.stop_requested()) return;
    latency_ = latency;
    if (request_.body_stream) {
      loop_.Spawn(ReadBody(shared_from_this()));
    } else {
      Send();
    }
  }

 private:
  struct StopPoster {
    SimulatedExchange* exchange;
    void operator()() const {
      // It may be going at this moment, on its loop.
      const auto held = exchange->weak_from_this().lock();
      if (!held) return;
      held->loop_.Post([self = held] {
        self->Finish(Cancelled("the call to " + self->engine_->name() + " was given up"));
      });
    }
  };

  static Task<void> ReadBody(std::shared_ptr<SimulatedExchange> self) {
    Stream& stream = *self->request_.body_stream;
    absl::StatusOr<std::string> body = co_await ReadAll(stream, kMostSimRequestBytes);
    if (!body.ok()) {
      self->Finish(body.status());
      co_return;
    }
    self->request_.body.append(*body);
    self->request_.body_stream.reset();
    self->Send();
  }

  void Send() {
    fault_ = NextSimFault(*engine_, request_);
    using Kind = Fault::Kind;
    Duration delay = latency_;
    if (fault_ && fault_->kind == Kind::kSlow) delay += fault_->delay;
    // The time-out ends these.
    if (fault_ && fault_->kind == Kind::kSilence) return;
    if (fault_ && fault_->kind == Kind::kConnectTimeout) {
      unreached_ = true;
      loop_.Cancel(std::exchange(timeout_, 0));
      delay = std::max(options_.timeout, Duration::zero());
    }
    loop_.After(delay, [self = shared_from_this()] { self->Answer(); });
  }

  absl::Status Broken() const {
    return Internal("connection reset by peer (" + engine_->name() + ")");
  }

  void Answer() {
    if (!done_) {
      // Given up meanwhile, but under way: the engine carries it out all the same.
      if (!unreached_) engine_->Handle(request_);
      return;
    }
    using Kind = Fault::Kind;
    const std::optional<Kind> kind = fault_ ? std::optional(fault_->kind) : std::nullopt;
    if (kind == Kind::kRefuse)
      return Finish(Unavailable("cannot connect to " + engine_->name() + ": connection refused"));
    if (kind == Kind::kConnectTimeout) {
      return Finish(Unavailable("cannot connect to " + engine_->name() + ": connection timed out"));
    }
    if (kind == Kind::kError) {
      return Deliver(SimulatedFailure(fault_->status));
    }
    request_.wants_upgrade = request_.wants_upgrade && form_ == Form::kUpgrade;
    Reply reply = engine_->Handle(request_);
    if (kind == Kind::kLostAnswer) return Finish(Broken());
    if (kind == Kind::kReset || kind == Kind::kLyingLength) Cut(reply, Broken());
    if (kind == Kind::kTruncate) Cut(reply, absl::OkStatus());
    Deliver(std::move(reply));
  }

  // Lets only the first bytes of the body or tunnel through.
  void Cut(Reply& reply, const absl::Status& how) {
    if (!reply.body_stream && !reply.tunnel) {
      auto queue = std::make_shared<ByteQueue>();
      queue->Append(std::exchange(reply.body, {}));
      queue->Close();
      reply.body_stream = std::make_unique<MemoryStream>(loop_, std::move(queue));
    }
    auto& stream = static_cast<MemoryStream&>(reply.tunnel ? *reply.tunnel : *reply.body_stream);
    stream.incoming().CutAfter(fault_->bytes, how);
  }

  void Deliver(Reply reply) {
    if (form_ == Form::kCall && reply.body_stream) {
      loop_.Spawn(ReadAnswer(shared_from_this(), std::move(reply)));
      return;
    }
    if (form_ != Form::kCall && !reply.body_stream && !reply.tunnel) {
      reply.body_length = reply.body.size();
      reply.body_stream = StreamOf(loop_, std::exchange(reply.body, {}));
    }
    if (reply.tunnel && latency_ > Duration::zero()) DelayTunnel(loop_, *reply.tunnel);
    Finish(std::move(reply));
  }

  static Task<void> ReadAnswer(std::shared_ptr<SimulatedExchange> self, Reply reply) {
    Stream& stream = *reply.body_stream;
    const std::size_t most = self->options_.max_body;
    absl::StatusOr<std::string> body = co_await ReadAll(stream, most);
    if (!body.ok()) {
      self->Finish(body.status());
      co_return;
    }
    reply.body_stream.reset();
    reply.body.append(*body);
    self->Finish(std::move(reply));
  }

  void Finish(absl::StatusOr<Reply> result) {
    if (!done_) return;
    if (timeout_ != 0) loop_.Cancel(std::exchange(timeout_, 0));
    on_stop_.reset();
    ResultCallback<Reply> done = std::exchange(done_, nullptr);
    done(std::move(result));
  }

  std::shared_ptr<SimulatedEngine> engine_;
  Loop& loop_;
  Form form_;
  Request request_;
  CallOptions options_;
  ResultCallback<Reply> done_;
  Duration latency_{};
  std::optional<Fault> fault_;
  bool unreached_ = false;
  Loop::TimerId timeout_ = 0;
  std::optional<std::stop_callback<StopPoster>> on_stop_;
};

class SimBackend final : public BackendClient {
 public:
  SimBackend(std::shared_ptr<SimulatedEngine> engine, Duration latency)
      : engine_(std::move(engine)), latency_(latency) {}

  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override {
    Begin(Form::kCall, std::move(request), std::move(options), std::move(done));
  }
  void Open(Request request, CallOptions options, ResultCallback<Reply> done) override {
    Begin(Form::kOpen, std::move(request), std::move(options), std::move(done));
  }
  void Upgrade(Request request, CallOptions options, ResultCallback<Reply> done) override {
    Begin(Form::kUpgrade, std::move(request), std::move(options), std::move(done));
  }

 private:
  void Begin(Form form, Request request, CallOptions options, ResultCallback<Reply> done) {
    SWARM_CHECK(Loop::Current() != nullptr, "a simulated engine is called on a Loop");
    std::make_shared<SimulatedExchange>(engine_, form, std::move(request), std::move(options),
                                        std::move(done))
        ->Begin(latency_);
  }

  std::shared_ptr<SimulatedEngine> engine_;
  Duration latency_;
};

}  // namespace

std::optional<Fault> NextSimFault(SimulatedEngine& engine, const Request& request) {
  std::string_view path = request.target;
  path = path.substr(0, path.find('?'));
  if (path.starts_with("/v") && path.size() > 2 && path[2] >= '0' && path[2] <= '9') {
    path.remove_prefix(std::min(path.find('/', 1), path.size()));
  }
  return engine.faults().Next(request.method, path);
}

Reply SimulatedFailure(int status) {
  Reply reply;
  reply.status = status;
  SetHeader(reply.headers, "Content-Type", "application/json");
  reply.body = "{\"message\":\"simulated failure\"}\n";
  return reply;
}

std::unique_ptr<BackendClient> MakeSimBackend(std::shared_ptr<SimulatedEngine> engine,
                                              Duration latency) {
  return std::make_unique<SimBackend>(std::move(engine), latency);
}

}  // namespace swarm
