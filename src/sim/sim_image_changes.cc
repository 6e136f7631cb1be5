// What changes images: tags, removals, prunes, commits; and what is pushed.
#include <algorithm>
#include <utility>

#include "sim/sim_state.h"
#include "wire/images.h"
#include "wire/json.h"
#include "wire/progress.h"

namespace swarm {
namespace {

std::string RowOf(std::string_view key, std::string_view value) {
  std::string row = "{";
  AppendJsonField(row, key, value);
  return row + "}";
}

std::string ListOf(const std::vector<std::string>& rows) {
  std::string list = "[";
  for (const std::string& row : rows) list.append(list.size() > 1 ? "," : "").append(row);
  return list + "]";
}

std::string ShortId(std::string_view id) {
  constexpr std::string_view kAlgorithm = "sha256:";
  if (id.starts_with(kAlgorithm)) id.remove_prefix(kAlgorithm.size());
  return std::string(id.substr(0, 12));
}

// The "repo" and "tag" of a query as one name; empty without a repository.
std::string NameAskedFor(const SimCall& call) {
  const std::string repository = QueryText(call.query, "repo");
  const std::string tag = QueryText(call.query, "tag");
  if (repository.empty()) return "";
  return tag.empty() ? WithDefaultTag(repository) : repository + ":" + tag;
}

bool IsName(std::string_view name) {
  return std::none_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'A' && letter <= 'Z') || letter == ' ';
  });
}

}  // namespace

void SimState::GiveTag(const std::string& id, const std::string& full_name) {
  for (SimImage& image : images_) {
    if (image.id != id) {
      std::erase(image.tags, full_name);
    } else if (std::find(image.tags.begin(), image.tags.end(), full_name) == image.tags.end()) {
      image.tags.push_back(full_name);
    }
  }
}

const SimContainer* SimState::UserOf(const SimImage& image) const {
  for (const auto& [id, container] : containers_) {
    if (container.image_id == image.id) return &container;
  }
  return nullptr;
}

void SimState::DropImage(const std::string& id) {
  std::erase_if(images_, [&id](const SimImage& image) { return image.id == id; });
  Emit("image", "delete", id, {{"name", id}});
}

Reply SimState::TagImage(const SimCall& call, std::string_view reference) {
  const SimImage* image = FindImage(reference);
  if (image == nullptr) return SimError(404, "No such image: " + WithDefaultTag(reference));
  const std::string name = NameAskedFor(call);
  if (name.empty() || !IsName(name)) return SimError(400, "invalid reference format");
  const std::string id = image->id;
  GiveTag(id, name);
  Emit("image", "tag", id, {{"name", name}});
  return SimEmpty(201);
}

Reply SimState::RemoveImage(const SimCall& call, std::string_view reference) {
  const SimImage* image = FindImage(reference);
  if (image == nullptr) return SimError(404, "No such image: " + WithDefaultTag(reference));
  const bool force = QueryFlag(call.query, "force", false);
  const std::string name = WithDefaultTag(reference);
  const bool is_name = std::find(image->tags.begin(), image->tags.end(), name) != image->tags.end();
  const SimContainer* user = UserOf(*image);
  const bool only_name = is_name && image->tags.size() > 1;
  if (!is_name && image->tags.size() > 1 && !force) {
    return SimError(409, "conflict: unable to delete " + ShortId(image->id) +
                             " (must be forced) - image is referenced in multiple repositories");
  }
  if (!is_name && user != nullptr && (IsUp(*user) || !force)) {
    return SimError(409, "conflict: unable to delete " + ShortId(image->id) +
                             (IsUp(*user) ? " (cannot be forced)" : " (must be forced)") +
                             " - image is being used by " + (IsUp(*user) ? "running" : "stopped") +
                             " container " + ShortId(user->id));
  }
  if (is_name && !only_name && user != nullptr && !force) {
    return SimError(409, "conflict: unable to remove repository reference \"" +
                             std::string(reference) + "\" (must force) - container " +
                             ShortId(user->id) + " is using its referenced image " +
                             ShortId(image->id));
  }
  const std::string id = image->id;
  const std::vector<std::string> untagged = is_name ? std::vector<std::string>{name} : image->tags;
  const bool stays = only_name || (is_name && user != nullptr);
  std::vector<std::string> rows;
  for (const std::string& tag : untagged) {
    rows.push_back(RowOf("Untagged", tag));
    for (SimImage& known : images_) std::erase(known.tags, tag);
    Emit("image", "untag", id, {{"name", tag}});
  }
  if (!stays) {
    rows.push_back(RowOf("Deleted", id));
    DropImage(id);
  }
  return SimJson(200, ListOf(rows) + "\n");
}

Reply SimState::PruneImages(const SimCall& call) {
  const auto filters = ParseFilters(QueryText(call.query, "filters"));
  if (!filters.ok()) return SimError(400, "invalid filter");
  bool with_names = false;
  for (const auto& [key, values] : *filters) {
    if (key != "dangling" && key != "until" && key != "label" && key != "label!")
      return SimError(400, "invalid filter '" + key + "'");
    if (key == "dangling") with_names = !values.empty() && !ParseBoolean(values.front());
  }
  std::vector<SimImage> removed;
  for (const SimImage& image : images_) {
    if (UserOf(image) == nullptr && (with_names || image.tags.empty())) removed.push_back(image);
  }
  std::vector<std::string> rows;
  std::int64_t reclaimed = 0;
  for (const SimImage& image : removed) {
    for (const std::string& tag : image.tags) rows.push_back(RowOf("Untagged", tag));
    rows.push_back(RowOf("Deleted", image.id));
    reclaimed += image.size;
    DropImage(image.id);
  }
  std::string body = "{\"ImagesDeleted\":" + (rows.empty() ? "null" : ListOf(rows));
  AppendJsonField(body, "SpaceReclaimed", reclaimed);
  return SimJson(200, body + "}\n");
}

Reply SimState::PushImage(const SimCall& call, std::string_view repository) const {
  const std::string tag = QueryText(call.query, "tag");
  const std::string name =
      tag.empty() ? WithDefaultTag(repository) : std::string(repository) + ":" + tag;
  if (FindImage(name) == nullptr) {
    return SimError(404,
                    "An image does not exist locally with the tag: " + std::string(repository));
  }
  auto queue = std::make_shared<ByteQueue>();
  queue->Append(
      ProgressLine("", "The push refers to repository [" + std::string(repository) + "]"));
  queue->Append(ProgressLine(SimIdOf("layer " + name).substr(0, 12), "Pushed"));
  queue->Append(ProgressLine("", name.substr(name.rfind(':') + 1) + ": digest: sha256:" +
                                     SimIdOf("pushed " + name) + " size: 527"));
  queue->Close();
  return SimStream(std::move(queue), "application/json");
}

Reply SimState::Commit(const SimCall& call) {
  const std::string reference = QueryText(call.query, "container");
  SimContainer* container = Find(reference);
  if (container == nullptr) return SimError(404, "No such container: " + reference);
  SimImage image;
  image.id = "sha256:" + NewId();
  image.command = container->arguments;
  image.size = 1'000'000;
  image.created =
      std::chrono::duration_cast<std::chrono::seconds>(Now().time_since_epoch()).count();
  const std::string name = NameAskedFor(call);
  const std::string id = image.id;
  images_.push_back(std::move(image));
  if (!name.empty()) GiveTag(id, name);
  EmitOf(*container, "commit", {{"imageID", id}, {"imageRef", name}});
  return SimJson(201, RowOf("Id", id) + "\n");
}

}  // namespace swarm
