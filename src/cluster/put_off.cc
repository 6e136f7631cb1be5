#include "cluster/put_off.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "cluster/engine.h"
#include "cluster/engine_calls.h"
#include "cluster/hub.h"
#include "cluster/inspect.h"

namespace swarm {
namespace {

// Containers of one list request: its line stays below what every proxy takes.
constexpr std::size_t kMostAtOnce = 64;

}  // namespace

void PutOffReadings::Add(const std::shared_ptr<Engine>& engine, std::string id) {
  const TimePoint due = engine->home()->clock().Now() + kPutOff;
  {
    const std::lock_guard lock(mutex_);
    OfEngine& of = engines_[engine->address()];
    of.engine = engine;
    const auto [known, added] = of.containers.try_emplace(std::move(id));
    if (added) ++unread_;
    known->second.due = due;
    known->second.added = ++last_moment_;
    if (!NeedsTimer(of, due)) return;
  }
  engine->home()->Post([engine, due] { engine->hub().put_off.SetTimer(engine, due); });
}

bool PutOffReadings::Mark(const std::shared_ptr<Engine>& engine, const std::string& id) {
  const TimePoint now = engine->home()->clock().Now();
  TimePoint due{};
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    OfEngine& of = engines_[engine->address()];
    of.engine = engine;
    const auto [known, added] = of.containers.try_emplace(id);
    if (added) ++unread_;
    Unread& unread = known->second;
    is_new = unread.failures == 0;
    unread.added = ++last_moment_;
    unread.reading = 0;
    NoteFailure(unread, now);
    due = unread.due;
    if (!NeedsTimer(of, due)) return is_new;
  }
  engine->home()->Post([engine, due] { engine->hub().put_off.SetTimer(engine, due); });
  return is_new;
}

bool PutOffReadings::NeedsTimer(OfEngine& of, TimePoint due) {
  if (of.timer_at <= due) return false;
  of.timer_at = due;
  return true;
}

void PutOffReadings::NoteFailure(Unread& unread, TimePoint now) {
  Duration pause = kReadAgain;
  for (int i = 0; i < unread.failures && pause < kMaxReadAgain; ++i) pause *= 2;
  unread.due = now + std::min(pause, kMaxReadAgain);
  ++unread.failures;
}

TimePoint PutOffReadings::NextTimer(const OfEngine& of, TimePoint now) {
  TimePoint next = TimePoint::max();
  for (const auto& [id, unread] : of.containers) {
    if (unread.reading != 0) continue;
    const bool is_busy = unread.failures > 0 ? of.marked_readings >= kMaxMarkedReadings
                                             : of.readings >= kMostReadings;
    next = std::min(next, is_busy ? std::max(unread.due, now + kPutOff) : unread.due);
  }
  return next;
}

void PutOffReadings::DropIfIdle(const Engine& engine) {
  const auto found = engines_.find(engine.address());
  const OfEngine& of = found->second;
  if (of.containers.empty() && of.readings == 0 && of.marked_readings == 0 &&
      of.timer_at == TimePoint::max()) {
    engines_.erase(found);
  }
}

bool PutOffReadings::IsMarked(const Engine& engine, std::string_view id) const {
  if (empty()) return false;
  const std::lock_guard lock(mutex_);
  const auto of = engines_.find(engine.address());
  if (of == engines_.end()) return false;
  const auto known = of->second.containers.find(id);
  return known != of->second.containers.end() && known->second.failures > 0;
}

StringSet PutOffReadings::MarkedOf(const Engine& engine) const {
  StringSet marked;
  if (empty()) return marked;
  const std::lock_guard lock(mutex_);
  const auto of = engines_.find(engine.address());
  if (of == engines_.end()) return marked;
  for (const auto& [id, unread] : of->second.containers) {
    if (unread.failures > 0) marked.insert(id);
  }
  return marked;
}

void PutOffReadings::Forget(const Engine& engine, std::string_view id) {
  Done(engine, id, ~Moment{0});
}

void PutOffReadings::ForgetAll(const Engine& engine) {
  if (empty()) return;
  const std::lock_guard lock(mutex_);
  const auto of = engines_.find(engine.address());
  if (of == engines_.end()) return;
  unread_ -= of->second.containers.size();
  of->second.containers.clear();
}

PutOffReadings::Moment PutOffReadings::Now() {
  const std::lock_guard lock(mutex_);
  return last_moment_;
}

