#include "sim/sim_state.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "base/json_text.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

// "/v1.41/containers/json" → segments, and the version when there is one.
std::optional<ApiVersion> TakePath(std::string_view path, std::vector<std::string>& segments) {
  std::optional<ApiVersion> version;
  for (const std::string_view part : Split(path, '/')) {
    if (part.empty()) continue;
    if (segments.empty() && !version && part.front() == 'v') {
      version = ParseApiVersion(part.substr(1));
      if (version) continue;
    }
    segments.push_back(PercentDecode(part).value_or(std::string(part)));
  }
  return version;
}

}  // namespace

Reply SimError(int status, std::string_view message) {
  return SimJson(status, "{\"message\":" + JsonString(message) + "}\n");
}

Reply SimJson(int status, std::string body) {
  Reply reply;
  reply.status = status;
  SetHeader(reply.headers, "Content-Type", "application/json");
  reply.body = std::move(body);
  return reply;
}

Reply SimEmpty(int status) {
  Reply reply;
  reply.status = status;
  return reply;
}

Reply SimStream(std::shared_ptr<ByteQueue> queue, std::string_view content_type) {
  Reply reply;
  SetHeader(reply.headers, "Content-Type", content_type);
  reply.body_stream = std::make_unique<MemoryStream>(*Loop::Current(), std::move(queue));
  return reply;
}

Reply SimTunnel(std::shared_ptr<ByteQueue> queue, MemoryStream::Sink sink, const SimCall& call,
                bool tty) {
  constexpr ApiVersion kFirstMultiplexed{1, 42};
  Reply reply;
  const bool is_multiplexed = !tty && call.version >= kFirstMultiplexed;
  SetHeader(reply.headers, "Content-Type",
            is_multiplexed ? "application/vnd.docker.multiplexed-stream"
                           : "application/vnd.docker.raw-stream");
  if (call.wants_upgrade) {
    reply.status = 101;
    SetHeader(reply.headers, "Upgrade", "tcp");
  }
  reply.tunnel =
      std::make_unique<MemoryStream>(*Loop::Current(), std::move(queue), std::move(sink));
  return reply;
}

std::string SimFrame(std::string_view bytes, bool is_error) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::string frame(8, '\0');
  frame[0] = is_error ? '\2' : '\1';
  for (int i = 0; i < 4; ++i) frame[4 + i] = static_cast<char>((size >> (24 - 8 * i)) & 0xffU);
  return frame.append(bytes);
}

std::string SimIdOf(std::string_view text) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;  // FNV-1a
  for (const char letter : text)
    hash = (hash ^ static_cast<unsigned char>(letter)) * 1'099'511'628'211U;
  return Random(hash).Hex(64);
}

std::string QueryText(const Query& query, std::string_view key) {
  const std::string* value = FindQuery(query, key);
  return value == nullptr ? std::string() : *value;
}

std::vector<std::string> QueryTexts(const Query& query, std::string_view key) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : query) {
    if (name == key) texts.push_back(value);
  }
  return texts;
}

bool QueryFlag(const Query& query, std::string_view key, bool otherwise) {
  const std::string* value = FindQuery(query, key);
  return value == nullptr ? otherwise : ParseBoolean(*value);
}

bool IsUp(const SimContainer& container) {
  return container.state == ContainerState::kRunning || container.state == ContainerState::kPaused;
}

SimState::SimState(SimEngineOptions options, const Clock& clock, std::uint64_t seed)
    : options_(std::move(options)), clock_(clock), random_(seed) {
  if (options_.id.empty()) options_.id = ToLower(random_.Hex(48));
  for (const std::string& image : options_.images) AddImage(image);
}

std::size_t SimState::container_count() const {
  const std::lock_guard lock(mutex_);
  return containers_.size();
}

void SimState::SetClockSkew(Duration skew) {
  const std::lock_guard lock(mutex_);
  skew_ = skew;
}

void SimState::SetId(std::string id) {
  const std::lock_guard lock(mutex_);
  options_.id = std::move(id);
}

std::shared_ptr<ByteQueue> SimState::NewQueue() {
  auto queue = std::make_shared<ByteQueue>();
  std::erase_if(queues_, [](const std::weak_ptr<ByteQueue>& known) { return known.expired(); });
  queues_.push_back(queue);
  return queue;
}

