#include "cluster/session.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "async/await.h"
#include "base/log.h"
#include "cluster/await_within.h"
#include "cluster/engine_calls.h"
#include "cluster/hub.h"
#include "cluster/inspect.h"
#include "swarmlib/status.h"
#include "wire/events.h"

namespace swarm {
namespace {

constexpr std::size_t kReadBytes = 4U << 10U;
// So long may an event wait for the end of our own change that it tells of, which reads the
// container anyway.
constexpr Duration kChangePatience = std::chrono::milliseconds(50);
// So long it may wait for what is to be read before its followers are told: as long as one inspect
// and the ping after it take.
constexpr Duration kReadingPatience = kInspectPatience + kPingPatience;
constexpr std::int64_t kNanosASecond = 1'000'000'000;

std::uint64_t KeyOf(const ClusterEvent& event) {
  std::string key = std::to_string(event.time_nano);
  key.append("|")
      .append(event.type)
      .append("|")
      .append(event.action)
      .append("|")
      .append(event.actor_id);
  return std::max<std::uint64_t>(1, HashOf(key));
}

void LogUnreadable(const Engine& engine, const absl::Status& why) {
  Log(engine.hub().options.log, LogLevel::kWarning, "an engine's event cannot be read",
      {{"node", engine.Label()}, {"reason", std::string(MessageOf(why))}});
}

absl::Status TakeBytes(Session& session, ObjectSplitter& splitter, std::string_view bytes) {
  if (!bytes.empty()) session.silent = false;
  const UnderWay::Moment received = session.engine->under_way().Now();
  std::vector<std::string> objects;
  absl::Status fed = splitter.Feed(bytes, objects);
  for (const std::string& object : objects) {
    absl::StatusOr<ClusterEvent> event = ParseEvent(object, session.engine->node());
    if (!event.ok()) {
      LogUnreadable(*session.engine, event.status());
      session.resync = true;
    } else if (session.seen->Add(*event)) {
      NoteLoss(session);
      session.waiting.push_back({*std::move(event), received});
    }
  }
  if (splitter.TakeSkipped() > 0) {
    // Not an end of the stream: the next one would tell it again, and end by it too.
    const absl::Status why = ResourceExhausted(
        "an event larger than " + std::to_string(kMostEventBytes) + " bytes was left out");
    LogUnreadable(*session.engine, why);
    session.resync = true;
    session.waiting.push_back(
        {EventsLost(session.engine->node(), session.seen->newest(), MessageOf(why))});
  }
  if (fed.ok() && session.waiting.size() > kMostUnappliedEvents) {
    fed = ResourceExhausted("more than " + std::to_string(kMostUnappliedEvents) + " events wait");
  }
  if (!session.waiting.empty()) session.apply_pause.Interrupt();
  return fed;
}

// What one batch of events asks for.
struct Batch {
  struct Wanted {
    std::string id;
    UnderWay::Event latest;  // about it
  };
  std::vector<ClusterEvent> events;
  std::vector<Wanted> reread;  // containers, each once
  std::size_t next = 0;        // of `reread`
  bool images = false;
};

bool StartsWithAny(std::string_view text, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(),
                     [text](std::string_view start) { return text.starts_with(start); });
}

// `kill`, `stop` and `restart` say only what was wanted; `die` and `start` tell what came of it.
bool LeavesContainersAlone(std::string_view action) {
  return StartsWithAny(action, {"exec_", "top", "resize", "export", "attach", "detach", "copy",
                                "archive-path", "extract-to-dir", "kill", "stop", "restart"});
}

// True when the event says all that it changes.
bool TakeHealth(Session& session, const ClusterEvent& event) {
  constexpr std::string_view kHealth = "health_status: ";
  if (!event.action.starts_with(kHealth)) return false;
  return session.engine->hub().state.PublishHealth(
      session.engine->member(), event.actor_id,
      std::string_view(event.action).substr(kHealth.size()));
}

// The container must be read after this event.
void Want(Session& session, Batch& batch, const std::string& id, UnderWay::Event event) {
  if (id.empty()) return;
  const auto known = std::find_if(batch.reread.begin(), batch.reread.end(),
                                  [&id](const Batch::Wanted& wanted) { return wanted.id == id; });
  if (known == batch.reread.end()) {
    batch.reread.push_back({id, std::move(event)});
  } else {
    session.engine->under_way().Pass(known->latest);
    known->latest = std::move(event);
  }
}

bool IsWanted(const Batch& batch, const std::string& id) {
  return std::any_of(batch.reread.begin(), batch.reread.end(),
                     [&id](const Batch::Wanted& wanted) { return wanted.id == id; });
}

void NoteContainerEvent(Session& session, const ReceivedEvent& received, Batch& batch) {
  const ClusterEvent& event = received.event;
  const std::string& id = event.actor_id;
  if (LeavesContainersAlone(event.action)) return;
  if (!IsWanted(batch, id) && TakeHealth(session, event)) return;
  const bool is_new = event.action == "create";
  std::string key = is_new ? UnderWay::KeyOfName(std::string(AttributeOf(event, "name"))) : id;
  Want(session, batch, id, {std::move(key), event.action, received.received});
}

void Note(Session& session, const ReceivedEvent& received, std::vector<std::string>& gone,
          Batch& batch) {
  const ClusterEvent& event = received.event;
  if (event.type == "container") {
    if (event.action == "commit") batch.images = true;
    if (event.action == "destroy") {
      gone.push_back(event.actor_id);
    } else {
      NoteContainerEvent(session, received, batch);
    }
  } else if (event.type == "image") {
    batch.images = true;
  } else if (event.type == "network") {
    const auto container = event.attributes.find("container");
    if (container == event.attributes.end()) return;
    const std::string& id = container->second;
    Want(session, batch, id, {id, event.action, received.received});
  } else if (event.type == "daemon") {
    session.resync = true;
  }
}

void EraseGone(Session& session, const std::vector<std::string>& gone, Batch& batch) {
  SharedState& state = session.engine->hub().state;
  const Member member = session.engine->member();
  for (const std::string& id : gone) {
    session.engine->hub().put_off.Forget(*session.engine, id);
    std::erase_if(batch.reread, [&id](const Batch::Wanted& wanted) { return wanted.id == id; });
    const std::uint64_t read = state.BeginRead(member);
    state.PublishContainer(member, read, id, nullptr);
    state.EndRead(member, read);
  }
}

std::size_t EventsATurn(const Session& session) {
  return std::max(kEventsATurn, session.waiting.size() / kWaitingEventsATurn);
}

Task<void> TakeBatch(std::shared_ptr<Session> session, std::shared_ptr<Batch> batch) {
  std::vector<std::string> gone;
  std::size_t left = EventsATurn(*session);
  while (!session->waiting.empty() && batch->events.size() < kMostEventsAtOnce) {
    ReceivedEvent received = std::move(session->waiting.front());
    session->waiting.pop_front();
    Note(*session, received, gone, *batch);
    batch->events.push_back(std::move(received.event));
    if (--left > 0) continue;
    EraseGone(*session, std::exchange(gone, {}), *batch);
    co_await Yield();
    left = EventsATurn(*session);
  }
  EraseGone(*session, gone, *batch);
}

// Who follows the events finds in the state what they tell of, unless its reading hangs.
Task<void> ReadPutOff(std::shared_ptr<Engine> engine) {
  if (engine->hub().listeners == 0 || engine->hub().put_off.empty()) co_return;
  Loop* const home = engine->home();
  auto start = [engine](Callback<bool> done) {
    const TimePoint now = engine->home()->clock().Now();
    engine->hub().put_off.ReadNow(now, kReadingPatience, engine.get(),
                                  [done = std::move(done)]() mutable { done(true); });
  };
  co_await AwaitWithin(home, kReadingPatience, std::move(start));
}

Task<void> RereadSome(std::shared_ptr<Session> session, std::shared_ptr<Batch> batch) {
  while (!session->over && batch->next < batch->reread.size()) {
    Batch::Wanted wanted = std::move(batch->reread[batch->next++]);
    const bool is_read =
        co_await IsReadByChange(session->engine->under_way(), session->engine->home(),
                                std::move(wanted.latest), kChangePatience);
    if (is_read) co_await ReadPutOff(session->engine);
    if (is_read || session->over) continue;
    const absl::Status status =
        co_await Reread(session->engine, std::move(wanted.id), session->stop.get_token());
    if (!status.ok()) session->resync = true;
  }
}

Task<void> ApplyBatch(std::shared_ptr<Session> session, std::shared_ptr<Batch> batch) {
  const std::size_t workers = std::min<std::size_t>(batch->reread.size(), kMostInspectsPerEngine);
  std::vector<Task<void>> tasks;
  for (std::size_t i = 0; i < workers; ++i) tasks.push_back(RereadSome(session, batch));
  co_await RunAll(std::move(tasks));
  if (batch->images && !session->over) {
    const absl::Status status = co_await RereadImages(session->engine, session->stop.get_token());
    if (!status.ok()) session->resync = true;
  }
  std::size_t left = EventsATurn(*session);
  for (ClusterEvent& event : batch->events) {
    session->engine->hub().bus.Publish(std::move(event));
    if (--left > 0) continue;
    co_await Yield();
    left = EventsATurn(*session);
  }
}

}  // namespace

