// Errors as values: absl::Status with the HTTP status that a Docker client shall see.
//
// Debian's Abseil is built without the std types, so absl::string_view is not std::string_view
// there; these helpers keep absl::string_view out of our signatures.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace swarm {

// Each makes the status of that canonical code with `message`; its HTTP status is the code's usual
// one (HttpStatusOf). Messages say what was asked, what was found, on which node, and what to do
// next.
absl::Status InvalidArgument(std::string_view message);     // 400
absl::Status NotFound(std::string_view message);            // 404
absl::Status AlreadyExists(std::string_view message);       // 409
absl::Status FailedPrecondition(std::string_view message);  // 409
absl::Status ResourceExhausted(std::string_view message);   // 429
absl::Status DeadlineExceeded(std::string_view message);    // 504
absl::Status Unavailable(std::string_view message);         // 503
absl::Status Unimplemented(std::string_view message);       // 501
absl::Status Internal(std::string_view message);            // 500
absl::Status Cancelled(std::string_view message);           // 499

// A status that carries `http_status` (400..599) as it was said by an engine or chosen by a
// handler. `engine_body` is the engine's own answer body, kept byte for byte; empty when there is
// none.
absl::Status HttpError(int http_status, std::string_view message,
                       std::string_view engine_body = {});

// The HTTP status to answer with: the one carried, else the usual one of the canonical code; 200
// when ok.
int HttpStatusOf(const absl::Status& status);

// The engine's own answer body carried by `status`, or empty.
std::string EngineBodyOf(const absl::Status& status);

// The message as a std type. Valid as long as `status`.
std::string_view MessageOf(const absl::Status& status);

// The same status with `prefix` and ": " before its message; payloads are kept.
absl::Status Annotate(const absl::Status& status, std::string_view prefix);

}  // namespace swarm
