#include "api/api.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "api/context.h"
#include "api/forward.h"
#include "api/readings.h"
#include "api/reply.h"
#include "api/router.h"
#include "async/await.h"
#include "async/loop.h"
#include "base/log.h"
#include "base/retry_later.h"
#include "swarmlib/status.h"
#include "swarmlib/version.h"
#include "wire/errors.h"

namespace swarm {
namespace {

// Counts a stream as open while it lives.
class CountedStream final : public Stream {
 public:
  CountedStream(std::unique_ptr<Stream> stream, ContextPointer context, Gauge& open)
      : stream_(std::move(stream)), context_(std::move(context)), open_(open) {
    open_.Add(1);
  }
  ~CountedStream() override {
    stream_.reset();
    open_.Add(-1);
  }

  void Read(std::span<char> into, ResultCallback<std::size_t> done) override {
    stream_->Read(into, std::move(done));
  }
  void Write(std::string_view bytes, Callback<absl::Status> done) override {
    stream_->Write(bytes, std::move(done));
  }
  void CloseWrite() override { stream_->CloseWrite(); }
  void Abort() override { stream_->Abort(); }
  std::optional<int> NativeSocket() const override { return stream_->NativeSocket(); }
  void NotifyLoss(Callback<> lost) override { stream_->NotifyLoss(std::move(lost)); }

 private:
  std::unique_ptr<Stream> stream_;
  ContextPointer context_;  // holds the metrics
  Gauge& open_;
};

void CountStreams(const ContextPointer& context, Reply& reply) {
  if (!reply.body_stream && !reply.tunnel) return;
  Gauge& open =
      context->metrics().gauge("swarmd_open_streams", "Reply bodies and tunnels under way.");
  for (std::unique_ptr<Stream>* stream : {&reply.body_stream, &reply.tunnel}) {
    if (*stream) *stream = std::make_unique<CountedStream>(std::move(*stream), context, open);
  }
}

Counter& RequestsOf(Metrics& metrics, const std::string& route, int status) {
  return metrics.counter("swarmd_requests_total", "Requests answered, by route and status.",
                         {{"route", route}, {"status", std::to_string(status)}});
}

Histogram& SecondsOf(Metrics& metrics, const std::string& route) {
  return metrics.histogram("swarmd_request_seconds",
                           "Time from the request to the head of its reply.", {{"route", route}});
}

void CountRefusal(Metrics& metrics, int status) {
  if (status < 400) return;
  metrics.counter("swarmd_refusals_total", "Replies of status 400 and above.").Add();
}

void CountRequest(Metrics& metrics, const std::string& route, int status, Duration took) {
  RequestsOf(metrics, route, status).Add();
  SecondsOf(metrics, route).Observe(took.count());
  CountRefusal(metrics, status);
}

std::string LabelOf(const Route& route) {
  return std::string(route.method) + " " + std::string(route.pattern);
}

// What the request turned out to be, for the metrics and for the shape of errors.
struct Course {
  ApiVersion client;
  std::shared_ptr<MemoryShare> memory;  // of the request's body
  std::string route = "unknown";
};

// A manager that has just started knows only some of the containers: it would call the others
// unknown, and give their names away.
Task<void> AwaitFirstReading(ContextPointer context) {
  const Duration left = context->first_reading_end() - context->clock().Now();
  if (context->cluster().Ready() || left <= Duration::zero()) co_return;
  const auto when = [](Cluster& cluster, Callback<> done) { cluster.WhenReady(std::move(done)); };
  co_await AwaitAtMost(std::move(context), left, when);
}

Task<Result> Dispatch(ContextPointer context, Request request, std::shared_ptr<Course> course) {
  course->client = context->offer().Now().newest;
  const std::string text = request.target;
  const absl::StatusOr<Target> target = ReadTarget(text);
  if (!target.ok()) co_return target.status();
  if (target->version) course->client = *target->version;
  // Our own, with errors in one shape.
  if (target->path.starts_with("/swarmd/")) course->client = OwnNewestApi();
  if (request.method == "OPTIONS") {
    course->route = "OPTIONS";
    co_return EmptyReply(200);
  }
  absl::StatusOr<RouteMatch> match = FindRoute(request.method, target->path);
  if (!match.ok()) co_return match.status();
  const Route& route = *match->route;
  course->route = LabelOf(route);
  if (route.handler == nullptr) co_return RefusalOf(route);
  if (!route.at_once) co_await AwaitFirstReading(context);
  if (route.whole) co_await AwaitReadings(context);
  ApiExchange exchange;
  exchange.name = std::move(match->name);
  exchange.second = std::move(match->second);
  exchange.query = ParseQuery(target->query);
  exchange.version = course->client;
  course->memory = std::make_shared<MemoryShare>(context->budget());
  exchange.memory = course->memory;
  exchange.request = std::move(request);
  Result answer = co_await route.handler(std::move(context), std::move(exchange));
  co_return answer;
}

// Exceptions of the standard library and of Boost end here.
Task<Result> Guarded(ContextPointer context, Request request, std::shared_ptr<Course> course) {
  std::string what;
  try {
    Result answer = co_await Dispatch(context, std::move(request), course);
    co_return answer;
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {
    what = "unknown exception";
  }
  LogFields fields;
  fields.emplace_back("route", course->route);
  fields.emplace_back("what", what);
  Log(context->options().log, LogLevel::kError, "a request ended by an exception",
      std::move(fields));
  co_return Internal("the manager could not carry out " + course->route +
                     ": an unexpected fault, see its log");
}

ApiOptions Completed(ApiOptions options) {
  if (options.version.empty()) options.version = Version();
  return options;
}

}  // namespace

Context::Context(Cluster& cluster, ApiOptions options)
    : cluster_(cluster),
      options_(Completed(std::move(options))),
      clock_(options_.clock == nullptr ? SystemClock() : *options_.clock),
      first_reading_end_(clock_.Now() + kFirstReading),
      own_metrics_(options_.metrics == nullptr ? std::make_unique<Metrics>() : nullptr),
      metrics_(options_.metrics == nullptr ? own_metrics_.get() : options_.metrics),
      offer_(cluster, clock_),
      budget_(options_.budget ? options_.budget : std::make_shared<MemoryBudget>(kClientMemory)),
      rows_(budget_),
      build_sessions_(std::make_shared<BuildSessions>(clock_)),
      random_(options_.seed) {}

std::string Context::NewSwarmId() {
  constexpr int kDigits = 64;
  const std::lock_guard<std::mutex> lock(random_mutex_);
  return random_.Hex(kDigits);
}

class Api::Impl {
 public:
  Impl(Cluster& cluster, ApiOptions options)
      : context_(std::make_shared<Context>(cluster, std::move(options))) {}
  ~Impl() { context_->locks().Abandon(); }

