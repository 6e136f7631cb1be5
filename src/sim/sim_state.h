// The inside of a simulated engine. Private to the sim room.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/memory_stream.h"
#include "sim/sim_engine.h"
#include "sim/sim_process.h"
#include "swarmlib/event.h"
#include "swarmlib/random.h"
#include "wire/api_version.h"
#include "wire/filters.h"
#include "wire/json.h"

namespace swarm {

inline constexpr std::size_t kMostSimLogEntries = 10'000;  // of one container
inline constexpr std::size_t kMostSimEvents = 256;         // kept for `since`, as engines do

struct SimImage {
  std::string id;
  std::vector<std::string> tags;
  std::vector<std::string> command;
  std::uint16_t port = 0;  // exposed; 0 = none
  std::int64_t size = 0;
  std::int64_t created = 1'420'070'400;  // seconds; 2015-01-01
};

// One who reads output: an attached client or `logs -f`.
struct SimReader {
  std::shared_ptr<ByteQueue> queue;
  bool takes_output = true, takes_errors = true, with_times = false;
};

struct SimLogEntry {
  WallTime time;
  bool is_error = false;
  std::string bytes;
};

struct SimWaiter {
  enum class Condition { kNotRunning, kNextExit, kRemoved };
  Condition condition = Condition::kNotRunning;
  std::shared_ptr<ByteQueue> queue;
};

struct SimNetwork {
  std::string id, name, driver;
  std::string ipam = "{\"Driver\":\"default\"}", options = "{}";  // JSON objects as given
  Labels labels;
  WallTime created{};
};

struct SimVolume {
  std::string name;
  Labels labels;
  WallTime created{};
};

struct SimContainer {
  std::string id, name, image, image_id, host_name;
  std::string config, host_config;  // JSON objects as given
  std::vector<std::string> arguments, env;
  Labels labels;
  bool tty = false, open_stdin = false, stdin_once = false, auto_remove = false,
       publish_all = false;
  std::string network_mode;
  std::vector<std::string> networks;                         // names
  std::vector<std::pair<std::string, std::string>> volumes;  // names and destinations
  std::vector<PortBinding> wanted, exposed, bound;
  ContainerState state = ContainerState::kCreated;
  int exit_code = 0;
  std::string error;  // of the last start
  WallTime created{}, started{}, finished{};
  std::unique_ptr<SimProcess> process;
  std::string early_input;  // written by clients that attached before the start
  bool early_end = false;
  std::uint64_t run = 0;    // counts starts, so that a timer of an earlier run is known
  std::uint64_t order = 0;  // of creation
  std::vector<SimLogEntry> logs;
  std::vector<SimReader> readers;
  std::vector<SimWaiter> waiters;
  std::vector<std::string> execs;
  std::map<std::string, std::string> files;
};

struct SimExec {
  std::string id, container;
  std::vector<std::string> arguments;
  bool tty = false, attach_stdin = false, started = false, running = false;
  int exit_code = 0;
  std::unique_ptr<SimProcess> process;
  std::shared_ptr<ByteQueue> queue;
};

// One call, taken apart.
struct SimCall {
  std::string method;
  std::vector<std::string> path;  // segments without the version, percent-decoded
  Query query;
  std::string_view body;
  bool wants_upgrade = false;
  ApiVersion version;
};

class SimState : public std::enable_shared_from_this<SimState> {
 public:
  SimState(SimEngineOptions options, const Clock& clock, std::uint64_t seed);

  Reply Handle(const Request& request);
  void Restart();
  void DropConnections();
  void SetClockSkew(Duration skew);
  void SetId(std::string id);
  bool EndProcess(std::string_view container, int exit_code);
  std::string name() const { return options_.name; }
  std::size_t container_count() const;

