#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "sim/sim_state.h"
#include "wire/host_config.h"
#include "wire/json.h"

namespace swarm {
namespace {

constexpr int kKilled = 137;      // 128 + SIGKILL
constexpr int kTerminated = 143;  // 128 + SIGTERM
constexpr int kSignalExit = 128;
constexpr std::uint16_t kFirstEphemeral = 32'768;

struct Signal {
  std::string_view name;
  int number;
  bool ends;
};

constexpr Signal kSignals[] = {{"HUP", 1, true},    {"INT", 2, true},    {"QUIT", 3, true},
                               {"KILL", 9, true},   {"USR1", 10, true},  {"USR2", 12, true},
                               {"TERM", 15, true},  {"CHLD", 17, false}, {"CONT", 18, false},
                               {"STOP", 19, false}, {"URG", 23, false},  {"WINCH", 28, false}};

const Signal* FindSignal(std::string text) {
  for (char& letter : text)
    letter = static_cast<char>(letter >= 'a' && letter <= 'z' ? letter - 32 : letter);
  std::string_view name = text;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (const Signal& signal : kSignals) {
    if (signal.name == name || std::to_string(signal.number) == name) return &signal;
  }
  return nullptr;
}

bool Overlap(const std::string& left, const std::string& right) {
  return left == right || IsEveryAddress(left) || IsEveryAddress(right);
}

Reply NotStarted(SimContainer& container, const std::string& why) {
  constexpr int kNotStarted = 128;
  container.exit_code = kNotStarted;
  container.error = why;
  return SimError(500, why);
}

std::string WaitText(const SimContainer& container) {
  const std::string error =
      container.error.empty() ? "null" : "{\"Message\":" + JsonString(container.error) + "}";
  return "{\"Error\":" + error + ",\"StatusCode\":" + std::to_string(container.exit_code) + "}\n";
}

}  // namespace

const SimContainer* SimState::HolderOf(const PortBinding& wanted, std::uint16_t port) const {
  for (const auto& [id, container] : containers_) {
    for (const PortBinding& bound : container.bound) {
      if (bound.host_first == port && bound.protocol == wanted.protocol &&
          Overlap(bound.host_ip, wanted.host_ip)) {
        return &container;
      }
    }
  }
  return nullptr;
}

std::uint16_t SimState::FreePort(const PortBinding& wanted) const {
  const int first = wanted.host_first == 0 ? kFirstEphemeral : wanted.host_first;
  const int last = wanted.host_first == 0 ? 65'535 : wanted.host_last;
  for (int port = first; port <= last; ++port) {
    if (HolderOf(wanted, static_cast<std::uint16_t>(port)) == nullptr)
      return static_cast<std::uint16_t>(port);
  }
  return 0;
}

// The engine's words when a port is held.
std::optional<std::string> SimState::TakePorts(SimContainer& container) {
  const bool has_network = container.network_mode != "host" && container.network_mode != "none" &&
                           !container.network_mode.starts_with("container:");
  if (!has_network) return std::nullopt;
  std::vector<PortBinding> wanted = container.wanted;
  for (const PortBinding& port : container.exposed) {
    const bool is_bound =
        std::any_of(wanted.begin(), wanted.end(), [&port](const PortBinding& one) {
          return one.container_port == port.container_port && one.protocol == port.protocol;
        });
    if (container.publish_all && !is_bound)
      wanted.push_back({"", 0, 0, port.container_port, port.protocol});
  }
  for (PortBinding port : wanted) {
    const std::uint16_t free = FreePort(port);
    if (free == 0) {
      container.bound.clear();
      return "driver failed programming external connectivity on endpoint " + container.name +
             " (" + SimIdOf("endpoint " + container.id) + "): Bind for " +
             (port.host_ip.empty() ? "0.0.0.0" : port.host_ip) + ":" +
             std::to_string(port.host_first) + " failed: port is already allocated";
    }
    port.host_first = port.host_last = free;
    container.bound.push_back(std::move(port));
  }
  return std::nullopt;
}

ProcessHost SimState::HostOf(const SimContainer& container) {
  ProcessHost host;
  host.env = container.env;
  host.host_name = container.host_name;
  // The process lives inside the container and is only run under the state's lock.
  host.print = [this, id = container.id](std::string_view bytes, bool is_error) {
    const auto found = containers_.find(id);
    if (found != containers_.end()) Print(found->second, bytes, is_error);
  };
  host.sleep = [this, id = container.id, run = container.run](Duration delay) {
    Loop::Current()->After(delay, [weak = weak_from_this(), id, run] {
      if (const auto state = weak.lock()) state->Wake(id, run);
    });
  };
  host.file = [this, id = container.id](std::string_view path) -> std::optional<std::string> {
    const auto& files = containers_.at(id).files;
    const auto found = files.find(std::string(path));
    if (found == files.end()) return std::nullopt;
    return found->second;
  };
  return host;
}

void SimState::Wake(const std::string& container_id, std::uint64_t run) {
  const std::lock_guard lock(mutex_);
  const auto found = containers_.find(container_id);
  if (found == containers_.end() || found->second.run != run || !found->second.process) return;
  found->second.process->Wake();
  AfterStep(found->second);
}

void SimState::AfterStep(SimContainer& container) {
  if (container.process && container.process->exit_code())
    Ended(container, *container.process->exit_code());
}

void SimState::Run(SimContainer& container) {
  ++container.run;
  container.state = ContainerState::kRunning;
  container.exit_code = 0;
  container.error.clear();
  container.started = Now();
  container.process = std::make_unique<SimProcess>(container.arguments, false, HostOf(container));
  EmitOfNetwork(container, "connect");
  EmitOf(container, "start");
  container.process->Start();
  if (!container.early_input.empty())
    container.process->Feed(std::exchange(container.early_input, {}));
  if (!container.open_stdin || std::exchange(container.early_end, false))
    container.process->EndInput();
  AfterStep(container);
}

void SimState::Ended(SimContainer& container, int exit_code) {
  const std::string id = container.id;
  container.process.reset();
  container.state = ContainerState::kExited;
  container.exit_code = exit_code;
  container.finished = Now();
  container.bound.clear();
  for (const std::string& exec_id : container.execs) {
    const auto exec = execs_.find(exec_id);
    if (exec == execs_.end() || !exec->second.running) continue;
    exec->second.running = false;
    exec->second.exit_code = kKilled;
    exec->second.process.reset();
    exec->second.queue->Close();
  }
  EmitOf(container, "die", {{"exitCode", std::to_string(exit_code)}});
  EmitOfNetwork(container, "disconnect");
  for (const SimReader& reader : std::exchange(container.readers, {})) reader.queue->Close();
  TellWaiters(container, false);
  if (container.auto_remove) Erase(container);
}

void SimState::TellWaiters(SimContainer& container, bool is_removed) {
  std::erase_if(container.waiters, [&](const SimWaiter& waiter) {
    if (waiter.condition == SimWaiter::Condition::kRemoved && !is_removed) return false;
    waiter.queue->Append(WaitText(container));
    waiter.queue->Close();
    return true;
  });
}

Reply SimState::Start(SimContainer& container) {
  if (container.state == ContainerState::kPaused) {
    return SimError(409, "cannot start a paused container, try unpause instead");
  }
  if (IsUp(container)) return SimEmpty(304);
  if (const std::string missing = MissingNetwork(container); !missing.empty()) {
    return SimError(404, "network " + missing + " not found");
  }
  if (const auto refusal = TakePorts(container)) return NotStarted(container, *refusal);
  Run(container);
  return SimEmpty(204);
}

Reply SimState::Stop(SimContainer& container, const SimCall&) {
  if (!IsUp(container)) return SimEmpty(304);
  const std::string id = container.id;
  EmitOf(container, "kill", {{"signal", "15"}});
  Ended(container, kTerminated);
  // With AutoRemove it is gone by now.
  const auto found = containers_.find(id);
  if (found != containers_.end()) EmitOf(found->second, "stop");
  return SimEmpty(204);
}

Reply SimState::Kill(SimContainer& container, const SimCall& call) {
  if (!IsUp(container)) {
    return SimError(409, "Cannot kill container: " + container.name + ": Container " +
                             container.id + " is not running");
  }
  std::string name = QueryText(call.query, "signal");
  if (name.empty()) name = "KILL";
  const Signal* signal = FindSignal(name);
  if (signal == nullptr) return SimError(400, "Invalid signal: " + name);
  EmitOf(container, "kill", {{"signal", std::to_string(signal->number)}});
  if (signal->ends) Ended(container, kSignalExit + signal->number);
  return SimEmpty(204);
}

Reply SimState::RestartContainer(SimContainer& container) {
  if (IsUp(container)) {
    EmitOf(container, "kill", {{"signal", "15"}});
    const bool auto_remove = std::exchange(container.auto_remove, false);
    Ended(container, kTerminated);
    container.auto_remove = auto_remove;
    EmitOf(container, "stop");
  }
  if (const std::string missing = MissingNetwork(container); !missing.empty()) {
    return SimError(404, "network " + missing + " not found");
  }
  if (const auto refusal = TakePorts(container)) return NotStarted(container, *refusal);
  const std::string id = container.id;
  Run(container);
  const auto found = containers_.find(id);
  if (found != containers_.end()) EmitOf(found->second, "restart");
  return SimEmpty(204);
}

Reply SimState::Pause(SimContainer& container, bool on) {
  if (!IsUp(container)) return SimError(409, "Container " + container.id + " is not running");
  if (on == (container.state == ContainerState::kPaused)) {
    return on ? SimError(409, "Container " + container.id + " is already paused")
              : SimError(500, "Container " + container.id + " is not paused");
  }
  container.state = on ? ContainerState::kPaused : ContainerState::kRunning;
  EmitOf(container, on ? "pause" : "unpause");
  return SimEmpty(204);
}

Reply SimState::Wait(SimContainer& container, const SimCall& call) {
  const std::string condition = QueryText(call.query, "condition");
  SimWaiter waiter;
  waiter.queue = NewQueue();
  if (condition == "next-exit") {
    waiter.condition = SimWaiter::Condition::kNextExit;
  } else if (condition == "removed") {
    waiter.condition = SimWaiter::Condition::kRemoved;
  } else if (!condition.empty() && condition != "not-running") {
    return SimError(400, "invalid condition: \"" + condition + "\"");
  }
  std::erase_if(container.waiters, [](const SimWaiter& one) { return one.queue->abandoned(); });
  if (waiter.condition == SimWaiter::Condition::kNotRunning && !IsUp(container)) {
    waiter.queue->Append(WaitText(container));
    waiter.queue->Close();
  } else {
    container.waiters.push_back(waiter);
  }
  return SimStream(std::move(waiter.queue), "application/json");
}

bool SimState::EndProcess(std::string_view container, int exit_code) {
  const std::lock_guard lock(mutex_);
  SimContainer* found = Find(container);
  if (found == nullptr || !IsUp(*found)) return false;
  Ended(*found, exit_code);
  return true;
}

void SimState::Restart() {
  DropConnections();
  const std::lock_guard lock(mutex_);
  std::vector<std::string> running;
  for (const auto& [id, container] : containers_) {
    if (IsUp(container)) running.push_back(id);
  }
  for (const std::string& id : running) Ended(containers_.at(id), kKilled);
  for (auto& [id, container] : containers_) container.execs.clear();
  execs_.clear();
  events_.clear();
}

}  // namespace swarm
