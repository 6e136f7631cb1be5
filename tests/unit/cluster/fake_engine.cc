#include "unit/cluster/fake_engine.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <optional>
#include <utility>

#include <boost/json.hpp>

#include "swarmlib/status.h"
#include "wire/filters.h"
#include "wire/timestamp.h"

namespace swarm {

// One event stream. Used on one loop; Push and Finish come from any thread.
class FakeStream : public std::enable_shared_from_this<FakeStream> {
 public:
  explicit FakeStream(Loop* loop) : loop_(loop) {}
  void Push(std::string bytes) {
    loop_->Post([self = shared_from_this(), bytes = std::move(bytes)] {
      self->waiting_ += bytes;
      self->Serve();
    });
  }
  void Finish() {
    loop_->Post([self = shared_from_this()] {
      self->ended_ = true;
      self->Serve();
    });
  }
  void Read(std::span<char> into, ResultCallback<std::size_t> done) {
    into_ = into;
    done_ = std::move(done);
    loop_->Post([self = shared_from_this()] { self->Serve(); });
  }
  void Abort() {
    aborted_ = true;
    loop_->Post([self = shared_from_this()] { self->Serve(); });
  }

 private:
  void Serve() {
    if (!done_) return;
    if (aborted_) return Answer(Cancelled("the stream was cut"));
    if (at_ < waiting_.size()) {
      const std::size_t count = std::min(into_.size(), waiting_.size() - at_);
      std::copy_n(waiting_.data() + at_, count, into_.begin());
      at_ += count;
      return Answer(count);
    }
    waiting_.clear();
    at_ = 0;
    if (ended_) Answer(std::size_t{0});
  }
  void Answer(absl::StatusOr<std::size_t> result) { std::exchange(done_, {})(std::move(result)); }

  Loop* const loop_;
  std::string waiting_;
  std::size_t at_ = 0;  // of what was not read yet
  bool ended_ = false;
  bool aborted_ = false;
  std::span<char> into_;
  ResultCallback<std::size_t> done_;
};

namespace {

class StreamHandle final : public Stream {
 public:
  explicit StreamHandle(std::shared_ptr<FakeStream> stream) : stream_(std::move(stream)) {}
  ~StreamHandle() override { stream_->Abort(); }
  void Read(std::span<char> into, ResultCallback<std::size_t> done) override {
    stream_->Read(into, std::move(done));
  }
  void Write(std::string_view, Callback<absl::Status> done) override { done(absl::OkStatus()); }
  void CloseWrite() override {}
  void Abort() override { stream_->Abort(); }

 private:
  std::shared_ptr<FakeStream> stream_;
};

Reply Json(int status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

Reply Message(int status, const std::string& text) {
  return Json(status, "{\"message\":\"" + text + "\"}\n");
}

std::string FullId(const std::string& seed, int number) {
  std::string id = std::to_string(std::hash<std::string>{}(seed)) + std::to_string(number);
  id.insert(0, 64 - id.size(), 'a');
  return id;
}

// One call that waits for its answer, its timeout or its caller's change of mind.
struct Waiting : std::enable_shared_from_this<Waiting> {
  struct OnStop {
    std::weak_ptr<Waiting> waiting;
    Loop* loop;
    void operator()() const {
      loop->Post([weak = waiting] {
        if (const auto self = weak.lock()) self->Answer(Cancelled("given up"));
      });
    }
  };
  void Answer(absl::StatusOr<Reply> reply) {
    if (done) std::exchange(done, {})(std::move(reply));
  }
  ResultCallback<Reply> done;
  std::optional<std::stop_callback<OnStop>> on_stop;
};

}  // namespace

class FakeClient final : public BackendClient {
 public:
  explicit FakeClient(FakeEngine& engine) : engine_(engine) {}

  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override {
    Send(std::move(request), std::move(options), std::move(done));
  }
  void Open(Request request, CallOptions options, ResultCallback<Reply> done) override {
    Send(std::move(request), std::move(options), std::move(done));
  }
  void Upgrade(Request request, CallOptions options, ResultCallback<Reply> done) override {
    Send(std::move(request), std::move(options), std::move(done));
  }

