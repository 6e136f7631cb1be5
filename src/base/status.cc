#include "swarmlib/status.h"

#include <charconv>
#include <optional>

#include "absl/strings/cord.h"

namespace swarm {
namespace {

constexpr char kHttpPayload[] = "swarm/http-status";
constexpr char kBodyPayload[] = "swarm/engine-body";

absl::Status Make(absl::StatusCode code, std::string_view message) {
  return absl::Status(code, absl::string_view(message.data(), message.size()));
}

absl::StatusCode CodeOfHttp(int http_status) {
  switch (http_status) {
    case 400: return absl::StatusCode::kInvalidArgument;
    case 401: return absl::StatusCode::kUnauthenticated;
    case 402:
    case 403: return absl::StatusCode::kPermissionDenied;
    case 404: return absl::StatusCode::kNotFound;
    case 409: return absl::StatusCode::kFailedPrecondition;
    case 429: return absl::StatusCode::kResourceExhausted;
    case 499: return absl::StatusCode::kCancelled;
    case 501: return absl::StatusCode::kUnimplemented;
    case 503: return absl::StatusCode::kUnavailable;
    case 504: return absl::StatusCode::kDeadlineExceeded;
    default:
      return http_status < 500 ? absl::StatusCode::kInvalidArgument : absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status InvalidArgument(std::string_view message) {
  return Make(absl::StatusCode::kInvalidArgument, message);
}
absl::Status NotFound(std::string_view message) {
  return Make(absl::StatusCode::kNotFound, message);
}
absl::Status AlreadyExists(std::string_view message) {
  return Make(absl::StatusCode::kAlreadyExists, message);
}
absl::Status FailedPrecondition(std::string_view message) {
  return Make(absl::StatusCode::kFailedPrecondition, message);
}
absl::Status ResourceExhausted(std::string_view message) {
  return Make(absl::StatusCode::kResourceExhausted, message);
}
absl::Status DeadlineExceeded(std::string_view message) {
  return Make(absl::StatusCode::kDeadlineExceeded, message);
}
absl::Status Unavailable(std::string_view message) {
  return Make(absl::StatusCode::kUnavailable, message);
}
absl::Status Unimplemented(std::string_view message) {
  return Make(absl::StatusCode::kUnimplemented, message);
}
absl::Status Internal(std::string_view message) {
  return Make(absl::StatusCode::kInternal, message);
}
absl::Status Cancelled(std::string_view message) {
  return Make(absl::StatusCode::kCancelled, message);
}

absl::Status HttpError(int http_status, std::string_view message, std::string_view engine_body) {
  absl::Status status = Make(CodeOfHttp(http_status), message);
  status.SetPayload(kHttpPayload, absl::Cord(std::to_string(http_status)));
  if (!engine_body.empty()) status.SetPayload(kBodyPayload, absl::Cord(std::string(engine_body)));
  return status;
}

int HttpStatusOf(const absl::Status& status) {
  if (status.ok()) return 200;
  if (const auto payload = status.GetPayload(kHttpPayload)) {
    const std::string text(*payload);
    int value = 500;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange: return 400;
    case absl::StatusCode::kUnauthenticated: return 401;
    case absl::StatusCode::kPermissionDenied: return 403;
    case absl::StatusCode::kNotFound: return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted: return 409;
    case absl::StatusCode::kResourceExhausted: return 429;
    case absl::StatusCode::kCancelled: return 499;
    case absl::StatusCode::kUnimplemented: return 501;
    case absl::StatusCode::kUnavailable: return 503;
    case absl::StatusCode::kDeadlineExceeded: return 504;
    default: return 500;
  }
}

std::string EngineBodyOf(const absl::Status& status) {
  if (const auto payload = status.GetPayload(kBodyPayload)) return std::string(*payload);
  return {};
}

std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

absl::Status Annotate(const absl::Status& status, std::string_view prefix) {
  if (status.ok()) return status;
  std::string message(prefix);
  message.append(": ").append(MessageOf(status));
  absl::Status annotated = Make(status.code(), message);
  status.ForEachPayload([&annotated](absl::string_view key, const absl::Cord& value) {
    annotated.SetPayload(key, value);
  });
  return annotated;
}

}  // namespace swarm
