// Every documented endpoint, and which one a request means.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/context.h"

namespace swarm {

// Why an endpoint is not served.
enum class Refusal {
  kNone,        // served
  kSwarmMode,   // 503: belongs to swarm mode, which swarmd is not
  kOnNode,      // 501: to be done on the node itself; `hint` is the docker command
  kClustering,  // 501: a thing that a cluster cannot do
  kGone,        // 404: engines do not have it any more
};

struct Route {
  std::string_view method;
  // Literal segments and at most two {}: each stands for one or more segments, the first as long as
  // possible.
  std::string_view pattern;
  Handler handler = nullptr;  // null for a refusal
  Refusal refusal = Refusal::kNone;
  std::string_view hint = {};
  bool at_once = false;  // does not wait for the first reading of the engines
  bool whole = false;    // needs all that is known of containers: waits for readings put off
  // Whether the request, with this query, lives for its client: then it ends when the client ends
  // its side of the connection behind the request, as Docker's engine does it. Null = never: who
  // only ends its side still gets its answer, and to an attach it is the end of its input.
  bool (*lives_for_client)(const Query& query) = nullptr;
};

// Among routes that fit one request the first counts.
std::span<const Route> Routes();

struct RouteMatch {
  const Route* route = nullptr;
  std::string name;  // decoded
  std::string second;
};

// `path` starts with "/", has no version and is encoded as sent. NotFound ("page not found");
// InvalidArgument for a bad percent-encoding.
absl::StatusOr<RouteMatch> FindRoute(std::string_view method, std::string_view path);

// A target taken apart. The version is empty when the path has none.
struct Target {
  std::optional<ApiVersion> version;
  std::string_view path;   // without the version
  std::string_view query;  // without "?"
};

// InvalidArgument for what is not an origin-form target, or whose version is not of the form
// "1.41", is below our oldest or above our newest, in the engine's words.
absl::StatusOr<Target> ReadTarget(std::string_view target);

// The column of that name, for a request line. False for what has no route.
bool LivesForClient(std::string_view method, std::string_view target);

// The error of a route that is not served.
absl::Status RefusalOf(const Route& route);

}  // namespace swarm