 private:
  // sim_state.cc
  Reply Dispatch(SimCall& call);
  Reply DispatchContainer(const SimCall& call);
  Reply DispatchExec(const SimCall& call);
  Reply DispatchImage(const SimCall& call);
  Reply Ping(const SimCall& call) const;
  Reply Version() const;
  Reply Info() const;
  WallTime Now() const { return clock_.Wall() + skew_; }
  std::shared_ptr<ByteQueue> NewQueue();
  std::string NewId() { return random_.Hex(64); }
  SimContainer* Find(std::string_view reference);

  // sim_events.cc
  void Emit(std::string type, std::string action, std::string actor, Labels attributes);
  void EmitOf(const SimContainer& container, std::string action, Labels further = {});
  void EmitOfNetwork(const SimContainer& container, std::string action);
  Reply Events(const SimCall& call);

  // sim_containers.cc
  Reply Create(const SimCall& call);
  Reply List(const SimCall& call);
  Reply Remove(const SimCall& call, SimContainer& container);
  Reply Rename(const SimCall& call, SimContainer& container);
  Reply Update(const SimCall& call, SimContainer& container);
  void Erase(SimContainer& container);

  // sim_inspect.cc
  Reply Inspect(const SimContainer& container) const;
  std::string Row(const SimContainer& container) const;
  Container ModelOf(const SimContainer& container) const;

  // sim_lifecycle.cc
  Reply Start(SimContainer& container);
  Reply Stop(SimContainer& container, const SimCall& call);
  Reply Kill(SimContainer& container, const SimCall& call);
  Reply RestartContainer(SimContainer& container);
  Reply Pause(SimContainer& container, bool on);
  Reply Wait(SimContainer& container, const SimCall& call);
  std::optional<std::string> TakePorts(SimContainer& container);
  std::uint16_t FreePort(const PortBinding& wanted) const;
  const SimContainer* HolderOf(const PortBinding& wanted, std::uint16_t port) const;
  void Run(SimContainer& container);
  void Ended(SimContainer& container, int exit_code);
  // After a process was started, fed or woken: it may have ended.
  void AfterStep(SimContainer& container);
  void Wake(const std::string& container_id, std::uint64_t run);
  void TellWaiters(SimContainer& container, bool is_removed);
  ProcessHost HostOf(const SimContainer& container);

  // sim_streams.cc
  Reply Attach(SimContainer& container, const SimCall& call);
  void TakeInput(const std::string& container_id, std::string_view bytes, bool end);
  Reply Logs(SimContainer& container, const SimCall& call);
  Reply Stats(SimContainer& container, const SimCall& call);
  Reply Top(const SimContainer& container) const;
  void Print(SimContainer& container, std::string_view bytes, bool is_error);
  void GiveEntry(const SimContainer& container, const SimReader& reader,
                 const SimLogEntry& entry) const;
  std::string StatsOf(const SimContainer& container) const;
  void StatsLater(const std::string& container_id, std::shared_ptr<ByteQueue> queue);

  // sim_execs.cc
  Reply CreateExec(SimContainer& container, const SimCall& call);
  Reply StartExec(SimExec& exec, const SimCall& call);
  Reply InspectExec(const SimExec& exec) const;
  void AfterExecStep(SimExec& exec);
  ProcessHost HostOf(const SimExec& exec, const SimContainer& container);

  // sim_images.cc
  void AddImage(std::string_view reference);
  const SimImage* FindImage(std::string_view reference) const;
  Reply ListImages(const SimCall& call) const;
  Reply InspectImage(std::string_view reference) const;
  Reply Pull(const SimCall& call);

  // sim_system.cc
  Reply DiskUsage() const;
  Reply PruneContainers(const SimCall& call);
  Reply Plugins(const SimCall& call) const;

  // sim_image_changes.cc
  Reply TagImage(const SimCall& call, std::string_view reference);
  Reply RemoveImage(const SimCall& call, std::string_view reference);
  Reply PruneImages(const SimCall& call);
  Reply PushImage(const SimCall& call, std::string_view repository) const;
  Reply Commit(const SimCall& call);
  // Takes the name from whichever image has it.
  void GiveTag(const std::string& id, const std::string& full_name);
  const SimContainer* UserOf(const SimImage& image) const;
  void DropImage(const std::string& id);

