// What came of one change on many engines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "api/upstream.h"

namespace swarm {

// What engines said to one change, taken apart.
struct Verdicts {
  std::vector<const NodeAnswer*> done;     // 2xx
  std::vector<const NodeAnswer*> missing;  // 404
  struct Failure {
    const NodeAnswer* said;
    int status;
    std::string text;
  };
  std::vector<Failure> failed;  // everything else

  explicit Verdicts(const std::vector<NodeAnswer>& answers);

  // "n1, n2"
  std::string DoneNames() const;
  // The error of what failed, which is not empty. Where nothing was done and all engines say the
  // same, their own words and status. Else the status that all have in common or `mixed`, and a
  // text that tells what was done where (`deed`, as "tagged") and what each other node said.
  absl::Status Failed(std::string_view deed, int mixed) const;
};

// Why an answer is no success, naming the node; OK for a status below 400.
absl::Status FailureOf(const NodeAnswer& said);

// OK when each is a success or a 404. Else all failures with the status of the first, and then
// `done` and the names of the nodes where it went well.
absl::Status FirstFailure(const std::vector<NodeAnswer>& answers, std::string_view done);

}  // namespace swarm
