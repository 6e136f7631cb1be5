#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings/c/json.h"
#include "bindings/c/request.h"
#include "bindings/c/utf8.h"
#include "swarmlib/status.h"

// The answer of GET /events, line by line.
struct swarm_events {
  std::unique_ptr<swarm::Exchange> exchange;
  pid_t process = 0;  // that opened it
  std::string buffer;
  std::string mended;       // the event handed out last, when it was no UTF-8
  std::size_t taken = 0;    // of `buffer`, by the event handed out last
  std::size_t scanned = 0;  // of `buffer`: no line ends before
  bool ended = false;
};
SWARM_HANDLE(swarm_events);

using namespace swarm::c;

namespace {

constexpr auto kHeadTimeout = std::chrono::seconds(60);
constexpr std::size_t kMostEvent = 16U << 20U;  // bytes
constexpr std::size_t kMostRead = 16U << 10U;   // bytes at once

absl::Status Open(swarm_events& events) {
  if (absl::Status head = events.exchange->WaitHead(kHeadTimeout); !head.ok()) return head;
  if (events.exchange->status() == 200) return absl::OkStatus();
  const absl::StatusOr<std::string> body = events.exchange->ReadAll(kMostEvent, kHeadTimeout);
  if (!body.ok()) return body.status();
  return swarm::StatusOfReply(events.exchange->status(), events.exchange->headers(), *body);
}

// Hands out the line that ends at `end`, of which `taken` counts the line feed too.
const char* HandOut(swarm_events& events, std::size_t end, std::size_t taken) {
  events.taken = taken;
  const std::string_view line = std::string_view(events.buffer).substr(0, end);
  if (!IsUtf8(line)) {
    events.mended = ToUtf8(std::string(line));
    return events.mended.c_str();
  }
  if (end == events.buffer.size()) return events.buffer.c_str();
  events.buffer[end] = '\0';
  return events.buffer.c_str();
}

// NULL when the events have ended.
absl::StatusOr<const char*> Next(swarm_events& events, std::int64_t timeout_ms) {
  events.buffer.erase(0, std::exchange(events.taken, 0));
  events.scanned = 0;
  const auto end = std::chrono::steady_clock::now() + ToDuration(timeout_ms);
  for (;;) {
    const std::size_t line_end = events.buffer.find('\n', events.scanned);
    if (line_end == 0) {
      events.buffer.erase(0, 1);
      continue;
    }
    if (line_end != std::string::npos) return HandOut(events, line_end, line_end + 1);
    events.scanned = events.buffer.size();
    if (events.ended) {
      if (events.buffer.empty()) return nullptr;
      return HandOut(events, events.buffer.size(), events.buffer.size());
    }
    if (events.buffer.size() > kMostEvent)
      return swarm::ResourceExhausted("an event is longer than 16 MiB");
    const auto now = std::chrono::steady_clock::now();
    const swarm::Duration left = now < end ? swarm::Duration(end - now) : swarm::Duration::zero();
    std::vector<char> piece(kMostRead);
    const absl::StatusOr<std::size_t> got = events.exchange->Read(piece, left);
    if (!got.ok()) return got.status();
    events.ended = *got == 0;
    events.buffer.append(piece.data(), *got);
  }
}

}  // namespace

swarm_code swarm_events_open(swarm_manager* manager, const char* filters, const char* since,
                             const char* until, swarm_events** events, swarm_error** error) {
  if (events != nullptr) *events = nullptr;
  return GuardWait("swarm_events_open", error, [&]() -> absl::Status {
    if (absl::Status usable = Usable(manager); !usable.ok()) return usable;
    if (absl::Status wanted = Wanted(events, "events"); !wanted.ok()) return wanted;
    swarm::Request request;
    request.method = "GET";
    request.target = "/events?";
    const std::pair<const char*, const char*> parameters[] = {
        {"filters", filters}, {"since", since}, {"until", until}};
    for (const auto& [key, value] : parameters) {
      if (value != nullptr) request.target += std::string(key) + "=" + PercentEncode(value) + "&";
    }
    request.target.pop_back();
    swarm_events opened;
    opened.exchange = manager->manager->Begin(std::move(request));
    opened.process = manager->process;
    if (absl::Status open = Open(opened); !open.ok()) return open;
    *events = New(std::move(opened));
    return absl::OkStatus();
  });
}

swarm_code swarm_events_next(swarm_events* events, int64_t timeout_ms, const char** event,
                             swarm_error** error) {
  if (event != nullptr) *event = nullptr;
  return GuardWait("swarm_events_next", error, [&]() -> absl::Status {
    if (absl::Status live = CheckHandle(events); !live.ok()) return live;
    if (absl::Status here = CheckProcess(events->process); !here.ok()) return here;
    if (absl::Status wanted = Wanted(event, "event"); !wanted.ok()) return wanted;
    const absl::StatusOr<const char*> next = Next(*events, timeout_ms);
    if (!next.ok()) return next.status();
    *event = *next;
    return absl::OkStatus();
  });
}

void swarm_events_cancel(swarm_events* events) {
  if (!IsLive(events, "swarm_events_cancel") || !CheckProcess(events->process).ok()) return;
  GuardValue(0, [events] {
    events->exchange->Abort();
    return 0;
  });
}

void swarm_events_free(swarm_events* events) {
  constexpr char kCall[] = "swarm_events_free";
  if (!IsLive(events, kCall)) return;
  // What is the parent's cannot be ended here.
  if (!CheckProcess(events->process).ok()) static_cast<void>(events->exchange.release());
  Free(events, kCall);
}
