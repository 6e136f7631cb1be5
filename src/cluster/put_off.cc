#include "cluster/put_off.h"

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
  const TimePoint due = engine->home()->clock().Now() + kPutOff;
  {
    const std::lock_guard lock(mutex_);
    OfEngine& of = engines_[engine->address()];
    of.engine = engine;
    if (!of.due.insert_or_assign(std::move(id), due).second) return;
    ++unread_;
    if (std::exchange(of.has_timer, true)) return;
  }
  engine->home()->Post([engine] { engine->hub().put_off.SetTimer(engine, kPutOff); });
}

void PutOffReadings::Forget(const Engine& engine, std::string_view id) {
  if (empty()) return;
  const std::lock_guard lock(mutex_);
  const auto of = engines_.find(engine.address());
  if (of == engines_.end()) return;
  const auto known = of->second.due.find(id);
  if (known == of->second.due.end()) return;
  of->second.due.erase(known);
  --unread_;
}

void PutOffReadings::ReadNow(TimePoint now, const Engine* engine, Callback<> done) {
  auto waiting = std::make_shared<Waiting>();
  std::vector<Begun> begun;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [address, of] : engines_) {
      if (engine == nullptr || address == engine->address()) Take(of, now, TimePoint::max(), begun);
    }
    for (auto& [number, reading] : readings_) {
      if (engine != nullptr && reading.address != engine->address()) continue;
      if (now - reading.begun >= kReadingPatience) continue;
      reading.waiting.push_back(waiting);
      ++waiting->left;
    }
    if (waiting->left > 0) waiting->done = std::move(done);
  }
  if (done) return done();
  Spawn(std::move(begun));
}

void PutOffReadings::Take(OfEngine& of, TimePoint now, TimePoint due, std::vector<Begun>& begun) {
  const std::shared_ptr<Engine> engine = of.engine.lock();
  std::size_t room = 0;
  for (auto at = of.due.begin(); at != of.due.end();) {
    if (at->second > due) {
      ++at;
      continue;
    }
    if (engine && room == 0) {
      begun.push_back({engine, {}, ++last_});
      Reading& reading = readings_[last_];
      reading.address = engine->address();
      reading.begun = now;
      room = kMostAtOnce;
    }
    if (engine) {
      begun.back().ids.push_back(at->first);
      ++readings_[last_].containers;
      --room;
    } else {
      --unread_;
    }
    at = of.due.erase(at);
  }
}

void PutOffReadings::Spawn(std::vector<Begun> begun) {
  for (Begun& one : begun) {
    Loop* const home = one.engine->home();
    home->Spawn(Run(std::move(one)));
  }
}

Task<void> PutOffReadings::Run(Begun begun) {
  const std::shared_ptr<Engine> engine = begun.engine;
  const CountedWork work(engine->shared_hub());
  absl::Status read;
  if (engine->healthy() && begun.ids.size() == 1) {
    read = co_await Reread(engine, begun.ids.front(), engine->health_token());
  } else if (engine->healthy()) {
    read = co_await RereadSeveral(engine, std::move(begun.ids), engine->health_token());
  }
  engine->hub().put_off.End(begun.number);
}

void PutOffReadings::End(std::uint64_t number) {
  std::vector<Callback<>> told;
  {
    const std::lock_guard lock(mutex_);
    const auto reading = readings_.find(number);
    for (const std::shared_ptr<Waiting>& waiting : reading->second.waiting) {
      if (--waiting->left == 0) told.push_back(std::move(waiting->done));
    }
    unread_ -= reading->second.containers;
    readings_.erase(reading);
  }
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
    const auto of = engines_.find(engine->address());
    if (of == engines_.end()) return;
    Take(of->second, now, now, begun);
    for (const auto& [id, due] : of->second.due) next = std::min(next, due);
    if (next == TimePoint::max()) engines_.erase(of);
  }
  if (next != TimePoint::max()) SetTimer(engine, next - now);
  Spawn(std::move(begun));
}

}  // namespace swarm