void SimState::DropConnections() {
  const std::lock_guard lock(mutex_);
  for (const std::weak_ptr<ByteQueue>& known : std::exchange(queues_, {})) {
    if (const auto queue = known.lock()) queue->Break(Internal("connection reset by peer"));
  }
  subscribers_.clear();
}

SimContainer* SimState::Find(std::string_view reference) {
  if (reference.starts_with('/')) reference.remove_prefix(1);
  if (reference.empty()) return nullptr;
  const auto exact = containers_.find(std::string(reference));
  if (exact != containers_.end()) return &exact->second;
  SimContainer* by_prefix = nullptr;
  bool is_ambiguous = false;
  for (auto& [id, container] : containers_) {
    if (container.name == reference) return &container;
    if (!id.starts_with(reference)) continue;
    is_ambiguous = by_prefix != nullptr;
    by_prefix = &container;
  }
  return is_ambiguous ? nullptr : by_prefix;
}

Reply SimState::Handle(const Request& request) {
  SWARM_CHECK(Loop::Current() != nullptr, "a simulated engine is called on a Loop");
  const std::lock_guard lock(mutex_);
  SimCall call;
  call.method = request.method;
  call.body = request.body;
  call.wants_upgrade = request.wants_upgrade;
  const std::string_view target = request.target;
  const std::size_t mark = target.find('?');
  if (mark != std::string_view::npos) call.query = ParseQuery(target.substr(mark + 1));
  const ApiVersion most = ParseApiVersion(options_.api_version).value_or(ApiVersion{1, 41});
  const ApiVersion least = ParseApiVersion(options_.min_api_version).value_or(ApiVersion{1, 12});
  call.version = TakePath(target.substr(0, mark), call.path).value_or(most);
  Reply reply;
  if (call.version > most) {
    reply =
        SimError(400, "client version " + ApiVersionText(call.version) +
                          " is too new. Maximum supported API version is " + options_.api_version);
  } else if (call.version < least) {
    reply = SimError(400, "client version " + ApiVersionText(call.version) +
                              " is too old. Minimum supported API version is " +
                              options_.min_api_version +
                              ", please upgrade your client to a newer version");
  } else {
    reply = Dispatch(call);
  }
  SetHeader(reply.headers, "Api-Version", options_.api_version);
  SetHeader(reply.headers, "Docker-Experimental", "false");
  SetHeader(reply.headers, "Ostype", "linux");
  SetHeader(reply.headers, "Server", "Docker/" + options_.version + " (linux)");
  if (call.method == "HEAD") reply.body.clear();
  return reply;
}

Reply SimState::Dispatch(SimCall& call) {
  const bool is_get = call.method == "GET";
  const std::string first = call.path.empty() ? "" : call.path.front();
  if (call.path.size() == 1 && (is_get || call.method == "HEAD")) {
    if (first == "_ping") return Ping(call);
    if (is_get && first == "version") return Version();
    if (is_get && first == "info") return Info();
    if (is_get && first == "events") return Events(call);
  }
  if (is_get && first == "system" && call.path.size() == 2 && call.path[1] == "df")
    return DiskUsage();
  if (is_get && first == "plugins") return Plugins(call);
  if (first == "containers" && call.path.size() >= 2) return DispatchContainer(call);
  if (first == "exec" && call.path.size() == 3) return DispatchExec(call);
  if (first == "images" && call.path.size() >= 2) return DispatchImage(call);
  if (first == "networks") return DispatchNetwork(call);
  if (first == "volumes") return DispatchVolume(call);
  if (call.method == "POST" && call.path == std::vector<std::string>{"commit"}) return Commit(call);
  if (call.method == "POST" && call.path == std::vector<std::string>{"build"}) return Build(call);
  if (call.method == "POST" && call.path == std::vector<std::string>{"build", "prune"})
    return SimJson(200, "{\"CachesDeleted\":null,\"SpaceReclaimed\":0}\n");
  if (is_get && first == "distribution" && call.path.size() > 2) {
    const std::string digest =
        "sha256:" + SimIdOf(Join({call.path.begin() + 1, call.path.end() - 1}, "/"));
    return SimJson(200, "{\"Descriptor\":{\"digest\":" + JsonString(digest) +
                            "},\"Platforms\":[{\"architecture\":\"amd64\",\"os\":\"linux\"}]}\n");
  }
  return SimError(404, "page not found");
}