  // sim_image_archives.cc
  Reply SaveImages(const std::vector<std::string>& references) const;
  Reply LoadImages(const SimCall& call);
  Reply Import(const SimCall& call);

  // sim_builds.cc
  Reply Build(const SimCall& call);

  // sim_networks.cc
  Reply DispatchNetwork(const SimCall& call);
  std::optional<SimNetwork> FindNetwork(std::string_view reference) const;
  std::string NetworkText(const SimNetwork& network, bool with_containers) const;
  Reply ListNetworks(const SimCall& call) const;
  Reply CreateNetwork(const SimCall& call);
  Reply RemoveNetwork(const SimNetwork& network);
  void EraseNetwork(const SimNetwork& network);
  Reply ChangeMember(const SimNetwork& network, const SimCall& call, bool connects);
  Reply PruneNetworks();
  void TakeNetworks(JsonValue body, SimContainer& container);
  std::string EndpointsText(const SimContainer& container) const;
  // A network of the container that is not there; empty when all are.
  std::string MissingNetwork(const SimContainer& container) const;

  // sim_volumes.cc
  Reply DispatchVolume(const SimCall& call);
  std::vector<std::string> UsersOf(std::string_view volume) const;
  bool FilterTakes(const SimVolume& volume, std::string_view filter,
                   const std::string& value) const;
  Reply ListVolumes(const SimCall& call) const;
  SimVolume& AddVolume(std::string name, Labels labels);
  Reply CreateVolume(const SimCall& call);
  Reply RemoveVolume(const SimVolume& volume);
  Reply PruneVolumes(const SimCall& call);
  void TakeVolumes(JsonValue host_config, SimContainer& container);

  // sim_archive.cc
  Reply Archive(SimContainer& container, const SimCall& call);
  Reply Export(const SimContainer& container) const;

  mutable std::mutex mutex_;
  SimEngineOptions options_;
  const Clock& clock_;
  Random random_;
  Duration skew_{};
  std::map<std::string, SimContainer> containers_;  // by id
  std::map<std::string, SimExec> execs_;
  std::vector<SimImage> images_;
  std::vector<SimNetwork> networks_;  // beside those that every engine has
  std::map<std::string, SimVolume> volumes_;
  std::deque<ClusterEvent> events_;
  struct Subscriber {
    std::shared_ptr<ByteQueue> queue;
    FilterArguments filters;
    ApiVersion version;
  };
  std::vector<Subscriber> subscribers_;
  std::vector<std::weak_ptr<ByteQueue>> queues_;
  std::uint64_t created_ = 0;
};

// Answers in the engine's shape.
Reply SimError(int status, std::string_view message);
Reply SimJson(int status, std::string body);
Reply SimEmpty(int status);
// A body still to come through `queue`.
Reply SimStream(std::shared_ptr<ByteQueue> queue, std::string_view content_type);
// 101, or 200 without an Upgrade, and a tunnel.
Reply SimTunnel(std::shared_ptr<ByteQueue> queue, MemoryStream::Sink sink, const SimCall& call,
                bool tty);
// One frame of a stream without a terminal: {1 or 2,0,0,0,length} and the bytes.
std::string SimFrame(std::string_view bytes, bool is_error);
bool OnBridge(const SimContainer& container);
// By the network's name.
bool SimIsIn(const SimContainer& container, std::string_view network);
bool SimLabelIs(const Labels& labels, const std::string& wanted);  // "key" or "key=value"
std::string SimLabels(const Labels& labels);
std::string SimMounts(const SimContainer& container);
std::string SimIdOf(std::string_view text);  // 64 digits drawn from the text alone
bool QueryFlag(const Query& query, std::string_view key, bool otherwise);
std::string QueryText(const Query& query, std::string_view key);
std::vector<std::string> QueryTexts(const Query& query, std::string_view key);
bool IsUp(const SimContainer& container);

}  // namespace swarm
