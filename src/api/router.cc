#include "api/router.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

using Segments = std::vector<std::string_view>;

// Without the empty piece before the leading slash.
Segments SegmentsOf(std::string_view path) {
  Segments segments = Split(path, '/');
  segments.erase(segments.begin());
  return segments;
}

struct CompiledRoute {
  const Route* route;
  Segments pattern;
};

// Routes by method and first segment: what is left to compare is short.
using RouteIndex =
    std::map<std::pair<std::string_view, std::string_view>, std::vector<CompiledRoute>>;

RouteIndex MakeIndex() {
  RouteIndex index;
  for (const Route& route : Routes()) {
    Segments pattern = SegmentsOf(route.pattern);
    const std::string_view first = pattern.front();
    index[{route.method, first}].push_back({&route, std::move(pattern)});
  }
  return index;
}

const RouteIndex& Index() {
  static const RouteIndex index = MakeIndex();
  return index;
}

constexpr std::string_view kVariable = "{}";

std::string JoinSegments(const Segments& path, std::size_t begin, std::size_t end) {
  std::string text(path[begin]);
  for (std::size_t at = begin + 1; at < end; ++at) {
    text += '/';
    text += path[at];
  }
  return text;
}

// Fills `names` with the text of each variable. The verb after a name is looked for from the right,
// so that a name may hold anything.
bool MatchFrom(const Segments& pattern, std::size_t pattern_at, const Segments& path,
               std::size_t path_at, std::vector<std::string>& names) {
  for (; pattern_at < pattern.size() && pattern[pattern_at] != kVariable; ++pattern_at, ++path_at) {
    if (path_at == path.size() || path[path_at] != pattern[pattern_at]) return false;
  }
  if (pattern_at == pattern.size()) return path_at == path.size();
  for (std::size_t end = path.size(); end > path_at; --end) {
    names.push_back(JoinSegments(path, path_at, end));
    if (MatchFrom(pattern, pattern_at + 1, path, end, names)) return true;
    names.pop_back();
  }
  return false;
}

bool IsVersionSegment(std::string_view segment) {
  return segment.size() > 1 && segment.front() == 'v' &&
         segment.find_first_not_of("0123456789.", 1) == std::string_view::npos;
}

absl::StatusOr<ApiVersion> ReadVersion(std::string_view text) {
  const std::optional<ApiVersion> version = ParseApiVersion(text);
  if (!version) {
    return InvalidArgument("client version " + std::string(text) + " is not of the form 1.41");
  }
  if (*version < OwnOldestApi()) {
    return InvalidArgument(
        "client version " + std::string(text) + " is too old. Minimum supported API version is " +
        ApiVersionText(OwnOldestApi()) + ", please upgrade your client to a newer version");
  }
  if (*version > OwnNewestApi()) {
    return InvalidArgument("client version " + std::string(text) +
                           " is too new. Maximum supported API version is " +
                           ApiVersionText(OwnNewestApi()));
  }
  return *version;
}

absl::StatusOr<std::string> DecodeName(const std::string& text) {
  std::optional<std::string> name = PercentDecode(text);
  if (!name) return InvalidArgument("invalid URL escape in \"" + text + "\"");
  return *std::move(name);
}

}  // namespace

absl::StatusOr<RouteMatch> FindRoute(std::string_view method, std::string_view path) {
  const absl::Status unknown = NotFound("page not found");
  const Segments segments = SegmentsOf(path);
  // Deeper than any name an engine takes; keeps the matching short.
  constexpr std::size_t kMostSegments = 64;
  if (segments.empty() || segments.size() > kMostSegments) return unknown;
  const auto found = Index().find({method, segments.front()});
  if (found == Index().end()) return unknown;
  for (const CompiledRoute& candidate : found->second) {
    std::vector<std::string> names;
    if (!MatchFrom(candidate.pattern, 0, segments, 0, names)) continue;
    RouteMatch match;
    match.route = candidate.route;
    if (!names.empty()) {
      absl::StatusOr<std::string> name = DecodeName(names[0]);
      if (!name.ok()) return name.status();
      match.name = *std::move(name);
      if (match.name.empty()) return unknown;
    }
    if (names.size() > 1) {
      absl::StatusOr<std::string> second = DecodeName(names[1]);
      if (!second.ok()) return second.status();
      match.second = *std::move(second);
    }
    return match;
  }
  return unknown;
}

absl::StatusOr<Target> ReadTarget(std::string_view target) {
  if (target.empty() || target.front() != '/') {
    return InvalidArgument("the request target is not a path that starts with a slash");
  }
  Target parts;
  const std::size_t question = target.find('?');
  parts.path = target.substr(0, question);
  if (question != std::string_view::npos) parts.query = target.substr(question + 1);
  const std::size_t end = std::min(parts.path.find('/', 1), parts.path.size());
  const std::string_view first = parts.path.substr(1, end - 1);
  if (!IsVersionSegment(first)) return parts;
  const absl::StatusOr<ApiVersion> version = ReadVersion(first.substr(1));
  if (!version.ok()) return version.status();
  parts.version = *version;
  parts.path = parts.path.substr(end);
  if (parts.path.empty()) parts.path = "/";
  return parts;
}

bool LivesForClient(std::string_view method, std::string_view target) {
  const absl::StatusOr<Target> parts = ReadTarget(target);
  if (!parts.ok()) return false;
  const absl::StatusOr<RouteMatch> match = FindRoute(method, parts->path);
  if (!match.ok() || match->route->lives_for_client == nullptr) return false;
  return match->route->lives_for_client(ParseQuery(parts->query));
}

absl::Status RefusalOf(const Route& route) {
  const std::string what = std::string(route.method) + " " + std::string(route.pattern);
  switch (route.refusal) {
    case Refusal::kSwarmMode:
      return Unavailable(
          "This node is not a swarm manager. swarmd is one endpoint over many Docker engines and "
          "does not use "
          "swarm mode: containers are placed by \"docker run\" and \"docker create\" themselves, "
          "and there are no "
          "services, stacks, secrets or configs. No engine was changed.");
    case Refusal::kOnNode:
      return Unimplemented(what +
                           " is not offered by this version of swarmd: do it on the node, for "
                           "example \"docker -H NODE " +
                           std::string(route.hint) + "\". \"docker info\" lists the nodes.");
    case Refusal::kClustering: return Unimplemented("Not supported in clustering mode.");
    case Refusal::kGone:
    case Refusal::kNone: break;
  }
  return NotFound("page not found");
}

}  // namespace swarm
