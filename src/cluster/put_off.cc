#include "cluster/put_off.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "cluster/engine.h"
#include "cluster/engine_calls.h"
#include "cluster/hub.h"

namespace swarm {
namespace {

// Containers of one list request: its line stays below what every proxy takes.
constexpr std::size_t kMostAtOnce = 64;

}  // namespace

void PutOffReadings::Add(const std::shared_ptr<Engine>& engine, std::string id) {
  {
    const std::lock_guard lock(mutex_);
    OfEngine& of = engines_[engine->address()];
    of.engine = engine;
    const auto [known, added] = of.containers.try_emplace(std::move(id));
    if (added) ++unread_;
    known->second.due = engine->home()->clock().Now() + kPutOff;
    known->second.mark = ++last_mark_;
    known->second.failed = false;
    if (std::exchange(of.has_timer, true)) return;
  }
  engine->home()->Post([engine] { engine->hub().put_off.SetTimer(engine, kPutOff); });
}

void PutOffReadings::Forget(const Engine& engine, std::string_view id) {
  Done(engine, id, ~Mark{0});
}

PutOffReadings::Mark PutOffReadings::Now() {
  const std::lock_guard lock(mutex_);
  return last_mark_;
}

void PutOffReadings::Done(const Engine& engine, std::string_view id, Mark mark) {
  if (empty()) return;
  const std::lock_guard lock(mutex_);
  const auto of = engines_.find(engine.address());
  if (of == engines_.end()) return;
  const auto known = of->second.containers.find(id);
  if (known == of->second.containers.end() || known->second.mark > mark) return;
  of->second.containers.erase(known);
  --unread_;
}

void PutOffReadings::AllDone(const Engine& engine, Mark mark) {
  if (empty()) return;
  const std::lock_guard lock(mutex_);
  const auto of = engines_.find(engine.address());
  if (of == engines_.end()) return;
  unread_ -= std::erase_if(of->second.containers,
                           [mark](const auto& entry) { return entry.second.mark <= mark; });
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
      if (now - reading.begun >= patience) continue;
      reading.waiting.push_back(waiting);
      ++waiting->left;
    }
    if (waiting->left > 0) waiting->done = std::move(done);
  }
  Spawn(std::move(begun));
  if (done) done();
}

void PutOffReadings::Take(OfEngine& of, TimePoint now, TimePoint due, std::vector<Begun>& begun) {
  const std::shared_ptr<Engine> engine = of.engine.lock();
  if (!engine) return;
  std::size_t room = 0;
  for (auto& [id, unread] : of.containers) {
    if (unread.reading != 0 || unread.due > (unread.failed ? now : due)) continue;
    if (room == 0) {
      begun.push_back({engine, {}, ++last_reading_});
      readings_[last_reading_] = {engine->address(), now, {}};
      ++of.readings;
      room = kMostAtOnce;
    }
    unread.reading = last_reading_;
    unread.begun = unread.mark;
    begun.back().ids.push_back(id);
    --room;
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
  std::exception_ptr fault;
  try {
    std::shared_ptr<Engine> engine = begun.engine;
    std::vector<std::string> ids = begun.ids;
    Task<void> reading = Read(std::move(engine), std::move(ids));
    co_await std::move(reading);
  } catch (...) {
    fault = std::current_exception();
  }
  begun.engine->hub().put_off.End(begun);
  if (fault) std::rethrow_exception(fault);
}

Task<void> PutOffReadings::Read(std::shared_ptr<Engine> engine, std::vector<std::string> ids) {
  if (!engine->healthy()) {
    // Before it is well again it is read whole.
    for (const std::string& id : ids) engine->hub().put_off.Forget(*engine, id);
    co_return;
  }
  absl::Status read;
  if (ids.size() == 1) {
    std::string id = std::move(ids.front());
    read = co_await Reread(engine, std::move(id), engine->health_token());
  } else {
    read = co_await RereadSeveral(engine, std::move(ids), engine->health_token());
  }
  (void)read;  // what it did not show is still put off
}

void PutOffReadings::End(const Begun& begun) {
  std::vector<Callback<>> told;
  bool needs_timer = false;
  {
    const std::lock_guard lock(mutex_);
    const auto reading = readings_.find(begun.number);
    for (const std::shared_ptr<Waiting>& waiting : reading->second.waiting) {
      if (--waiting->left == 0) told.push_back(std::move(waiting->done));
    }
    readings_.erase(reading);
    const auto of = engines_.find(begun.engine->address());
    --of->second.readings;
    const TimePoint now = begun.engine->home()->clock().Now();
    for (const std::string& id : begun.ids) {
      const auto left = of->second.containers.find(id);
      if (left == of->second.containers.end() || left->second.reading != begun.number) continue;
      left->second.reading = 0;
      // It was not read, unless it was put off again meanwhile.
      left->second.failed = left->second.mark == left->second.begun;
      if (left->second.failed) left->second.due = now + kReadAgain;
      needs_timer = !std::exchange(of->second.has_timer, true) || needs_timer;
    }
    if (of->second.containers.empty() && of->second.readings == 0 && !of->second.has_timer)
      engines_.erase(of);
  }
  if (needs_timer) SetTimer(begun.engine, kPutOff);
  for (Callback<>& done : told) done();
}

void PutOffReadings::SetTimer(std::shared_ptr<Engine> engine, Duration delay) {
  Loop* const home = engine->home();
  home->After(delay, [engine = std::move(engine)] { engine->hub().put_off.TimerFired(engine); });
}

void PutOffReadings::TimerFired(const std::shared_ptr<Engine>& engine) {
  std::vector<Begun> begun;
  const TimePoint now = engine->home()->clock().Now();
  TimePoint next = TimePoint::max();
  {
    const std::lock_guard lock(mutex_);
    const auto at = engines_.find(engine->address());
    if (at == engines_.end()) return;
    OfEngine& of = at->second;
    // Together with what is due soon.
    const bool is_busy = of.readings >= kMostReadings;
    if (!is_busy) Take(of, now, now + kPutOff / 2, begun);
    for (const auto& [id, unread] : of.containers) {
      if (unread.reading == 0) next = std::min(next, is_busy ? now + kPutOff : unread.due);
    }
    of.has_timer = next != TimePoint::max();
    if (of.containers.empty() && of.readings == 0 && !of.has_timer) engines_.erase(at);
  }
  if (next != TimePoint::max()) SetTimer(engine, std::max(next - now, Duration::zero()));
  Spawn(std::move(begun));
}

}  // namespace swarm
