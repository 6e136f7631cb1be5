#include <algorithm>
#include <utility>

#include "base/text.h"
#include "sim/sim_state.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

constexpr Duration kStatsPeriod = std::chrono::seconds(1);
constexpr char kEndOfInput = '\x04';  // Ctrl-D

std::optional<std::int64_t> SecondsOf(const Query& query, std::string_view key) {
  const std::string text = QueryText(query, key);
  if (text.empty() || text == "0") return std::nullopt;
  if (const auto time = ParseTime(text)) return time->time_since_epoch().count();
  return std::strtoll(text.c_str(), nullptr, 10) * 1'000'000'000;
}

}  // namespace

void SimState::GiveEntry(const SimContainer& container, const SimReader& reader,
                         const SimLogEntry& entry) const {
  if (entry.is_error ? !reader.takes_errors : !reader.takes_output) return;
  std::string bytes = reader.with_times ? FormatTime(entry.time) + " " : std::string();
  bytes.append(entry.bytes);
  reader.queue->Append(container.tty ? bytes : SimFrame(bytes, entry.is_error));
}

void SimState::Print(SimContainer& container, std::string_view bytes, bool is_error) {
  SimLogEntry entry{Now(), is_error && !container.tty, std::string(bytes)};
  std::erase_if(container.readers, [](const SimReader& one) { return one.queue->abandoned(); });
  for (const SimReader& reader : container.readers) GiveEntry(container, reader, entry);
  container.logs.push_back(std::move(entry));
  if (container.logs.size() > kMostSimLogEntries) container.logs.erase(container.logs.begin());
}

void SimState::TakeInput(const std::string& container_id, std::string_view bytes, bool end) {
  const std::lock_guard lock(mutex_);
  const auto found = containers_.find(container_id);
  if (found == containers_.end()) return;
  SimContainer& container = found->second;
  // A terminal outlives those who are attached to it; it is ended by the character for that.
  const std::size_t mark = container.tty ? bytes.find(kEndOfInput) : std::string_view::npos;
  const bool ends =
      mark != std::string_view::npos || (end && container.stdin_once && !container.tty);
  bytes = bytes.substr(0, mark);
  if (!container.process) {
    container.early_input.append(bytes);
    container.early_end = container.early_end || ends;
    return;
  }
  if (!bytes.empty()) container.process->Feed(bytes);
  if (ends) container.process->EndInput();
  AfterStep(container);
}

Reply SimState::Attach(SimContainer& container, const SimCall& call) {
  if (container.state == ContainerState::kPaused) {
    return SimError(
        409, "container " + container.id + " is paused, unpause the container before attach");
  }
  SimReader reader;
  reader.queue = NewQueue();
  reader.takes_output = QueryFlag(call.query, "stdout", false);
  reader.takes_errors = QueryFlag(call.query, "stderr", false);
  if (QueryFlag(call.query, "logs", false)) {
    for (const SimLogEntry& entry : container.logs) GiveEntry(container, reader, entry);
  }
  const bool goes_on = QueryFlag(call.query, "stream", false);
  if (goes_on) {
    container.readers.push_back(reader);
  } else {
    reader.queue->Close();
  }
  MemoryStream::Sink sink = [](std::string_view, bool) {};
  if (goes_on && QueryFlag(call.query, "stdin", false) && container.open_stdin) {
    sink = [weak = weak_from_this(), id = container.id](std::string_view bytes, bool end) {
      if (const auto state = weak.lock()) state->TakeInput(id, bytes, end);
    };
  }
  EmitOf(container, "attach");
  return SimTunnel(std::move(reader.queue), std::move(sink), call, container.tty);
}

Reply SimState::Logs(SimContainer& container, const SimCall& call) {
  SimReader reader;
  reader.queue = NewQueue();
  reader.takes_output = QueryFlag(call.query, "stdout", false);
  reader.takes_errors = QueryFlag(call.query, "stderr", false);
  reader.with_times = QueryFlag(call.query, "timestamps", false);
  if (!reader.takes_output && !reader.takes_errors) {
    return SimError(400, "Bad parameters: you must choose at least one stream");
  }
  const auto since = SecondsOf(call.query, "since");
  const auto until = SecondsOf(call.query, "until");
  const std::optional<std::uint64_t> tail = ParseUnsigned(QueryText(call.query, "tail"));
  std::size_t first = 0;
  if (tail && *tail < container.logs.size()) first = container.logs.size() - *tail;
  for (std::size_t i = first; i < container.logs.size(); ++i) {
    const std::int64_t time = container.logs[i].time.time_since_epoch().count();
    if ((since && time < *since) || (until && time > *until)) continue;
    GiveEntry(container, reader, container.logs[i]);
  }
  if (QueryFlag(call.query, "follow", false) && IsUp(container)) {
    container.readers.push_back(reader);
  } else {
    reader.queue->Close();
  }
  return SimStream(std::move(reader.queue), container.tty
                                                ? "application/vnd.docker.raw-stream"
                                                : "application/vnd.docker.multiplexed-stream");
}

Reply SimState::Top(const SimContainer& container) const {
  if (!IsUp(container)) return SimError(409, "Container " + container.id + " is not running");
  return SimJson(
      200,
      "{\"Processes\":[[\"root\",\"1\",\"0\",\"0\",\"00:00\",\"?\",\"00:00:00\"," +
          JsonString(Join(container.arguments, " ")) +
          "]],\"Titles\":[\"UID\",\"PID\",\"PPID\",\"C\",\"STIME\",\"TTY\",\"TIME\",\"CMD\"]}\n");
}

std::string SimState::StatsOf(const SimContainer& container) const {
  const std::string time = FormatTime(Now());
  const std::string cpu =
      "{\"cpu_usage\":{\"total_usage\":" + std::to_string(IsUp(container) ? 1'000'000 : 0) +
      "},\"system_cpu_usage\":1000000000,\"online_cpus\":" + std::to_string(options_.processors) +
      "}";
  return "{\"read\":\"" + time + "\",\"preread\":\"" + time +
         "\",\"name\":" + JsonString("/" + container.name) + ",\"id\":\"" + container.id +
         "\",\"num_procs\":0,\"pids_stats\":{\"current\":1},\"cpu_stats\":" + cpu +
         ",\"precpu_stats\":" + cpu +
         ",\"memory_stats\":{\"usage\":1048576,\"limit\":" + std::to_string(options_.memory) +
         "},\"networks\":{}}\n";
}

void SimState::StatsLater(const std::string& container_id, std::shared_ptr<ByteQueue> queue) {
  Loop::Current()->After(kStatsPeriod, [weak = weak_from_this(), container_id, queue] {
    const auto state = weak.lock();
    if (!state || queue->abandoned()) return;
    const std::lock_guard lock(state->mutex_);
    const auto found = state->containers_.find(container_id);
    if (found == state->containers_.end()) {
      queue->Close();
      return;
    }
    queue->Append(state->StatsOf(found->second));
    state->StatsLater(container_id, queue);
  });
}

Reply SimState::Stats(SimContainer& container, const SimCall& call) {
  if (!QueryFlag(call.query, "stream", true)) return SimJson(200, StatsOf(container));
  std::shared_ptr<ByteQueue> queue = NewQueue();
  queue->Append(StatsOf(container));
  StatsLater(container.id, queue);
  return SimStream(std::move(queue), "application/json");
}

}  // namespace swarm