Reply SimState::DispatchContainer(const SimCall& call) {
  const std::string& reference = call.path[1];
  const std::string verb = call.path.size() > 2 ? call.path[2] : "";
  const bool is_get = call.method == "GET";
  const bool is_post = call.method == "POST";
  if (is_get && reference == "json" && verb.empty()) return List(call);
  if (is_post && reference == "create" && verb.empty()) return Create(call);
  if (is_post && reference == "prune" && verb.empty()) return PruneContainers(call);
  SimContainer* found = Find(reference);
  if (found == nullptr) {
    if (verb != "attach") return SimError(404, "No such container: " + reference);
    // Engines answer a failed hijack as plain text.
    Reply reply = SimEmpty(404);
    SetHeader(reply.headers, "Content-Type", "application/vnd.docker.raw-stream");
    reply.body = "No such container: " + reference + "\n";
    return reply;
  }
  SimContainer& container = *found;
  if (call.method == "DELETE" && verb.empty()) return Remove(call, container);
  if (verb == "archive") return Archive(container, call);
  if (verb == "checkpoints") {
    return SimError(501,
                    "This experimental feature is disabled by default. Start the Docker daemon in "
                    "experimental mode in order to enable it.");
  }
  if (is_get) {
    if (verb == "json") return Inspect(container);
    if (verb == "logs") return Logs(container, call);
    if (verb == "top") return Top(container);
    if (verb == "stats") return Stats(container, call);
    if (verb == "changes") return SimJson(200, "[{\"Path\":\"/tmp\",\"Kind\":0}]\n");
    if (verb == "export") return Export(container);
  }
  if (is_post) {
    if (verb == "start") return Start(container);
    if (verb == "stop") return Stop(container, call);
    if (verb == "kill") return Kill(container, call);
    if (verb == "restart") return RestartContainer(container);
    if (verb == "pause") return Pause(container, true);
    if (verb == "unpause") return Pause(container, false);
    if (verb == "wait") return Wait(container, call);
    if (verb == "rename") return Rename(call, container);
    if (verb == "update") return Update(call, container);
    if (verb == "attach") return Attach(container, call);
    if (verb == "exec") return CreateExec(container, call);
    if (verb == "resize") {
      EmitOf(container, "resize",
             {{"height", QueryText(call.query, "h")}, {"width", QueryText(call.query, "w")}});
      return SimEmpty(200);
    }
  }
  return SimError(404, "page not found");
}

Reply SimState::DispatchExec(const SimCall& call) {
  const auto found = execs_.find(call.path[1]);  // full ids only, as engines do
  if (found == execs_.end()) return SimError(404, "No such exec instance: " + call.path[1]);
  const std::string& verb = call.path[2];
  if (call.method == "GET" && verb == "json") return InspectExec(found->second);
  if (call.method == "POST" && verb == "start") return StartExec(found->second, call);
  if (call.method == "POST" && verb == "resize") return SimEmpty(200);
  return SimError(404, "page not found");
}

Reply SimState::DispatchImage(const SimCall& call) {
  const std::string& last = call.path.back();
  const bool is_get = call.method == "GET";
  const bool is_post = call.method == "POST";
  if (call.path.size() == 2) {
    if (is_get && last == "json") return ListImages(call);
    if (is_post && last == "create") return Pull(call);
    if (is_post && last == "load") return LoadImages(call);
    if (is_post && last == "prune") return PruneImages(call);
    if (is_get && last == "get") return SaveImages(QueryTexts(call.query, "names"));
  }
  if (call.method == "DELETE")
    return RemoveImage(call, Join({call.path.begin() + 1, call.path.end()}, "/"));
  if (call.path.size() < 3) return SimError(404, "page not found");
  const std::string name = Join({call.path.begin() + 1, call.path.end() - 1}, "/");
  if (is_get && last == "json") return InspectImage(name);
  if (is_get && last == "get") return SaveImages({name});
  if (is_post && last == "tag") return TagImage(call, name);
  if (is_post && last == "push") return PushImage(call, name);
  return SimError(404, "page not found");
}