void SeenEvents::BeginAt(std::int64_t engine_nano) {
  if (!opened_) begin_ = engine_nano;
}

bool SeenEvents::Opened() {
  awaits_newest_ = opened_ && newest_ != 0;
  return !std::exchange(opened_, true);
}

bool SeenEvents::TakeLoss() { return std::exchange(awaits_newest_, false); }

bool SeenEvents::Add(const ClusterEvent& event) {
  // Engines that know whole seconds only replay a little more. What is older than that was not
  // replayed: the clock was set back.
  if (event.time_nano < begin_ && event.time_nano >= begin_ - kNanosASecond) return false;
  const std::uint64_t key = KeyOf(event);
  if (key == newest_key_) awaits_newest_ = false;
  // Only near the newest can there be a double.
  if (event.time_nano <= newest_ && std::find(keys_.begin(), keys_.end(), key) != keys_.end())
    return false;
  keys_[next_] = key;
  next_ = (next_ + 1) % kRemembered;
  if (event.time_nano >= newest_) newest_key_ = key;
  newest_ = std::max(newest_, event.time_nano);
  return true;
}

std::string SeenEvents::Since() const {
  std::int64_t since = begin_;
  if (newest_ != 0) {
    // A second more: events are not always sent in the order of their times.
    since = std::max<std::int64_t>(0, newest_ - kNanosASecond);
    if (newest_ >= begin_) since = std::max(since, begin_);
  }
  if (since == 0) return {};
  char text[64];
  std::snprintf(text, sizeof text, "%lld.%09lld", static_cast<long long>(since / kNanosASecond),
                static_cast<long long>(since % kNanosASecond));
  return text;
}