 private:
  void Send(Request request, CallOptions options, ResultCallback<Reply> done) {
    Loop* const loop = Loop::Current();
    auto waiting = std::make_shared<Waiting>();
    waiting->done = std::move(done);
    waiting->on_stop.emplace(options.stop, Waiting::OnStop{waiting, loop});
    FakeEngine::Answer answer = engine_.Handle(request);
    if (answer.never || answer.after > options.timeout) {
      loop->After(options.timeout,
                  [waiting] { waiting->Answer(DeadlineExceeded("no answer in time")); });
      return;
    }
    auto reply = std::make_shared<absl::StatusOr<Reply>>(std::move(answer.reply));
    if (answer.after > Duration::zero()) {
      loop->After(answer.after, [waiting, reply] { waiting->Answer(std::move(*reply)); });
    } else {
      loop->Post([waiting, reply] { waiting->Answer(std::move(*reply)); });
    }
  }

  FakeEngine& engine_;
};

FakeEngine::FakeEngine(Clock& clock, std::string address, std::string id, std::string name)
    : clock_(clock), address_(std::move(address)), id_(std::move(id)), name_(std::move(name)) {}

std::unique_ptr<BackendClient> FakeEngine::MakeClient() {
  return std::make_unique<FakeClient>(*this);
}

void FakeEngine::SetMode(Mode mode) {
  const std::lock_guard lock(mutex_);
  mode_ = mode;
  if (mode == Mode::kRefusing) BreakStreams();
}

void FakeEngine::SetLoss(Loss loss, absl::Status error) {
  const std::lock_guard lock(mutex_);
  loss_ = loss;
  loss_error_ = std::move(error);
}

void FakeEngine::MakeLate() {
  const std::lock_guard lock(mutex_);
  Create(late_body_, late_query_);
}

void FakeEngine::SetId(std::string id) {
  const std::lock_guard lock(mutex_);
  id_ = std::move(id);
}

void FakeEngine::AddImage(const std::string& image) {
  const std::lock_guard lock(mutex_);
  images_.insert(image);
  Emit("image", "pull", image);
}

void FakeEngine::SetLatency(Duration latency) {
  const std::lock_guard lock(mutex_);
  latency_ = latency;
}

std::string FakeEngine::Run(const std::string& name, const std::string& state) {
  const std::lock_guard lock(mutex_);
  Box box;
  box.id = FullId(address_, ++made_);
  box.name = name;
  box.image = "busybox";
  box.state = state;
  boxes_.push_back(box);
  Emit("container", "create", box.id);
  return box.id;
}

void FakeEngine::Remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const Box* const box = Find(name);
  const std::string id = box->id;
  Emit("container", "destroy", id);
  std::erase_if(boxes_, [&id](const Box& other) { return other.id == id; });
}

void FakeEngine::SetState(const std::string& name, const std::string& state, bool say_so) {
  const std::lock_guard lock(mutex_);
  Box* const box = Find(name);
  box->state = state;
  if (say_so) Emit("container", state == "running" ? "start" : "die", box->id);
}

void FakeEngine::BreakStreams() {
  const std::lock_guard lock(mutex_);
  for (const auto& weak : streams_) {
    if (const auto stream = weak.lock()) stream->Finish();
  }
  streams_.clear();
}

void FakeEngine::ForgetStreams() {
  const std::lock_guard lock(mutex_);
  streams_.clear();
}

void FakeEngine::ForgetEvents() {
  const std::lock_guard lock(mutex_);
  events_.clear();
}

void FakeEngine::RepeatLastEvent() { SendBytes(events_.back().second); }

void FakeEngine::SendBytes(const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  for (const auto& weak : streams_) {
    if (const auto stream = weak.lock()) stream->Push(bytes);
  }
}

int FakeEngine::Calls(std::string_view start) const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(
      std::count_if(calls_.begin(), calls_.end(),
                    [start](const std::string& call) { return call.starts_with(start); }));
}

