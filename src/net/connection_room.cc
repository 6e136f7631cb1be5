#include "net/connection_room.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>
#include <utility>

#include "base/log.h"
#include "net/bounds.h"

namespace swarm::net {
namespace {

constexpr std::size_t kNetworkBytes = 8;  // of an IPv6 address: its network of 64 bits

std::string TextOf(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, address, text.data(), text.size());
  return text.data();
}

std::string UserOf(int socket) {
  ucred user{};
  socklen_t size = sizeof user;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &user, &size) != 0) return "unix";
  return "unix user " + std::to_string(user.uid);
}

}  // namespace

std::size_t MaxConnectionsOfDescriptors() {
  rlimit limit{};
  constexpr std::size_t kLeast = 16;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= kReservedDescriptors)
    return kLeast;
  return std::max<std::size_t>(kLeast, (limit.rlim_cur - kReservedDescriptors) / 2);
}

std::string ClientOf(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "unknown";
  if (storage.ss_family == AF_INET)
    return TextOf(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr);
  if (storage.ss_family != AF_INET6) return UserOf(socket);
  in6_addr address = reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr;
  constexpr std::size_t kMappedBytes = 12;  // before the IPv4 address in a mapped one
  if (IN6_IS_ADDR_V4MAPPED(&address)) return TextOf(AF_INET, address.s6_addr + kMappedBytes);
  if (IN6_IS_ADDR_LOOPBACK(&address)) return "::1";
  std::memset(address.s6_addr + kNetworkBytes, 0, sizeof address.s6_addr - kNetworkBytes);
  return TextOf(AF_INET6, &address) + "/64";
}

// All that one client has.
struct ConnectionRoom::Holder {
  std::string name;
  std::size_t open = 0;     // those told to close included
  std::size_t counted = 0;  // without them
  std::list<Slot*> idle;    // the longest first
};

// What happened, for the metrics, and since the last report.
struct ConnectionRoom::Tally {
  explicit Tally(Metrics& metrics)
      : open(metrics.gauge("swarmd_client_connections", "Connections of clients that are open.")),
        max(metrics.gauge("swarmd_client_connections_max",
                          "Connections of clients that may be open at once.")),
        closed(metrics.counter("swarmd_client_connections_closed_idle_total",
                               "Idle connections of clients closed to make room for new ones.")),
        refused(metrics.counter("swarmd_client_connections_refused_total",
                                "Connections refused: their client held as many as one may.")),
        waits(metrics.counter(
            "swarmd_client_connections_waits_total",
            "Times that new connections had to wait, as every open one was at work.")) {}

  Gauge& open;
  Gauge& max;
  Counter& closed;
  Counter& refused;
  Counter& waits;
  std::uint64_t told_closed = 0, told_refused = 0, told_waits = 0;
};

ConnectionRoom::Slot::~Slot() {
  const std::lock_guard<std::mutex> lock(room_->mutex_);
  if (state_ == State::kIdle) room_->RemoveIdle(*this);
  if (state_ == State::kClosing) {
    --room_->closing_;
  } else {
    --room_->counted_;
    --holder_->counted;
  }
  if (--holder_->open == 0) room_->holders_.erase(room_->holders_.find(holder_->name));
  room_->tally_->open.Add(-1);
  room_->ResumeWaiting();
}

void ConnectionRoom::Slot::AwaitRequest() {
  if (std::exchange(waits_, true)) return;
  const std::lock_guard<std::mutex> lock(room_->mutex_);
  state_ = State::kIdle;
  in_room_ = room_->idle_.insert(room_->idle_.end(), this);
  of_holder_ = holder_->idle.insert(holder_->idle.end(), this);
  room_->ResumeWaiting();
}

bool ConnectionRoom::Slot::BeginRequest() {
  if (!std::exchange(waits_, false)) return true;
  const std::lock_guard<std::mutex> lock(room_->mutex_);
  const bool stays = state_ == State::kIdle;
  if (stays) {
    room_->RemoveIdle(*this);
  } else {
    // What has arrived is still answered; the next to come finds one less.
    --room_->closing_;
    ++room_->counted_;
    ++holder_->counted;
  }
  state_ = State::kBusy;
  return stays;
}

ConnectionRoom::ConnectionRoom(Options options)
    : max_(options.max_connections != 0 ? options.max_connections : MaxConnectionsOfDescriptors()),
      max_per_client_(options.max_per_client != 0 ? std::min(options.max_per_client, max_) : max_),
      clock_(options.clock != nullptr ? *options.clock : SystemClock()),
      log_(std::move(options.log)),
      own_metrics_(options.metrics != nullptr ? nullptr : std::make_unique<Metrics>()),
      tally_(
          std::make_unique<Tally>(options.metrics != nullptr ? *options.metrics : *own_metrics_)) {
  tally_->max.Set(static_cast<std::int64_t>(max_));
}

