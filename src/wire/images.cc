#include "wire/images.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

constexpr ApiVersion kFirstWithoutVirtualSize{1, 44};
constexpr std::string_view kNoTag = "<none>:<none>";
constexpr std::string_view kNoDigest = "<none>@<none>";
constexpr std::string_view kDigestPrefix = "sha256:";

std::vector<std::string> TextsOf(JsonValue list) {
  std::vector<std::string> texts;
  list.ForEachElement([&texts](JsonValue element) {
    std::string text = element.text();
    if (!text.empty() && text != kNoTag && text != kNoDigest) texts.push_back(std::move(text));
  });
  return texts;
}

Image ReadImage(JsonValue row) {
  Image image;
  image.id = row.Find("Id").text();
  image.repo_tags = TextsOf(row.Find("RepoTags"));
  image.repo_digests = TextsOf(row.Find("RepoDigests"));
  row.Find("Labels").ForEachMember(
      [&image](JsonValue key, JsonValue value) { image.labels[key.text()] = value.text(); });
  image.created = TimeOfSeconds(row.Find("Created").integer().value_or(0));
  image.size = row.Find("Size").integer().value_or(0);
  return image;
}

void AddAll(const std::vector<std::string>& from, std::vector<std::string>& to) {
  for (const std::string& text : from) {
    if (std::find(to.begin(), to.end(), text) == to.end()) to.push_back(text);
  }
}

// Together with one comma beside it.
void RemoveMember(JsonValue object, std::string_view name, TextEdits& edits) {
  std::size_t before = 0;  // the end of the member before; 0 = there is none
  std::size_t begin = 0;   // of the member when it is the first; then all up to the next one goes
  object.ForEachMember([&](JsonValue key, JsonValue value) {
    if (begin != 0) {
      edits.Replace(std::exchange(begin, 0), key.begin(), "");
    } else if (key.Equals(name)) {
      if (before != 0) edits.Replace(before, value.end(), "");
      if (before == 0) begin = key.begin();
      return;
    }
    before = value.end();
  });
}

// Fields of one merged row that differ from its first copy's.
class MergedFields {
 public:
  void Add(const ImageEntry& entry, JsonValue row) {
    AddAll(entry.image.repo_tags, tags_);
    AddAll(entry.image.repo_digests, digests_);
    for (const auto& [key, value] : entry.image.labels) labels_.emplace(key, value);
    const std::int64_t count = row.Find("Containers").integer().value_or(-1);
    if (count >= 0) containers_ = std::max<std::int64_t>(containers_, 0) + count;
  }

  std::string WriteTo(std::string_view first, JsonValue row, const std::vector<std::string>& nodes,
                      ApiVersion client) const {
    TextEdits edits;
    const auto set = [&](std::string_view key, std::string json) {
      const JsonValue old = row.Find(key);
      if (old) {
        edits.Replace(old.begin(), old.end(), std::move(json));
      } else {
        edits.AddMember(row, JsonString(key) + ":" + json);
      }
    };
    const auto list = [](const std::vector<std::string>& texts) {
      std::string json;
      AppendJsonStrings(json, texts);
      return json;
    };
    if (!tags_.empty()) set("RepoTags", list(tags_));
    if (!digests_.empty()) set("RepoDigests", list(digests_));
    if (!labels_.empty()) {
      std::string json = "{";
      for (const auto& [key, value] : labels_) AppendJsonField(json, key, value);
      set("Labels", json + "}");
    }
    if (containers_ >= 0) set("Containers", std::to_string(containers_));
    const JsonValue size = row.Find("Size");
    if (client >= kFirstWithoutVirtualSize) {
      RemoveMember(row, "VirtualSize", edits);
    } else if (size && !row.Find("VirtualSize")) {
      set("VirtualSize", std::string(size.raw()));
    }
    set("Nodes", list(nodes));
    return edits.Apply(first, 0, first.size());
  }

 private:
  std::vector<std::string> tags_, digests_;
  Labels labels_;
  std::int64_t containers_ = -1;  // not counted
};

// A digest, a tag or neither, as the part behind the repository's name.
bool HasTagOrDigest(std::string_view reference) {
  if (reference.find('@') != std::string_view::npos) return true;
  const std::size_t colon = reference.rfind(':');
  const std::size_t slash = reference.rfind('/');
  return colon != std::string_view::npos && (slash == std::string_view::npos || slash < colon);
}

// "docker.io/library/nginx" and "nginx" are one repository.
std::string_view FamiliarName(std::string_view reference) {
  for (const std::string_view host : {"docker.io/", "index.docker.io/"}) {
    if (!reference.starts_with(host)) continue;
    reference.remove_prefix(host.size());
    break;
  }
  constexpr std::string_view kLibrary = "library/";
  if (reference.starts_with(kLibrary)) reference.remove_prefix(kLibrary.size());
  return reference;
}

bool IsHex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IdMatches(std::string_view id, std::string_view reference) {
  if (id.starts_with(kDigestPrefix)) id.remove_prefix(kDigestPrefix.size());
  if (reference.starts_with(kDigestPrefix)) reference.remove_prefix(kDigestPrefix.size());
  return IsHex(reference) && id.starts_with(reference);
}

}  // namespace

absl::StatusOr<ImageList> ParseImageList(std::string_view body) {
  JsonDocument document;
  if (absl::Status parsed = document.Parse(body); !parsed.ok()) return parsed;
  ImageList list;
  if (document.root().is(Kind::kNull)) return list;
  if (!document.root().is(Kind::kArray))
    return InvalidArgument("the image list is not a JSON array");
  absl::Status wrong;
  document.root().ForEachElement([&](JsonValue row) {
    Image image = ReadImage(row);
    if (image.id.empty()) {
      wrong = InvalidArgument("the image list cannot be read: row " +
                              std::to_string(list.rows.size()) + " has no Id");
    }
    list.images.push_back(std::move(image));
    list.rows.emplace_back(row.raw());
  });
  if (!wrong.ok()) return wrong;
  return list;
}

absl::StatusOr<std::string> MergedImageRow(
    const std::vector<std::shared_ptr<const ImageEntry>>& entries,
    const std::vector<std::string>& names, ApiVersion client) {
  SWARM_CHECK(!entries.empty() && entries.size() == names.size(),
              "every copy of an image has its node");
  MergedFields fields;
  JsonDocument document;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    // The first copy is parsed last, so that `document` is its own when the row is written.
    if (absl::Status parsed = document.Parse((*entry)->row); !parsed.ok()) return parsed;
    if (!document.root().is(Kind::kObject))
      return InvalidArgument("an image's row is not a JSON object");
    fields.Add(**entry, document.root());
  }
  return fields.WriteTo(entries.front()->row, document.root(), names, client);
}

std::string WithDefaultTag(std::string_view reference) {
  std::string full(reference);
  if (!HasTagOrDigest(reference)) full.append(":latest");
  return full;
}

bool ImageMatches(const Image& image, std::string_view reference) {
  if (reference.empty()) return false;
  const std::string tag = WithDefaultTag(FamiliarName(reference));
  const auto is_same = [&tag](const std::string& known) { return FamiliarName(known) == tag; };
  if (std::any_of(image.repo_tags.begin(), image.repo_tags.end(), is_same)) return true;
  if (std::any_of(image.repo_digests.begin(), image.repo_digests.end(), is_same)) return true;
  return IdMatches(image.id, reference);
}

}  // namespace swarm