std::vector<FakeEngine::Box> FakeEngine::boxes() const {
  const std::lock_guard lock(mutex_);
  return boxes_;
}

std::size_t FakeEngine::streams() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(streams_.begin(), streams_.end(),
                                                [](const auto& weak) { return !weak.expired(); }));
}

void FakeEngine::SpoilInspect(const std::string& name, Fault fault) {
  const std::lock_guard lock(mutex_);
  Spoil("/containers/" + Find(name)->id + "/json", fault);
}

void FakeEngine::Spoil(const std::string& path, Fault fault) {
  const std::lock_guard lock(mutex_);
  spoiled_[path] = fault;
}

void FakeEngine::Unlock() {
  const std::lock_guard lock(mutex_);
  spoiled_.clear();
}

FakeEngine::Answer FakeEngine::Spoiled(Fault fault) const {
  switch (fault) {
    case Fault::kStatus500: return {Message(500, "RWLayer is unexpectedly nil"), latency_, false};
    case Fault::kCut: return {Internal("the answer broke off"), latency_, false};
    case Fault::kMalformed: return {Json(200, "{\"Id\":"), latency_, false};
    default: return {absl::StatusOr<Reply>(Reply{}), {}, true};
  }
}

FakeEngine::Answer FakeEngine::Handle(const Request& request) {
  const std::lock_guard lock(mutex_);
  std::string path = request.target.substr(0, request.target.find('?'));
  std::string query =
      path.size() < request.target.size() ? request.target.substr(path.size() + 1) : "";
  if (path.starts_with("/v1.")) path.erase(0, path.find('/', 1));
  calls_.push_back(request.method + " " + path);
  if (mode_ == Mode::kRefusing)
    return {Unavailable("connection to " + address_ + " refused"), {}, false};
  if (mode_ == Mode::kFrozen) return Spoiled(Fault::kSilence);
  if (mode_ == Mode::kHtml) return {Json(200, "<html>hello</html>"), latency_, false};
  const auto spoiled = spoiled_.find(path);
  if (spoiled != spoiled_.end() && spoiled->second != Fault::kNone) return Spoiled(spoiled->second);
  if (path == "/events") {
    Reply reply;
    reply.body_stream = OpenEvents(query, Loop::Current());
    return {std::move(reply), latency_, false};
  }
  const bool creates = path == "/containers/create";
  const Loss loss = creates ? std::exchange(loss_, Loss::kNone) : Loss::kNone;
  if (loss == Loss::kUntilMadeLate) {
    late_body_ = request.body;
    late_query_ = query;
  }
  if (loss == Loss::kBeforeItIsMade || loss == Loss::kUntilMadeLate)
    return {loss_error_, latency_, false};
  Reply reply = Route(request, path, query);
  if (loss == Loss::kAfterItIsMade) return {loss_error_, latency_, false};
  if (loss == Loss::kWrongId) reply.body = "{\"Id\":\"a b\\r\\nX: y\"}";
  return {std::move(reply), latency_, false};
}

std::unique_ptr<Stream> FakeEngine::OpenEvents(std::string_view query, Loop* loop) {
  auto stream = std::make_shared<FakeStream>(loop);
  const Query pairs = ParseQuery(query);
  if (const std::string* const since = FindQuery(pairs, "since")) {
    const std::size_t dot = since->find('.');
    const std::int64_t nano = std::atoll(since->substr(0, dot).c_str()) * 1'000'000'000 +
                              std::atoll(since->substr(dot + 1).c_str());
    for (const auto& [time, event] : events_) {
      if (time >= nano) stream->Push(event);
    }
  }
  streams_.push_back(stream);
  return std::make_unique<StreamHandle>(std::move(stream));
}