ConnectionRoom::~ConnectionRoom() = default;

bool ConnectionRoom::MayAccept(const void* owner, std::function<void()> resume) {
  std::optional<LogRecord> report;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (counted_ < max_ || (!idle_.empty() && closing_ < kMaxClosing)) return true;
    if (idle_.empty()) {
      tally_->waits.Add();
      report = ReportNow();
    }
    waiting_.insert_or_assign(owner, std::move(resume));
  }
  Tell(report);
  return false;
}

void ConnectionRoom::StopWaiting(const void* owner) {
  const std::lock_guard<std::mutex> lock(mutex_);
  waiting_.erase(owner);
}

std::unique_ptr<ConnectionRoom::Slot> ConnectionRoom::Enter(const std::string& client, Loop& loop) {
  std::unique_ptr<Slot> slot;
  std::optional<LogRecord> report;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::unique_ptr<Holder>& found = holders_[client];
    if (!found) found = std::make_unique<Holder>(Holder{client, 0, 0, {}});
    Holder& holder = *found;
    const bool may_enter = holder.counted < max_per_client_ || CloseLongestIdle(holder.idle);
    if (may_enter) {
      // It stays full only when the last idle one was taken since MayAccept().
      while (counted_ >= max_ && CloseLongestIdle(idle_)) {
      }
      slot = std::make_unique<Slot>(shared_from_this(), loop);
      slot->holder_ = &holder;
      ++holder.open;
      ++holder.counted;
      ++counted_;
      tally_->open.Add(1);
    } else {
      tally_->refused.Add();
    }
    report = ReportNow();
  }
  Tell(report);
  return slot;
}

bool ConnectionRoom::CloseOneIdle() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closing_ > 0) return true;
  if (!CloseLongestIdle(idle_)) return false;
  ++tally_->told_closed;  // the listener tells why
  return true;
}

std::size_t ConnectionRoom::open() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counted_ + closing_;
}

// Its place is free at once; it closes in a later turn of its loop.
bool ConnectionRoom::CloseLongestIdle(std::list<Slot*>& idle) {
  if (idle.empty() || closing_ >= kMaxClosing) return false;
  Slot& slot = *idle.front();
  RemoveIdle(slot);
  slot.state_ = Slot::State::kClosing;
  ++closing_;
  --counted_;
  --slot.holder_->counted;
  tally_->closed.Add();
  slot.loop_.Post([weak = slot.occupant_] {
    if (const auto occupant = weak.lock()) occupant->CloseIfIdle();
  });
  return true;
}

void ConnectionRoom::RemoveIdle(Slot& slot) {
  idle_.erase(slot.in_room_);
  slot.holder_->idle.erase(slot.of_holder_);
}

void ConnectionRoom::ResumeWaiting() {
  if (waiting_.empty()) return;
  if (counted_ >= max_ && (idle_.empty() || closing_ >= kMaxClosing)) return;
  for (auto& [owner, resume] : waiting_) resume();
  waiting_.clear();
}

// Nothing when nothing happened, or when the last report is less than a minute old: what happens
// meanwhile is counted into the next one.
std::optional<LogRecord> ConnectionRoom::ReportNow() {
  Tally& tally = *tally_;
  const std::uint64_t closed = tally.closed.value() - tally.told_closed;
  const std::uint64_t refused = tally.refused.value() - tally.told_refused;
  const std::uint64_t waits = tally.waits.value() - tally.told_waits;
  if (closed + refused + waits == 0 || !log_) return std::nullopt;
  const TimePoint now = clock_.Now();
  if (now < next_report_) return std::nullopt;
  next_report_ = now + kRoomReportPause;
  tally.told_closed += closed;
  tally.told_refused += refused;
  tally.told_waits += waits;
  const auto less = [](const auto& a, const auto& b) {
    return std::tie(a.second->counted, a.first) < std::tie(b.second->counted, b.first);
  };
  const auto most = std::max_element(holders_.begin(), holders_.end(), less);
  LogRecord record;
  record.level = LogLevel::kWarning;
  record.message =
      "clients hold as many connections as they may: the longest idle ones are closed for new "
      "ones; where none is idle, new ones wait, or are refused to a client that has its share";
  record.fields = {{"open", std::to_string(counted_ + closing_)},
                   {"max", std::to_string(max_)},
                   {"max_per_client", std::to_string(max_per_client_)},
                   {"closed", std::to_string(closed)},
                   {"refused", std::to_string(refused)},
                   {"waits", std::to_string(waits)}};
  if (most != holders_.end()) {
    record.fields.emplace_back("most_of", most->first);
    record.fields.emplace_back("most", std::to_string(most->second->counted));
  }
  return record;
}

void ConnectionRoom::Tell(const std::optional<LogRecord>& record) const {
  if (record) log_(*record);
}

}  // namespace swarm::net
