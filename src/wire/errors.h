// Error bodies as engines write them.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "swarmlib/backend.h"
#include "wire/api_version.h"

namespace swarm {

// The reply for an error: {"message":"..."} for clients of API 1.24 and newer, the text and a
// newline for older ones (and a 409 for "no node fits" becomes 500 there). An engine's own body is
// passed on as it is.
Reply ErrorReply(const absl::Status& error, ApiVersion client);

// The text of an engine's error answer: the JSON "message", else the trimmed body.
std::string EngineMessage(std::string_view body);

// True for the message of a 404 on create that speaks of the image, and of nothing else that is
// missing.
bool SaysImageIsMissing(std::string_view message);

}  // namespace swarm
