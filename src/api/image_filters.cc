#include "api/image_filters.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/images.h"
#include "wire/json.h"

namespace swarm {
namespace {

constexpr std::string_view kImageFilters[] = {"before",    "dangling", "label", "node",
                                              "reference", "since",    "until"};

bool IsDangling(const Image& image) {
  return std::all_of(image.repo_tags.begin(), image.repo_tags.end(),
                     [](const std::string& tag) { return tag == "<none>:<none>"; });
}

// Go's path.Match without classes: * and ? do not cross a slash.
bool PathMatch(std::string_view pattern, std::string_view text) {
  std::size_t star = std::string_view::npos, resume = 0, at = 0, read = 0;
  while (at < text.size()) {
    if (read < pattern.size() && pattern[read] == '*') {
      star = read++;
      resume = at;
    } else if (read < pattern.size() &&
               ((pattern[read] == '?' && text[at] != '/') || pattern[read] == text[at])) {
      ++read;
      ++at;
    } else if (star != std::string_view::npos && text[resume] != '/') {
      read = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (read < pattern.size() && pattern[read] == '*') ++read;
  return read == pattern.size();
}

// Go's time.Duration in its usual units: "24h", "1h30m".
std::optional<Duration> ReadDuration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    const std::size_t end = text.find_first_not_of("0123456789");
    if (end == 0 || end == std::string_view::npos) return std::nullopt;
    const std::optional<std::uint64_t> number = ParseUnsigned(text.substr(0, end));
    constexpr std::uint64_t kMost = 1'000'000;
    const std::int64_t unit = text[end] == 'h'   ? 3600
                              : text[end] == 'm' ? 60
                              : text[end] == 's' ? 1
                                                 : 0;
    if (!number || *number > kMost || unit == 0) return std::nullopt;
    total += static_cast<std::int64_t>(*number) * unit;
    text.remove_prefix(end + 1);
  }
  return std::chrono::seconds(total);
}

absl::StatusOr<WallTime> ReadUntil(std::string_view text, WallTime now) {
  constexpr std::uint64_t kMostSeconds = 9'000'000'000;
  const std::optional<std::uint64_t> seconds = ParseUnsigned(text.substr(0, text.find('.')));
  if (seconds && *seconds <= kMostSeconds) {
    return WallTime(std::chrono::seconds(static_cast<std::int64_t>(*seconds)));
  }
  if (const std::optional<Duration> ago = ReadDuration(text)) return now - *ago;
  return InvalidArgument("invalid filter 'until=" + std::string(text) +
                         "': give seconds since 1970 or a duration such as 24h");
}

absl::StatusOr<WallTime> CreatedOf(const Context& context, const std::string& reference) {
  for (const std::shared_ptr<const ImageEntry>& entry : context.cluster().Images()) {
    if (ImageMatches(entry->image, reference)) return entry->image.created;
  }
  return NotFound("No such image: " + reference);
}

bool HasLabel(const Image& image, std::string_view wanted) {
  const std::size_t equals = wanted.find('=');
  const auto found = image.labels.find(wanted.substr(0, equals));
  if (found == image.labels.end()) return false;
  return equals == std::string_view::npos || found->second == wanted.substr(equals + 1);
}

// By the whole of it or by what stands before its tag or digest.
bool NameMatches(std::string_view pattern, const std::string& reference, char separator) {
  const std::size_t cut = reference.rfind(separator);
  const std::string_view name = std::string_view(reference).substr(0, cut);
  return PathMatch(pattern, reference) || (cut != std::string::npos && PathMatch(pattern, name));
}

void KeepMatching(std::vector<std::string>& names, const std::vector<std::string>& patterns,
                  char separator) {
  std::erase_if(names, [&](const std::string& name) {
    return std::none_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
      return NameMatches(pattern, name, separator);
    });
  });
}

