#include "fleet_client.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <utility>

#include "swarmlib/caller_loop.h"
#include "swarmlib/status.h"

namespace fleet {
namespace {

// Bytes that somebody appends on any thread and the manager reads on its loop.
class Pipe {
 public:
  explicit Pipe(std::function<void(swarm::Callback<>)> loop) : loop_(std::move(loop)) {}

  static void Append(const std::shared_ptr<Pipe>& pipe, std::string_view bytes, bool last) {
    const std::lock_guard lock(pipe->mutex_);
    if (pipe->aborted_) return;  // the loop may be gone
    pipe->bytes_.append(bytes);
    pipe->ended_ = last;
    if (pipe->done_) pipe->loop_([pipe] { pipe->Deliver(); });
  }

  static void Read(const std::shared_ptr<Pipe>& pipe, std::span<char> into,
                   swarm::ResultCallback<std::size_t> done) {
    const std::lock_guard lock(pipe->mutex_);
    pipe->into_ = into;
    pipe->done_ = std::move(done);
    pipe->loop_([pipe] { pipe->Deliver(); });
  }

  static void Abort(const std::shared_ptr<Pipe>& pipe) {
    const std::lock_guard lock(pipe->mutex_);
    if (std::exchange(pipe->aborted_, true)) return;
    pipe->loop_([pipe] { pipe->Deliver(); });
  }

 private:
  void Deliver() {
    std::unique_lock lock(mutex_);
    if (!done_ || (bytes_.empty() && !ended_ && !aborted_)) return;
    const std::size_t count = std::min(bytes_.size(), into_.size());
    std::copy_n(bytes_.begin(), count, into_.begin());
    bytes_.erase(0, count);
    swarm::ResultCallback<std::size_t> done = std::exchange(done_, nullptr);
    const bool aborted = aborted_;
    lock.unlock();
    if (aborted) return done(swarm::Cancelled("the stream was given up"));
    done(count);
  }

  const std::function<void(swarm::Callback<>)> loop_;
  std::mutex mutex_;
  std::string bytes_;
  bool ended_ = false, aborted_ = false;
  std::span<char> into_;
  swarm::ResultCallback<std::size_t> done_;
};

// The read side of a pipe. `stop` is called when nobody reads any more.
class PipeStream final : public swarm::Stream {
 public:
  PipeStream(std::shared_ptr<Pipe> pipe, std::function<void()> stop)
      : pipe_(std::move(pipe)), stop_(std::move(stop)) {}
  ~PipeStream() override {
    if (stop_) stop_();
    Pipe::Abort(pipe_);
  }

  void Read(std::span<char> into, swarm::ResultCallback<std::size_t> done) override {
    Pipe::Read(pipe_, into, std::move(done));
  }
  void Write(std::string_view, swarm::Callback<absl::Status> done) override {
    swarm::CallerLoop()([done = std::move(done)]() mutable {
      done(swarm::FailedPrecondition("the stream is for reading only"));
    });
  }
  void CloseWrite() override {}
  void Abort() override { Pipe::Abort(pipe_); }

 private:
  const std::shared_ptr<Pipe> pipe_;
  const std::function<void()> stop_;
};

// The text of a member of a JSON object, `otherwise` when it has none.
std::string Member(std::string_view object, std::string_view key, std::string otherwise) {
  int depth = 0;
  bool in_string = false, take = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < object.size(); ++i) {
    const char c = object[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') {
      in_string = true;
      if (depth == 1 && !take) begin = i + 1;
    } else if (c == ':' && depth == 1) {
      const std::size_t end = object.rfind('"', i);
      take = object.substr(begin, end - begin) == key;
      begin = i + 1;
    } else if (depth == 1 && (c == ',' || c == '}')) {
      if (take) return std::string(object.substr(begin, i - begin));
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
  }
  return otherwise;
}

std::string Quoted(const std::string& word) { return "\"" + word + "\""; }

std::string StateOf(const Workload& workload) { return workload.running ? "running" : "created"; }

std::string Row(const Workload& workload) {
  return R"({"Id":)" + Quoted(workload.id) + R"(,"Names":[)" + Quoted("/" + workload.name) +
         R"(],"Image":)" + Member(workload.spec, "Image", R"("")") + R"(,"Command":"","Created":)" +
         std::to_string(workload.created) + R"(,"State":)" + Quoted(StateOf(workload)) +
         R"(,"Status":)" + (workload.running ? R"("Up")" : R"("Created")") +
         R"(,"Ports":[],"Labels":)" + Member(workload.spec, "Labels", "{}") + "}";
}

std::string Inspect(const Workload& workload) {
  char created[32];
  std::tm parts{};
  const std::time_t seconds = workload.created;
  gmtime_r(&seconds, &parts);
  std::strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return R"({"Id":)" + Quoted(workload.id) + R"(,"Name":)" + Quoted("/" + workload.name) +
         R"(,"Created":)" + Quoted(created) + R"(,"State":{"Status":)" + Quoted(StateOf(workload)) +
         R"(,"Running":)" + (workload.running ? "true" : "false") + R"(,"ExitCode":0},"Config":)" +
         workload.spec + R"(,"HostConfig":{},"NetworkSettings":{"Networks":{}},"Mounts":[]})";
}

std::string Info(const Machine& machine) {
  std::string labels;
  for (const auto& [key, value] : machine.labels) {
    labels += (labels.empty() ? "" : ",") + Quoted(key + "=" + value);
  }
  return R"({"ID":)" + Quoted("fleet:" + machine.name) + R"(,"Name":)" + Quoted(machine.name) +
         R"(,"NCPU":8,"MemTotal":17179869184,"OSType":"linux","Architecture":"x86_64",)" +
         R"("Driver":"fleet","ServerVersion":"1.0","Labels":[)" + labels + "]}";
}

std::string Event(std::string_view action, const Workload& workload) {
  const std::string now = std::to_string(std::time(nullptr));
  return R"({"Type":"container","Action":)" + Quoted(std::string(action)) + R"(,"Actor":{"ID":)" +
         Quoted(workload.id) + R"(,"Attributes":{"name":)" + Quoted(workload.name) +
         R"(}},"time":)" + now + R"(,"timeNano":)" + now + "000000000}\n";
}

std::string NewId() {
  static std::atomic<unsigned> made{0};
  char id[65];
  std::snprintf(id, sizeof id, "%012x%052x", ++made, 0);
  return id;
}

swarm::Reply Saying(int status, std::string body) {
  swarm::Reply reply;
  reply.status = status;
  reply.headers = {{"Content-Type", "application/json"}};
  reply.body = std::move(body);
  return reply;
}

class FleetClient final : public swarm::BackendClient {
 public:
  FleetClient(Fleet& fleet, std::string machine) : fleet_(fleet), machine_(std::move(machine)) {}