void PutOffReadings::Done(const Engine& engine, std::string_view id, Moment moment) {
  if (empty()) return;
  const std::lock_guard lock(mutex_);
  const auto of = engines_.find(engine.address());
  if (of == engines_.end()) return;
  const auto known = of->second.containers.find(id);
  if (known == of->second.containers.end() || known->second.added > moment) return;
  of->second.containers.erase(known);
  --unread_;
}

void PutOffReadings::AllDone(const Engine& engine, Moment moment) {
  if (empty()) return;
  const std::lock_guard lock(mutex_);
  const auto of = engines_.find(engine.address());
  if (of == engines_.end()) return;
  unread_ -= std::erase_if(of->second.containers, [moment](const auto& entry) {
    return entry.second.added <= moment && entry.second.failures == 0;
  });
}

void PutOffReadings::ReadNow(TimePoint now, Duration patience, const Engine* engine,
                             Callback<> done) {
  auto waiting = std::make_shared<Waiting>();
  std::vector<Begun> begun;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [address, of] : engines_) {
      if (engine == nullptr || address == engine->address()) Take(of, now, TimePoint::max(), begun);
    }
    for (auto& [number, reading] : readings_) {
      if (engine != nullptr && reading.address != engine->address()) continue;
      if (reading.of_marked || reading.is_silent || now - reading.begun >= patience) continue;
      reading.waiting.push_back(waiting);
      ++waiting->left;
    }
    if (waiting->left > 0) waiting->done = std::move(done);
  }
  Spawn(std::move(begun));
  if (done) done();
}

void PutOffReadings::Begin(OfEngine& of, TimePoint now, bool of_marked, std::vector<Begun>& begun) {
  const std::shared_ptr<Engine> engine = of.engine.lock();
  begun.push_back({engine, {}, ++last_reading_, of_marked});
  readings_[last_reading_] = {engine->address(), now, of_marked, false, {}};
  ++(of_marked ? of.marked_readings : of.readings);
}

void PutOffReadings::Take(OfEngine& of, TimePoint now, TimePoint due, std::vector<Begun>& begun) {
  if (of.engine.expired()) return;
  std::size_t room = 0;
  for (auto& [id, unread] : of.containers) {
    if (unread.reading != 0 || unread.due > due || unread.failures > 0) continue;
    if (room == 0) {
      Begin(of, now, false, begun);
      room = kMostAtOnce;
    }
    unread.reading = last_reading_;
    unread.begun = unread.added;
    begun.back().ids.push_back(id);
    --room;
  }
}

void PutOffReadings::TakeMarked(OfEngine& of, TimePoint now, std::vector<Begun>& begun) {
  if (of.engine.expired() || of.marked_readings >= kMaxMarkedReadings) return;
  std::size_t room = 0;
  for (auto& [id, unread] : of.containers) {
    if (unread.reading != 0 || unread.due > now || unread.failures == 0) continue;
    if (room == 0) {
      Begin(of, now, true, begun);
      room = kMostAtOnce;
    }
    unread.reading = last_reading_;
    unread.begun = unread.added;
    begun.back().ids.push_back(id);
    if (--room == 0) return;
  }
}

void PutOffReadings::Spawn(std::vector<Begun> begun) {
  for (Begun& one : begun) {
    Loop* const home = one.engine->home();
    home->Spawn(Run(std::move(one)));
  }
}

Task<void> PutOffReadings::Run(Begun begun) {
  const CountedWork work(begun.engine->shared_hub());
  if (!begun.of_marked) PingWhenSlow(begun.engine, begun.number);
  std::exception_ptr fault;
  try {
    std::shared_ptr<Engine> engine = begun.engine;
    std::vector<std::string> ids = begun.ids;
    Task<void> reading = Read(std::move(engine), std::move(ids), begun.of_marked);
    co_await std::move(reading);
  } catch (...) {
    fault = std::current_exception();
  }
  begun.engine->hub().put_off.End(begun);
  if (fault) std::rethrow_exception(fault);
}

void PutOffReadings::PingWhenSlow(const std::shared_ptr<Engine>& engine, std::uint64_t number) {
  engine->home()->After(kPingAfter, [engine, number] {
    if (engine->hub().put_off.IsRunning(number)) engine->home()->Spawn(PingBeside(engine, number));
  });
}

Task<void> PutOffReadings::PingBeside(std::shared_ptr<Engine> engine, std::uint64_t number) {
  const CountedWork work(engine->shared_hub());
  const bool answers = co_await AnswersPing(engine, kPingBesidePatience, engine->health_token());
  if (!answers) engine->hub().put_off.Release(number);
}

bool PutOffReadings::IsRunning(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  return readings_.contains(number);
}

