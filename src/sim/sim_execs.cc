#include <utility>

#include "sim/sim_state.h"
#include "swarmlib/status.h"
#include "wire/host_config.h"
#include "wire/json.h"

namespace swarm {

Reply SimState::CreateExec(SimContainer& container, const SimCall& call) {
  JsonDocument document;
  if (const absl::Status parsed = document.Parse(call.body); !parsed.ok())
    return SimError(400, MessageOf(parsed));
  const JsonValue root = document.root();
  const auto command = TextsField(root, "Cmd");
  if (!command.ok()) return SimError(400, MessageOf(command.status()));
  if (command->empty()) return SimError(400, "No exec command specified");
  if (container.state == ContainerState::kPaused) {
    return SimError(409,
                    "Container " + container.id + " is paused, unpause the container before exec");
  }
  if (!IsUp(container)) return SimError(409, "Container " + container.id + " is not running");
  SimExec exec;
  exec.id = NewId();
  exec.container = container.id;
  exec.arguments = *command;
  exec.tty = root.Find("Tty").boolean();
  exec.attach_stdin = root.Find("AttachStdin").boolean();
  container.execs.push_back(exec.id);
  EmitOf(container, "exec_create: " + exec.arguments.front(), {{"execID", exec.id}});
  const std::string id = exec.id;
  execs_.emplace(id, std::move(exec));
  return SimJson(201, "{\"Id\":\"" + id + "\"}\n");
}

ProcessHost SimState::HostOf(const SimExec& exec, const SimContainer& container) {
  ProcessHost host = HostOf(container);
  host.print = [this, id = exec.id](std::string_view bytes, bool is_error) {
    const auto found = execs_.find(id);
    if (found == execs_.end() || !found->second.queue) return;
    found->second.queue->Append(found->second.tty ? std::string(bytes) : SimFrame(bytes, is_error));
  };
  host.sleep = [this, id = exec.id](Duration delay) {
    Loop::Current()->After(delay, [weak = weak_from_this(), id] {
      const auto state = weak.lock();
      if (!state) return;
      const std::lock_guard lock(state->mutex_);
      const auto found = state->execs_.find(id);
      if (found == state->execs_.end() || !found->second.process) return;
      found->second.process->Wake();
      state->AfterExecStep(found->second);
    });
  };
  return host;
}

void SimState::AfterExecStep(SimExec& exec) {
  if (!exec.process || !exec.process->exit_code()) return;
  exec.exit_code = *exec.process->exit_code();
  exec.running = false;
  exec.process.reset();
  if (exec.queue) exec.queue->Close();
  const auto container = containers_.find(exec.container);
  if (container == containers_.end()) return;
  EmitOf(container->second, "exec_die",
         {{"execID", exec.id}, {"exitCode", std::to_string(exec.exit_code)}});
}

Reply SimState::StartExec(SimExec& exec, const SimCall& call) {
  if (exec.started) return SimError(409, "Error: Exec command " + exec.id + " has already run");
  const auto container = containers_.find(exec.container);
  if (container == containers_.end() || !IsUp(container->second)) {
    return SimError(409, "Container " + exec.container + " is not running");
  }
  JsonDocument document;
  const bool detached = document.Parse(call.body).ok() && document.root().Find("Detach").boolean();
  exec.started = exec.running = true;
  exec.queue = NewQueue();
  std::shared_ptr<ByteQueue> queue = exec.queue;
  EmitOf(container->second, "exec_start: " + exec.arguments.front(), {{"execID", exec.id}});
  exec.process =
      std::make_unique<SimProcess>(exec.arguments, true, HostOf(exec, container->second));
  const bool has_input = exec.attach_stdin && !detached;
  const std::string id = exec.id;
  const bool tty = exec.tty;
  exec.process->Start();
  if (!has_input) exec.process->EndInput();
  AfterExecStep(exec);
  if (detached) {
    queue->Abandon();
    return SimEmpty(200);
  }
  MemoryStream::Sink sink = [weak = weak_from_this(), id, has_input](std::string_view bytes,
                                                                     bool end) {
    const auto state = weak.lock();
    if (!state || !has_input) return;
    const std::lock_guard lock(state->mutex_);
    const auto found = state->execs_.find(id);
    if (found == state->execs_.end() || !found->second.process) return;
    if (!bytes.empty()) found->second.process->Feed(bytes);
    if (end) found->second.process->EndInput();
    state->AfterExecStep(found->second);
  };
  return SimTunnel(std::move(queue), std::move(sink), call, tty);
}

Reply SimState::InspectExec(const SimExec& exec) const {
  std::string json = "{";
  AppendJsonField(json, "ID", exec.id);
  AppendJsonField(json, "Running", exec.running);
  AppendJsonKey(json, "ExitCode");
  json.append(exec.running || !exec.started ? "null" : std::to_string(exec.exit_code));
  AppendJsonKey(json, "ProcessConfig");
  json.push_back('{');
  AppendJsonField(json, "tty", exec.tty);
  AppendJsonField(json, "entrypoint", exec.arguments.front());
  AppendJsonKey(json, "arguments");
  AppendJsonStrings(json, {exec.arguments.begin() + 1, exec.arguments.end()});
  json.push_back('}');
  AppendJsonField(json, "OpenStdin", exec.attach_stdin);
  AppendJsonField(json, "CanRemove", false);
  AppendJsonField(json, "ContainerID", exec.container);
  AppendJsonField(json, "Pid", exec.running ? 2000 : 0);
  return SimJson(200, json + "}\n");
}

}  // namespace swarm