void Session::End() {
  if (std::exchange(over, true)) return;
  if (stream) stream->Abort();
  tick_pause.Interrupt();
  apply_pause.Interrupt();
  stop.request_stop();
}

Task<absl::Status> OpenEvents(std::shared_ptr<Session> session) {
  std::string target = session->engine->version_prefix() + "/events";
  const std::string since = session->seen->Since();
  if (!since.empty()) target.append("?since=").append(since);
  Request request = MakeRequest("GET", std::move(target));
  CallOptions options;
  options.timeout = session->engine->hub().options.engine_timeout;
  options.stop = session->engine->stop_token();
  absl::StatusOr<Reply> reply =
      co_await OpenStream(session->engine->client(), std::move(request), std::move(options));
  const absl::Status answered = CheckAnswer(reply, "GET /events");
  if (!answered.ok()) co_return answered;
  if (!reply->body_stream) co_return Internal("GET /events was answered without a stream");
  session->engine->under_way().ForgetFinished();
  if (session->seen->Opened()) {
    const std::int64_t begin = session->seen->begin();
    session->engine->hub().bus.BeginFollowing(
        session->engine->address(),
        begin != 0 ? begin : session->engine->hub().WallNow().time_since_epoch().count());
  }
  session->stream = std::move(reply->body_stream);
  session->first_bytes = std::move(reply->body);
  co_return absl::OkStatus();
}

Task<void> ReadEvents(std::shared_ptr<Session> session) {
  ObjectSplitter splitter(kMostEventBytes, ObjectSplitter::Larger::kSkip);
  absl::Status taken = TakeBytes(*session, splitter, session->first_bytes);
  std::vector<char> buffer(kReadBytes);
  while (!session->over && taken.ok()) {
    const std::span<char> into(buffer);
    const absl::StatusOr<std::size_t> got = co_await Read(*session->stream, into);
    // Once it is over nobody applies them: not seen, they are told again by the next stream.
    if (session->over || !got.ok() || *got == 0) break;
    const std::string_view bytes(buffer.data(), *got);
    taken = TakeBytes(*session, splitter, bytes);
  }
  if (!taken.ok()) LogUnreadable(*session->engine, taken);
  session->End();
}

void NoteLoss(Session& session) {
  if (!session.seen->TakeLoss()) return;
  const Engine& engine = *session.engine;
  Log(engine.hub().options.log, LogLevel::kWarning,
      "an engine has forgotten what happened while its events were not followed",
      {{"node", engine.Label()}});
  session.waiting.push_back(
      {EventsLost(engine.node(), session.seen->newest(),
                  "the engine has forgotten what happened while its events were not followed")});
}

void ForwardWaiting(Session& session) {
  for (ReceivedEvent& received : session.waiting) {
    session.engine->hub().bus.Publish(std::move(received.event));
  }
  session.waiting.clear();
}

Task<void> ApplyEvents(std::shared_ptr<Session> session) {
  for (;;) {
    if (session->waiting.empty()) {
      if (session->over) co_return;
      co_await session->apply_pause.For(session->engine->home(), kLongPause);
      continue;
    }
    auto batch = std::make_shared<Batch>();
    co_await TakeBatch(session, batch);
    co_await ApplyBatch(session, std::move(batch));
  }
}

}  // namespace swarm
