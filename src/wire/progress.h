// Lines of a progress stream.
#pragma once

#include <string>
#include <string_view>

namespace swarm {

// {"status":...,"id":...} and CR LF, as engines end their lines. Empty id: left out.
std::string ProgressLine(std::string_view id, std::string_view status);
// An engine's own progress object with its id moved under the node's: "node" or "node/LAYER". The
// same bytes if it cannot be read.
std::string PrefixProgress(std::string_view object, std::string_view node);
// The final {"errorDetail":{"code":1,"message":...},"error":...}.
std::string ErrorLine(std::string_view message);
// The error message of a progress object, or empty.
std::string ProgressError(std::string_view object);

}  // namespace swarm