std::string WithList(const std::string& row, std::string_view key,
                     const std::vector<std::string>& names) {
  JsonDocument document;
  if (!document.Parse(row).ok()) return row;
  const JsonValue old = document.root().Find(key);
  if (!old) return row;
  std::string list;
  AppendJsonStrings(list, names);
  TextEdits edits;
  edits.Replace(old.begin(), old.end(), std::move(list));
  return edits.Apply(row, 0, row.size());
}

}  // namespace

bool MatchesReference(std::string_view pattern, const Image& image) {
  return std::any_of(image.repo_tags.begin(), image.repo_tags.end(),
                     [&](const std::string& tag) { return NameMatches(pattern, tag, ':'); }) ||
         std::any_of(image.repo_digests.begin(), image.repo_digests.end(),
                     [&](const std::string& digest) { return NameMatches(pattern, digest, '@'); });
}

absl::StatusOr<ImageQuery> ImageQuery::Read(const Context& context, const Query& query,
                                            ApiVersion client) {
  constexpr ApiVersion kNoPlainFilter{1, 28};
  const std::string* text = FindQuery(query, "filters");
  absl::StatusOr<FilterArguments> filters =
      ParseFilters(text == nullptr ? std::string_view() : *text);
  if (!filters.ok()) return filters.status();
  ImageQuery read;
  read.filters = *std::move(filters);
  const std::string* plain = FindQuery(query, "filter");
  if (plain != nullptr && !plain->empty() && client < kNoPlainFilter)
    read.filters["reference"].push_back(*plain);
  for (const auto& [key, values] : read.filters) {
    if (std::find(std::begin(kImageFilters), std::end(kImageFilters), key) ==
        std::end(kImageFilters)) {
      return InvalidArgument("invalid filter '" + key + "'");
    }
    for (const std::string& value : values) {
      if (key == "dangling" && value != "true" && value != "false" && value != "1" &&
          value != "0") {
        return InvalidArgument("invalid filter 'dangling=[" + value + "]'");
      }
      if (key != "before" && key != "since" && key != "until") continue;
      const absl::StatusOr<WallTime> moment =
          key == "until" ? ReadUntil(value, context.clock().Wall()) : CreatedOf(context, value);
      if (!moment.ok()) return moment.status();
      (key == "before" ? read.before : key == "since" ? read.since : read.until) = *moment;
    }
  }
  return read;
}

bool ImageQuery::Shows(const Image& image) const {
  for (const auto& [key, values] : filters) {
    if (values.empty()) continue;
    if (key == "dangling") {
      const bool wanted = values.front() == "true" || values.front() == "1";
      if (IsDangling(image) != wanted) return false;
    } else if (key == "label") {
      for (const std::string& label : values) {
        if (!HasLabel(image, label)) return false;
      }
    } else if (key == "reference") {
      if (std::none_of(values.begin(), values.end(), [&](const std::string& pattern) {
            return MatchesReference(pattern, image);
          })) {
        return false;
      }
    }
  }
  if (before && image.created >= *before) return false;
  if (until && image.created > *until) return false;
  return !since || image.created > *since;
}

bool ImageQuery::WantsNode(const Node& node) const {
  const auto found = filters.find("node");
  if (found == filters.end() || found->second.empty()) return true;
  return std::any_of(found->second.begin(), found->second.end(), [&](const std::string& wanted) {
    return wanted == node.id || GlobMatch(wanted, node.name);
  });
}

std::shared_ptr<const ImageEntry> ImageQuery::WantedNames(
    std::shared_ptr<const ImageEntry> copy) const {
  const auto patterns = filters.find("reference");
  if (patterns == filters.end() || patterns->second.empty()) return copy;
  auto narrowed = std::make_shared<ImageEntry>(*copy);
  Image& image = narrowed->image;
  KeepMatching(image.repo_tags, patterns->second, ':');
  KeepMatching(image.repo_digests, patterns->second, '@');
  narrowed->row = WithList(narrowed->row, "RepoTags", image.repo_tags);
  narrowed->row = WithList(narrowed->row, "RepoDigests", image.repo_digests);
  return narrowed;
}

}  // namespace swarm
