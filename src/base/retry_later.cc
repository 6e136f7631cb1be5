#include "base/retry_later.h"

#include "absl/strings/cord.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr char kPayload[] = "swarm/retry-later";

}  // namespace

absl::Status RetryLater(std::string_view message) {
  absl::Status status = HttpError(503, message);
  status.SetPayload(kPayload, absl::Cord("1"));
  return status;
}

bool IsRetryLater(const absl::Status& status) { return status.GetPayload(kPayload).has_value(); }

}  // namespace swarm
