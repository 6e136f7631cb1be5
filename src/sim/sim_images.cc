#include <algorithm>
#include <utility>

#include "sim/sim_state.h"
#include "wire/images.h"
#include "wire/json.h"
#include "wire/progress.h"

namespace swarm {
namespace {

// What an image runs and exposes when nothing else is said.
struct KnownImage {
  std::string_view repository;
  const char* command;
  std::uint16_t port;
};

constexpr KnownImage kKnown[] = {
    {"nginx", "nginx", 80}, {"mysql", "mysqld", 3306}, {"redis", "redis-server", 6379},
    {"busybox", "sh", 0},   {"alpine", "sh", 0},       {"ubuntu", "bash", 0},
    {"debian", "bash", 0}};

Image ImageModelOf(const SimImage& image) {
  Image model;
  model.id = image.id;
  model.repo_tags = image.tags;
  return model;
}

}  // namespace

std::vector<std::string> DefaultSimImages() {
  return {"busybox", "ubuntu", "nginx", "mysql", "redis"};
}

void SimState::AddImage(std::string_view reference) {
  SimImage image;
  const std::string full = WithDefaultTag(reference);
  image.id = "sha256:" + SimIdOf(full);
  image.tags = {full};
  image.command = {"run"};
  image.size = static_cast<std::int64_t>(1'000'000 + full.size() * 1000);
  const std::string_view repository = std::string_view(full).substr(0, full.rfind(':'));
  for (const KnownImage& known : kKnown) {
    if (known.repository != repository) continue;
    image.command = {known.command};
    image.port = known.port;
  }
  images_.push_back(std::move(image));
}

const SimImage* SimState::FindImage(std::string_view reference) const {
  const auto found = std::find_if(
      images_.begin(), images_.end(),
      [reference](const SimImage& image) { return ImageMatches(ImageModelOf(image), reference); });
  return found == images_.end() ? nullptr : &*found;
}

Reply SimState::ListImages(const SimCall& call) const {
  const auto filters = ParseFilters(QueryText(call.query, "filters"));
  if (!filters.ok()) return SimError(400, "invalid filter");
  const auto references = filters->find("reference");
  std::string json = "[";
  for (const SimImage& image : images_) {
    if (references != filters->end() &&
        std::none_of(references->second.begin(), references->second.end(),
                     [&image](const std::string& reference) {
                       return ImageMatches(ImageModelOf(image), reference);
                     })) {
      continue;
    }
    std::string row = "{\"Containers\":-1";
    AppendJsonField(row, "Created", image.created);
    AppendJsonField(row, "Id", image.id);
    AppendJsonKey(row, "Labels");
    row.append("null");
    AppendJsonField(row, "ParentId", "");
    AppendJsonKey(row, "RepoDigests");
    row.append("[]");
    AppendJsonKey(row, "RepoTags");
    AppendJsonStrings(row, image.tags);
    AppendJsonField(row, "SharedSize", -1);
    AppendJsonField(row, "Size", image.size);
    AppendJsonField(row, "VirtualSize", image.size);
    json.append(json.size() > 1 ? "," : "").append(row).append("}");
  }
  return SimJson(200, json + "]\n");
}

Reply SimState::InspectImage(std::string_view reference) const {
  const SimImage* image = FindImage(reference);
  if (image == nullptr) {
    return SimError(404, "no such image: " + std::string(reference) +
                             ": No such image: " + WithDefaultTag(reference));
  }
  std::string json = "{";
  AppendJsonField(json, "Id", image->id);
  AppendJsonKey(json, "RepoTags");
  AppendJsonStrings(json, image->tags);
  json.append(
      ",\"RepoDigests\":[],\"Created\":\"2015-01-01T00:00:00Z\",\"Os\":\"linux\",\"Architecture\":"
      "\"amd64\"");
  AppendJsonField(json, "Size", image->size);
  AppendJsonKey(json, "Config");
  json.append("{\"Env\":null,\"Cmd\":");
  AppendJsonStrings(json, image->command);
  return SimJson(200, json + "}}\n");
}

Reply SimState::Pull(const SimCall& call) {
  std::string reference = QueryText(call.query, "fromImage");
  if (reference.empty()) return Import(call);
  const std::string tag = QueryText(call.query, "tag");
  if (!tag.empty()) reference.append(tag.starts_with("sha256:") ? "@" : ":").append(tag);
  reference = WithDefaultTag(reference);
  if (reference.starts_with("missing/")) {
    return SimError(404, "pull access denied for " + reference.substr(0, reference.rfind(':')) +
                             ", repository does not exist or may require 'docker login'");
  }
  const bool is_new = FindImage(reference) == nullptr;
  const std::string layer = SimIdOf("layer " + reference).substr(0, 12);
  std::string lines =
      ProgressLine(reference.substr(reference.rfind(':') + 1), "Pulling from " + reference);
  if (is_new) {
    lines.append(ProgressLine(layer, "Pulling fs layer"))
        .append(ProgressLine(layer, "Pull complete"));
    AddImage(reference);
  }
  lines.append(ProgressLine(
      "", std::string("Status: ") +
              (is_new ? "Downloaded newer image for " : "Image is up to date for ") + reference));
  Emit("image", "pull", reference, {{"name", reference}});
  std::shared_ptr<ByteQueue> queue = NewQueue();
  queue->Append(lines);
  queue->Close();
  return SimStream(std::move(queue), "application/json");
}

}  // namespace swarm