  void Call(swarm::Request request, swarm::CallOptions,
            swarm::ResultCallback<swarm::Reply> done) override {
    done(Answer(request));
  }

  void Open(swarm::Request request, swarm::CallOptions,
            swarm::ResultCallback<swarm::Reply> done) override {
    auto pipe = std::make_shared<Pipe>(swarm::CallerLoop());
    swarm::Reply reply = Saying(200, "");
    std::function<void()> stop;
    if (PathOf(request) == "/events") {
      stop = fleet_.WatchEvents([pipe, machine = machine_](const std::string& on,
                                                           std::string_view action,
                                                           const Workload& workload) {
        if (on == machine) Pipe::Append(pipe, Event(action, workload), false);
      });
    } else {
      reply = Answer(request);
      Pipe::Append(pipe, std::exchange(reply.body, {}), true);
    }
    reply.body_stream = std::make_unique<PipeStream>(std::move(pipe), std::move(stop));
    done(std::move(reply));
  }

  // Nothing on these machines can be attached to: the answer is that of any unknown request.
  void Upgrade(swarm::Request request, swarm::CallOptions options,
               swarm::ResultCallback<swarm::Reply> done) override {
    Open(std::move(request), std::move(options), std::move(done));
  }

 private:
  // "/v1.41/info?x=y" is "/info".
  static std::string PathOf(const swarm::Request& request) {
    std::string path = request.target.substr(0, request.target.find('?'));
    if (path.starts_with("/v1.")) path.erase(0, path.find('/', 1));
    return path;
  }

  swarm::Reply Answer(const swarm::Request& request) {
    const std::string path = PathOf(request);
    const Machine machine = fleet_.Find(machine_);
    if (path == "/_ping") return Saying(200, "OK");
    if (path == "/info") return Saying(200, Info(machine));
    if (path == "/version")
      return Saying(200, R"({"Version":"1.0","ApiVersion":"1.41","MinAPIVersion":"1.24"})");
    if (path == "/images/json" || path == "/networks") return Saying(200, "[]");
    if (path == "/volumes") return Saying(200, R"({"Volumes":[],"Warnings":null})");
    if (path == "/containers/json") return Saying(200, List(machine, request.target));
    if (path == "/containers/create") return Create(request);
    for (const Workload& workload : machine.workloads) {
      const std::string base = "/containers/" + workload.id;
      if (path == base + "/json") return Saying(200, Inspect(workload));
      if (path == base + "/start") {
        return Saying(fleet_.Start(machine_, workload.id) ? 204 : 404, "");
      }
      if (path == base && request.method == "DELETE") {
        return Saying(fleet_.Remove(machine_, workload.id) ? 204 : 404, "");
      }
    }
    return Saying(404, R"({"message":"a machine of the fleet has no )" + path + R"("})");
  }

  // A filter names the workloads that are wanted, by id or by name.
  static std::string List(const Machine& machine, const std::string& target) {
    std::string rows;
    const bool filtered = target.find("filters=") != std::string::npos;
    for (const Workload& workload : machine.workloads) {
      if (filtered && target.find(workload.id) == std::string::npos &&
          target.find(workload.name) == std::string::npos) {
        continue;
      }
      rows += (rows.empty() ? "" : ",") + Row(workload);
    }
    return "[" + rows + "]";
  }

  swarm::Reply Create(const swarm::Request& request) {
    const std::size_t begin = request.target.find("name=") + 5;
    Workload workload;
    workload.id = NewId();
    workload.name = request.target.substr(begin, request.target.find('&', begin) - begin);
    workload.spec = request.body;
    workload.created = std::time(nullptr);
    const std::string id = workload.id;
    if (!fleet_.Add(machine_, std::move(workload)))
      return Saying(409, R"({"message":"the name is taken"})");
    return Saying(201, R"({"Id":)" + Quoted(id) + R"(,"Warnings":[]})");
  }

  Fleet& fleet_;
  const std::string machine_;
};

}  // namespace

std::unique_ptr<swarm::BackendClient> MakeFleetClient(Fleet& fleet, const std::string& machine) {
  return std::make_unique<FleetClient>(fleet, machine);
}

}  // namespace fleet