  const ContextPointer& context() const { return context_; }

 private:
  const ContextPointer context_;
};

Api::Api(Cluster& cluster, ApiOptions options)
    : impl_(std::make_unique<Impl>(cluster, std::move(options))) {}

Api::~Api() = default;

Task<Reply> Api::Handle(Request request) {
  const ContextPointer context = impl_->context();
  const TimePoint began = context->clock().Now();
  auto course = std::make_shared<Course>();
  const bool head = request.method == "HEAD";
  Result answer = co_await Guarded(context, std::move(request), course);
  Reply reply;
  if (answer.ok()) {
    reply = *std::move(answer);
  } else {
    reply = ErrorReply(answer.status(), course->client);
    if (IsRetryLater(answer.status())) SetHeader(reply.headers, "Retry-After", kRetryAfter);
  }
  if (head) {
    reply.body.clear();
    reply.body_stream.reset();
  }
  SetCommonHeaders(reply, CommonHeaders(*context));
  CountStreams(context, reply);
  CountRequest(context->metrics(), course->route, reply.status, context->clock().Now() - began);
  co_return reply;
}

std::optional<ForwardPlan> Api::FastForward(std::string_view method,
                                            std::string_view target) const {
  return PlanForward(*impl_->context(), method, target);
}

bool Api::LivesForClient(std::string_view method, std::string_view target) {
  return swarm::LivesForClient(method, target);
}

// The handles are kept: looking them up would cost more than the rest of a forwarded request.
void ForwardMeter::Count(std::string_view pattern, int status, Duration took) {
  const auto is_it = [&](const Series& series) {
    return series.status == status && series.pattern.data() == pattern.data();
  };
  auto found = std::find_if(series_.begin(), series_.end(), is_it);
  if (found == series_.end()) {
    const std::string route = "GET " + std::string(pattern);
    series_.push_back(
        {pattern, status, &RequestsOf(metrics_, route, status), &SecondsOf(metrics_, route)});
    found = series_.end() - 1;
  }
  found->requests->Add();
  found->seconds->Observe(took.count());
  CountRefusal(metrics_, status);
}

std::uint64_t Api::generation() const { return impl_->context()->cluster().generation(); }

Metrics& Api::metrics() { return impl_->context()->metrics(); }

}  // namespace swarm