Reply SimState::Ping(const SimCall&) const {
  Reply reply;
  SetHeader(reply.headers, "Content-Type", "text/plain; charset=utf-8");
  SetHeader(reply.headers, "Cache-Control", "no-cache, no-store, must-revalidate");
  SetHeader(reply.headers, "Pragma", "no-cache");
  SetHeader(reply.headers, "Builder-Version", "1");
  SetHeader(reply.headers, "Swarm", "inactive");
  reply.body = "OK";
  return reply;
}

Reply SimState::Version() const {
  std::string json =
      "{\"Platform\":{\"Name\":\"simulated\"},\"Components\":[{\"Name\":\"Engine\",\"Version\":" +
      JsonString(options_.version) +
      ",\"Details\":{\"ApiVersion\":" + JsonString(options_.api_version) + "}}]";
  AppendJsonField(json, "Version", options_.version);
  AppendJsonField(json, "ApiVersion", options_.api_version);
  AppendJsonField(json, "MinAPIVersion", options_.min_api_version);
  AppendJsonField(json, "GitCommit", "simulated");
  AppendJsonField(json, "GoVersion", "n/a");
  AppendJsonField(json, "Os", "linux");
  AppendJsonField(json, "Arch", "amd64");
  AppendJsonField(json, "KernelVersion", "6.1.0");
  return SimJson(200, json + "}\n");
}

Reply SimState::Info() const {
  std::int64_t running = 0;
  std::int64_t paused = 0;
  for (const auto& [id, container] : containers_) {
    running += container.state == ContainerState::kRunning ? 1 : 0;
    paused += container.state == ContainerState::kPaused ? 1 : 0;
  }
  const auto count = static_cast<std::int64_t>(containers_.size());
  std::string json = "{";
  AppendJsonField(json, "ID", options_.id);
  AppendJsonField(json, "Containers", count);
  AppendJsonField(json, "ContainersRunning", running);
  AppendJsonField(json, "ContainersPaused", paused);
  AppendJsonField(json, "ContainersStopped", count - running - paused);
  AppendJsonField(json, "Images", static_cast<std::int64_t>(images_.size()));
  AppendJsonField(json, "Driver", "overlay2");
  // Later than every event, also while the clock stands still.
  const std::chrono::nanoseconds last_event(events_.empty() ? 0 : events_.back().time_nano + 1);
  AppendJsonField(json, "SystemTime", FormatTime(std::max(Now(), WallTime(last_event))));
  AppendJsonField(json, "KernelVersion", "6.1.0");
  AppendJsonField(json, "OperatingSystem", "Simulated Linux");
  AppendJsonField(json, "OSType", "linux");
  AppendJsonField(json, "Architecture", "x86_64");
  AppendJsonField(json, "NCPU", options_.processors);
  AppendJsonField(json, "MemTotal", options_.memory);
  AppendJsonField(json, "Name", options_.name);
  std::vector<std::string> labels;
  for (const auto& [key, value] : options_.labels) labels.push_back(key + "=" + value);
  AppendJsonKey(json, "Labels");
  AppendJsonStrings(json, labels);
  AppendJsonField(json, "ServerVersion", options_.version);
  json.append(",\"Swarm\":{\"LocalNodeState\":\"inactive\"}}\n");
  return SimJson(200, json);
}

SimulatedEngine::SimulatedEngine(SimEngineOptions options, const Clock& clock, std::uint64_t seed)
    : state_(std::make_shared<SimState>(std::move(options), clock, seed)), faults_(seed) {}
SimulatedEngine::~SimulatedEngine() = default;
Reply SimulatedEngine::Handle(const Request& request) { return state_->Handle(request); }
void SimulatedEngine::Restart() { state_->Restart(); }
void SimulatedEngine::DropConnections() { state_->DropConnections(); }
void SimulatedEngine::SetClockSkew(Duration skew) { state_->SetClockSkew(skew); }
void SimulatedEngine::SetId(std::string id) { state_->SetId(std::move(id)); }
bool SimulatedEngine::EndProcess(std::string_view container, int exit_code) {
  return state_->EndProcess(container, exit_code);
}
std::string SimulatedEngine::name() const { return state_->name(); }
std::size_t SimulatedEngine::container_count() const { return state_->container_count(); }

}  // namespace swarm