Reply FakeEngine::Route(const Request& request, std::string path, std::string query) {
  if (path == "/_ping") return Json(200, "OK");
  if (path == "/info") {
    // Later than every event, also while the clock stands still.
    const WallTime last_event{std::chrono::nanoseconds(last_time_ + 1)};
    const std::string now = FormatTime(std::max(clock_.Wall(), last_event));
    return Json(
        200,
        "{\"ID\":\"" + id_ + "\",\"Name\":\"" + name_ + "\",\"SystemTime\":\"" + now +
            "\",\"NCPU\":4,\"MemTotal\":8589934592,\"OSType\":\"linux\",\"Driver\":\"overlay2\","
            "\"ServerVersion\":\"20.10.24\",\"Labels\":[\"zone=" +
            name_ + "\"]}");
  }
  if (path == "/version") {
    return Json(200,
                "{\"Version\":\"20.10.24\",\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}");
  }
  if (path == "/images/json") {
    std::string rows;
    for (const std::string& image : images_) {
      rows.append(rows.empty() ? "[" : ",");
      rows.append("{\"Id\":\"sha256:" + image + "\",\"RepoTags\":[\"" + image +
                  "\"],\"Created\":1,\"Size\":1}");
    }
    return Json(200, rows + "]");
  }
  if (path == "/containers/create") return Create(request.body, query);
  if (path == "/containers/json") {
    const Query pairs = ParseQuery(query);
    const std::string* const text = FindQuery(pairs, "filters");
    const auto filters = ParseFilters(text == nullptr ? "" : *text);
    std::string rows = "[";
    for (const Box& box : boxes_) {
      const auto wants = [&filters](const char* key, const std::string& value) {
        const auto found = filters->find(key);
        return found == filters->end() ||
               std::find(found->second.begin(), found->second.end(), value) != found->second.end();
      };
      if (!wants("id", box.id) || !wants("label", "com.docker.swarm.id=" + box.swarm_id)) continue;
      rows.append(rows.size() > 1 ? "," : "").append(Row(box));
    }
    return Json(200, rows + "]");
  }
  if (path.starts_with("/exec/")) {
    return path == "/exec/" + FullId(address_, 0) + "/json" ? Json(200, "{}")
                                                            : Message(404, "no such exec");
  }
  path.erase(0, std::string("/containers/").size());
  const std::string id = path.substr(0, path.find('/'));
  const std::string verb = id.size() < path.size() ? path.substr(id.size() + 1) : "";
  return Operate(request.method, id, verb, query);
}

Reply FakeEngine::Create(const std::string& sent, const std::string& query) {
  const boost::json::value body = boost::json::parse(sent);
  Box box;
  box.name = *FindQuery(ParseQuery(query), "name");
  box.image = body.at("Image").as_string().c_str();
  const std::string tagged =
      box.image.find(':') == std::string::npos ? box.image + ":latest" : box.image;
  if (images_.count(tagged) == 0) return Message(404, "No such image: " + tagged);
  if (Find(box.name) != nullptr)
    return Message(409, "Conflict. The container name is already in use");
  box.id = FullId(address_, ++made_);
  const auto& labels = body.at("Labels").as_object();
  if (labels.contains("com.docker.swarm.id"))
    box.swarm_id = labels.at("com.docker.swarm.id").as_string().c_str();
  if (const auto* const host = body.as_object().if_contains("HostConfig")) {
    if (const auto* const ports = host->as_object().if_contains("PortBindings")) {
      box.host_port = ports->at("80/tcp").as_array()[0].at("HostPort").as_string().c_str();
    }
    if (const auto* const memory = host->as_object().if_contains("Memory"))
      box.memory = memory->as_int64();
  }
  boxes_.push_back(box);
  Emit("container", "create", box.id);
  return Json(201, "{\"Id\":\"" + box.id + "\",\"Warnings\":[]}\n");
}

