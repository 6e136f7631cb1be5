#include "swarmlib/exchange.h"

#include <optional>
#include <utility>

#include "manager/exchange_core.h"
#include "manager/usable.h"
#include "swarmlib/status.h"
#include "wire/conflicts.h"
#include "wire/errors.h"

namespace swarm {

absl::Status StatusOfReply(int status, const Headers& headers, std::string_view body) {
  std::string message = EngineMessage(body);
  if (message.empty()) message = "HTTP status " + std::to_string(status);
  const absl::Status plain = HttpError(status, message, body);
  const std::optional<absl::StatusCode> marked = MarkedCode(headers);
  if (!marked) return plain;
  absl::Status error(*marked, message);
  plain.ForEachPayload(
      [&error](absl::string_view key, const absl::Cord& value) { error.SetPayload(key, value); });
  return error;
}

Exchange::Exchange(std::shared_ptr<Core> core) : core_(std::move(core)) {}
Exchange::~Exchange() {
  Abort();
  // What it holds in a forked child is the parent's, the poll set of its sockets too: forgotten.
  if (core_->home().forked()) new std::shared_ptr<Core>(std::move(core_));
}

absl::Status Exchange::WaitHead(Duration timeout) {
  if (const absl::Status usable = CheckMayWait(core_->home(), "Exchange::WaitHead"); !usable.ok())
    return usable;
  return core_->WaitHead(timeout);
}

int Exchange::status() const { return core_->status(); }
const Headers& Exchange::headers() const { return core_->headers(); }
bool Exchange::tunnel() const { return core_->tunnel(); }

absl::StatusOr<std::size_t> Exchange::Read(std::span<char> into, Duration timeout) {
  if (const absl::Status usable = CheckMayWait(core_->home(), "Exchange::Read"); !usable.ok())
    return usable;
  return core_->Read(into, timeout);
}

absl::StatusOr<std::string> Exchange::ReadAll(std::size_t most, Duration timeout) {
  if (const absl::Status usable = CheckMayWait(core_->home(), "Exchange::ReadAll"); !usable.ok())
    return usable;
  return core_->ReadAll(most, timeout);
}

absl::StatusOr<std::size_t> Exchange::Write(std::string_view bytes, Duration timeout) {
  if (const absl::Status usable = CheckMayWait(core_->home(), "Exchange::Write"); !usable.ok())
    return usable;
  return core_->Write(bytes, timeout);
}

absl::Status Exchange::CloseWrite() {
  if (const absl::Status usable = CheckMayWait(core_->home(), "Exchange::CloseWrite"); !usable.ok())
    return usable;
  return core_->CloseWrite();
}

bool Exchange::WhenReady(ExchangeWait what, Callback<> ready) {
  // Who asks then is told why not.
  if (!CheckMayCall(core_->home(), "Exchange::WhenReady").ok()) return true;
  return core_->WhenReady(what, std::move(ready));
}

absl::StatusOr<std::size_t> Exchange::StartWrite(std::string_view bytes) {
  if (const absl::Status usable = CheckMayCall(core_->home(), "Exchange::StartWrite"); !usable.ok())
    return usable;
  if (bytes.empty()) return InvalidArgument("there are no bytes to send");
  return core_->StartWrite(bytes);
}

absl::StatusOr<std::size_t> Exchange::FinishWrite() {
  if (const absl::Status usable = CheckMayCall(core_->home(), "Exchange::FinishWrite");
      !usable.ok())
    return usable;
  return core_->FinishWrite();
}

void Exchange::Abort() {
  if (core_->home().forked()) return;
  core_->Abort();
}

}  // namespace swarm
