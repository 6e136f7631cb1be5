// Request bodies that are held in memory.

#include <algorithm>
#include <utility>

#include "api/upstream.h"
#include "async/await.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/retry_later.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "swarmlib/wiped.h"

namespace swarm {
namespace {

// Bytes that a body of unknown length takes of the budget at a time.
constexpr std::size_t kBodyStep = 64U << 10U;
constexpr std::size_t kFirstBodyRead = 4U << 10U;

absl::Status TooLarge(std::size_t most) {
  return HttpError(413, "the request body is larger than " + std::to_string(most) + " bytes");
}

absl::Status NoRoom(std::size_t wanted) {
  return RetryLater("no room for a request body of " + std::to_string(wanted) +
                    " bytes: the memory for clients (--client-memory) is in use; try again");
}

// Ends a read that takes too long.
class ReadTimer {
 public:
  ReadTimer(Loop& loop, Stream& stream) : loop_(loop), stream_(stream) {}
  ~ReadTimer() { loop_.Cancel(timer_); }
  ReadTimer(const ReadTimer&) = delete;
  ReadTimer& operator=(const ReadTimer&) = delete;

  // The next bytes must come in time for what came so far.
  void Arm(std::size_t received) {
    loop_.Cancel(timer_);
    const TimePoint now = loop_.clock().Now();
    const auto sent_in = std::chrono::seconds(received / kMinJsonBodyRate);
    const TimePoint end = std::min(now + kJsonBodyPause, begun_ + kJsonBodyPause + sent_in);
    timer_ = loop_.After(std::max(end - now, Duration::zero()), [this] {
      late_ = true;
      stream_.Abort();
    });
  }
  bool late() const { return late_; }

 private:
  Loop& loop_;
  Stream& stream_;
  const TimePoint begun_ = loop_.clock().Now();
  Loop::TimerId timer_ = 0;
  bool late_ = false;
};

absl::Status TooSlow(std::size_t received) {
  return HttpError(408, "the request body came too slowly: " + std::to_string(received) +
                            " bytes so far; a pause of 30 s or less than 16 KiB a second ends it");
}

// A body that is not handed on is overwritten: it may be a password.
class BodyWiper {
 public:
  explicit BodyWiper(std::string& body) : body_(body) {}
  ~BodyWiper() {
    if (!body_.empty()) Wipe(body_);
  }
  BodyWiper(const BodyWiper&) = delete;
  BodyWiper& operator=(const BodyWiper&) = delete;

 private:
  std::string& body_;
};

// As reserve(), but leaves no copy behind.
void MakeRoom(std::string& body, std::size_t capacity) {
  if (capacity <= body.capacity()) return;
  std::string larger;
  larger.reserve(capacity);
  larger = body;
  Wipe(body);
  body = std::move(larger);
}

void AppendPiece(std::string& body, std::string_view piece) {
  const std::size_t size = body.size() + piece.size();
  if (size > body.capacity()) MakeRoom(body, std::max(2 * body.capacity(), size));
  body += piece;
}

// Counts what a body grows by; what is counted already stays.
bool CountBody(MemoryShare* memory, std::size_t bytes) {
  return memory == nullptr || bytes <= memory->bytes() || memory->Admit(bytes - memory->bytes());
}

}  // namespace

Task<absl::StatusOr<std::string>> WholeBody(std::shared_ptr<MemoryShare> memory, std::string body,
                                            std::unique_ptr<Stream> stream,
                                            std::optional<std::uint64_t> length, std::size_t most) {
  const BodyWiper wiper(body);
  if (body.size() > most || length.value_or(0) > most) co_return TooLarge(most);
  const std::size_t told = std::max<std::size_t>(body.size(), length.value_or(0));
  if (!CountBody(memory.get(), told)) co_return NoRoom(told);
  if (!stream) co_return body;
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  MakeRoom(body, told);
  ReadTimer timer(*loop, *stream);
  WipedString buffer(std::clamp<std::size_t>(told, 1, kBodyStep), '\0');
  if (!length) buffer.resize(kFirstBodyRead);
  for (;;) {
    timer.Arm(body.size());
    const std::span<char> room(buffer.data(), buffer.size());
    const absl::StatusOr<std::size_t> got = co_await Read(*stream, room);
    if (timer.late()) co_return TooSlow(body.size());
    if (!got.ok()) co_return got.status();
    if (*got == 0) co_return body;
    if (body.size() + *got > most) co_return TooLarge(most);
    const std::size_t now = body.size() + *got;
    const std::size_t rounded = (now + kBodyStep - 1) / kBodyStep * kBodyStep;
    if (now > told && !CountBody(memory.get(), now <= kFirstBodyRead ? now : rounded))
      co_return NoRoom(now);
    const std::string_view piece(buffer.data(), *got);
    AppendPiece(body, piece);
  }
}

Task<absl::StatusOr<std::string>> JsonBody(std::shared_ptr<MemoryShare> memory, Headers headers,
                                           std::string body, std::unique_ptr<Stream> stream,
                                           std::optional<std::uint64_t> length) {
  const std::string* type = FindHeader(headers, "Content-Type");
  const bool empty = body.empty() && (!stream || (length.has_value() && *length == 0));
  if (type != nullptr || !empty) {
    const std::string_view given = type == nullptr ? std::string_view() : std::string_view(*type);
    if (!EqualsIgnoreCase(Trim(given.substr(0, given.find(';'))), "application/json")) {
      co_return InvalidArgument("unsupported Content-Type header (" + std::string(given) +
                                "): must be 'application/json'");
    }
  }
  absl::StatusOr<std::string> whole = co_await WholeBody(std::move(memory), std::move(body),
                                                         std::move(stream), length, kMostJsonBody);
  co_return whole;
}

}  // namespace swarm
