// The sending half of Exchange.

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "net/bounds.h"
#include "net/exchange.h"
#include "net/http_head_writer.h"
#include "net/http_scan.h"
#include "swarmlib/status.h"

namespace swarm::net {
namespace {

// Fields that the transport writes itself.
bool IsTransportFieldOfRequests(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "Connection", "Content-Length",      "Expect", "Host",
      "Keep-Alive", "Proxy-Authorization", "TE",     "Proxy-Connection",
      "Trailer",    "Transfer-Encoding",   "Upgrade"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [name](std::string_view known) { return EqualsIgnoreCase(name, known); });
}

}  // namespace

void Exchange::BuildHead() {
  head_text_.clear();
  AppendRequestLine(&head_text_, request_.method, request_.target);
  AppendField(&head_text_, "Host", endpoint_->HostField());
  for (const auto& [name, value] : request_.headers) {
    if (!IsTransportFieldOfRequests(name)) AppendField(&head_text_, name, value);
  }
  const std::string* protocol =
      kind_ == Kind::kUpgrade ? FindHeader(request_.headers, "Upgrade") : nullptr;
  asks_upgrade_ = protocol != nullptr && AppendField(&head_text_, "Upgrade", *protocol);
  if (asks_upgrade_) head_text_ += "Connection: Upgrade\r\n";
  if (request_.body_stream && !request_.body_length) {
    head_text_ += "Transfer-Encoding: chunked\r\n";
  } else {
    request_left_ = request_.body_stream ? *request_.body_length : 0;
    const std::uint64_t length = request_.body.size() + request_left_;
    const bool has_body_by_nature = request_.method != "GET" && request_.method != "HEAD" &&
                                    request_.method != "DELETE" && request_.method != "OPTIONS";
    if (length > 0 || has_body_by_nature) AppendContentLength(&head_text_, length);
  }
  AppendHeadEnd(&head_text_);
}

void Exchange::Send() {
  BuildHead();
  pieces_.clear();
  pieces_.push_back(head_text_);
  if (!request_.body.empty()) {
    if (request_.body_stream && !request_.body_length) {
      chunk_text_.clear();
      AppendChunkStart(&chunk_text_, request_.body.size());
      pieces_ = {head_text_, chunk_text_, request_.body, kChunkEnd};
    } else {
      pieces_.push_back(request_.body);
    }
  }
  WritePieces();
  connection_->StartRead();
}

void Exchange::WritePieces() {
  writing_ = true;
  // A whole request mostly goes out at once. Without a callback the answer cannot overtake the news
  // of that, after which the connection would not be used again.
  if (!request_.body_stream) {
    std::size_t taken = connection_->transport().WriteSome(pieces_);
    std::size_t whole = 0;
    while (whole < pieces_.size() && taken >= pieces_[whole].size()) {
      taken -= pieces_[whole++].size();
    }
    if (whole == pieces_.size()) return OnWritten(absl::OkStatus());
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(whole));
    pieces_.front().remove_prefix(taken);
  }
  auto written = [self = shared_from_this(), attempt = attempt_](absl::Status status) {
    if (attempt == self->attempt_) self->OnWritten(status);
  };
  connection_->transport().WriteMany(pieces_, std::move(written));
}

void Exchange::OnWritten(const absl::Status& status) {
  writing_ = false;
  if (!connection_) return;
  // An engine may answer and close without reading on: its answer, or its silence, decides.
  if (!status.ok()) return;
  if (!request_.body_stream || last_chunk_sent_ || (request_.body_length && request_left_ == 0)) {
    request_sent_ = true;
    if (tunnel_waits_) HandOverTunnel();
    return;
  }
  PumpRequest();
}

void Exchange::PumpRequest() {
  if (send_buffer_.empty()) send_buffer_.resize(kStreamBuffer);
  request_.body_stream->Read(send_buffer_,
                             [self = shared_from_this()](absl::StatusOr<std::size_t> got) {
                               if (self->connection_) self->OnRequestBytes(std::move(got));
                             });
}

void Exchange::OnRequestBytes(absl::StatusOr<std::size_t> got) {
  const bool chunked = !request_.body_length;
  if (got.ok() && !chunked && *got > request_left_) {
    got = InvalidArgument("the request's body is longer than it was said to be");
  }
  if (got.ok() && !chunked && *got == 0 && request_left_ > 0) {
    got = InvalidArgument("the request's body is shorter than it was said to be");
  }
  if (!got.ok()) {
    Fail(got.status());
    connection_.reset();  // the engine must not take what it has for the whole
    if (body_done_) FinishBodyRead(got.status());
    return;
  }
  const std::string_view bytes(send_buffer_.data(), *got);
  if (!chunked) {
    request_left_ -= bytes.size();
    pieces_ = {bytes};
  } else if (bytes.empty()) {
    last_chunk_sent_ = true;
    pieces_ = {kLastChunk};
  } else {
    chunk_text_.clear();
    AppendChunkStart(&chunk_text_, bytes.size());
    pieces_ = {chunk_text_, bytes, kChunkEnd};
  }
  WritePieces();
}

}  // namespace swarm::net