void PutOffReadings::Release(std::uint64_t number) {
  std::vector<Callback<>> told;
  {
    const std::lock_guard lock(mutex_);
    const auto reading = readings_.find(number);
    if (reading == readings_.end()) return;
    reading->second.is_silent = true;
    EndWaiting(reading->second, told);
  }
  for (Callback<>& done : told) done();
}

void PutOffReadings::EndWaiting(Reading& reading, std::vector<Callback<>>& told) {
  for (const std::shared_ptr<Waiting>& one : std::exchange(reading.waiting, {})) {
    if (--one->left == 0) told.push_back(std::move(one->done));
  }
}

Task<void> PutOffReadings::Read(std::shared_ptr<Engine> engine, std::vector<std::string> ids,
                                bool of_marked) {
  if (engine->stopping()) {
    for (const std::string& id : ids) engine->hub().put_off.Forget(*engine, id);
    co_return;
  }
  // Before it is well again it is read whole, perhaps by a refresh that has begun already and shows
  // none of these.
  if (!engine->healthy()) co_return;
  absl::Status read;
  if (ids.size() == 1 && !of_marked) {
    std::string id = std::move(ids.front());
    read = co_await Reread(engine, std::move(id), engine->health_token());
  } else {
    // Nobody waits for those that are marked.
    const Duration patience = of_marked ? Duration::max() : kInspectPatience;
    read = co_await RereadSeveral(engine, std::move(ids), patience, engine->health_token());
  }
  (void)read;  // what it did not show is still put off
}

void PutOffReadings::End(const Begun& begun) {
  std::vector<Callback<>> told;
  std::vector<Begun> next;
  TimePoint timer_at = TimePoint::max();
  {
    const std::lock_guard lock(mutex_);
    const auto reading = readings_.find(begun.number);
    Reading ended = std::move(reading->second);
    readings_.erase(reading);
    OfEngine& of = engines_.find(begun.engine->address())->second;
    --(begun.of_marked ? of.marked_readings : of.readings);
    const TimePoint now = begun.engine->home()->clock().Now();
    bool is_wanted_again = false;
    for (const std::string& id : begun.ids) {
      const auto left = of.containers.find(id);
      if (left == of.containers.end() || left->second.reading != begun.number) continue;
      left->second.reading = 0;
      // It was not read, unless it was put off again meanwhile.
      if (left->second.added != left->second.begun) {
        is_wanted_again = true;
      } else if (!begun.engine->healthy() && left->second.failures == 0) {
        left->second.due = now + kReadAgain;  // not the fault of the container
      } else {
        NoteFailure(left->second, now);
      }
    }
    // Who waits sees what was changed meanwhile too.
    if (is_wanted_again && !ended.waiting.empty()) Take(of, now, TimePoint::max(), next);
    for (const Begun& one : next) AddWaiting(readings_[one.number], ended.waiting);
    EndWaiting(ended, told);
    const TimePoint due = NextTimer(of, now);
    if (NeedsTimer(of, due)) timer_at = due;
    DropIfIdle(*begun.engine);
  }
  if (timer_at != TimePoint::max()) SetTimer(begun.engine, timer_at);
  Spawn(std::move(next));
  for (Callback<>& done : told) done();
}

void PutOffReadings::AddWaiting(Reading& reading,
                                const std::vector<std::shared_ptr<Waiting>>& waiting) {
  for (const std::shared_ptr<Waiting>& one : waiting) {
    reading.waiting.push_back(one);
    ++one->left;
  }
}

void PutOffReadings::SetTimer(std::shared_ptr<Engine> engine, TimePoint at) {
  Loop* const home = engine->home();
  const Duration delay = std::max(at - home->clock().Now(), Duration::zero());
  home->After(delay,
              [engine = std::move(engine), at] { engine->hub().put_off.TimerFired(engine, at); });
}

void PutOffReadings::TimerFired(const std::shared_ptr<Engine>& engine, TimePoint at) {
  std::vector<Begun> begun;
  const TimePoint now = engine->home()->clock().Now();
  TimePoint next = TimePoint::max();
  {
    const std::lock_guard lock(mutex_);
    const auto found = engines_.find(engine->address());
    if (found == engines_.end()) return;
    OfEngine& of = found->second;
    if (of.timer_at != at) return;  // an earlier one was set
    // Together with what is due soon.
    if (of.readings < kMostReadings) Take(of, now, now + kPutOff / 2, begun);
    TakeMarked(of, now, begun);
    next = of.timer_at = NextTimer(of, now);
    DropIfIdle(*engine);
  }
  if (next != TimePoint::max()) SetTimer(engine, next);
  Spawn(std::move(begun));
}

}  // namespace swarm