Reply FakeEngine::Operate(const std::string& method, const std::string& id, const std::string& verb,
                          const std::string& query) {
  Box* const box = Find(id);
  if (box == nullptr) return Message(404, "No such container: " + id);
  if (verb == "json") return Json(200, Inspect(*box));
  if (method == "DELETE") {
    Remove(box->name);
    return Json(204, "");
  }
  if (verb == "rename") {
    box->name = *FindQuery(ParseQuery(query), "name");
    Emit("container", "rename", box->id);
  } else {
    box->state = verb == "start" || verb == "restart" || verb == "unpause" ? "running"
                 : verb == "pause"                                         ? "paused"
                                                                           : "exited";
    Emit("container", verb, box->id);
  }
  return Json(204, "");
}

FakeEngine::Box* FakeEngine::Find(std::string_view id_or_name) {
  for (Box& box : boxes_) {
    if (box.id == id_or_name || box.name == id_or_name) return &box;
  }
  return nullptr;
}

void FakeEngine::Emit(const std::string& type, const std::string& action,
                      const std::string& actor) {
  const std::int64_t now = clock_.Wall().time_since_epoch().count();
  last_time_ = std::max(now, last_time_ + 1);
  const Box* const box = Find(actor);
  std::string event =
      "{\"Type\":\"" + type + "\",\"Action\":\"" + action + "\",\"Actor\":{\"ID\":\"" + actor +
      "\",\"Attributes\":{\"name\":\"" + (box == nullptr ? "" : box->name) +
      "\"}},\"scope\":\"local\",\"time\":" + std::to_string(last_time_ / 1'000'000'000) +
      ",\"timeNano\":" + std::to_string(last_time_) + "}\n";
  SendBytes(event);
  events_.emplace_back(last_time_, std::move(event));
}

std::string FakeEngine::Row(const Box& box) const {
  const bool bound = box.state == "running" && !box.host_port.empty();
  return "{\"Id\":\"" + box.id + "\",\"Names\":[\"/" + box.name + "\"],\"Image\":\"" + box.image +
         "\",\"ImageID\":\"sha256:1\",\"Command\":\"sh\",\"Created\":1420070400,\"Ports\":[" +
         (bound ? "{\"IP\":\"0.0.0.0\",\"PrivatePort\":80,\"PublicPort\":" + box.host_port +
                      ",\"Type\":\"tcp\"}"
                : "") +
         "],\"Labels\":{\"com.docker.swarm.id\":\"" + box.swarm_id + "\"},\"State\":\"" +
         box.state +
         "\",\"Status\":\"Up\",\"HostConfig\":{\"NetworkMode\":\"default\"},"
         "\"NetworkSettings\":{\"Networks\":{}},\"Mounts\":[]}";
}

std::string FakeEngine::Inspect(const Box& box) const {
  const std::string ports =
      box.host_port.empty()
          ? "{}"
          : "{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"" + box.host_port + "\"}]}";
  const bool running = box.state == "running";
  return "{\"Id\":\"" + box.id + "\",\"Created\":\"2015-01-01T00:00:00Z\",\"Name\":\"/" + box.name +
         "\",\"State\":{\"Status\":\"" + box.state +
         "\",\"Running\":" + (running ? "true" : "false") +
         ",\"ExitCode\":0,\"StartedAt\":\"2015-01-01T00:00:01Z\",\"FinishedAt\":\"0001-01-01T00:00:"
         "00Z\"},"
         "\"Image\":\"sha256:1\",\"Config\":{\"Image\":\"" +
         box.image + "\",\"Labels\":{\"com.docker.swarm.id\":\"" + box.swarm_id +
         "\"}},\"HostConfig\":{\"NetworkMode\":\"default\",\"Memory\":" +
         std::to_string(box.memory) + ",\"PortBindings\":" + ports +
         "},\"NetworkSettings\":{\"Ports\":" + (running ? ports : "{}") +
         ",\"Networks\":{}},\"Mounts\":[]}";
}

}  // namespace swarm
