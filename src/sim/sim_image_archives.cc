// Images as archives: saved, loaded, imported.
#include <algorithm>
#include <utility>

#include "sim/sim_state.h"
#include "sim/tar.h"
#include "swarmlib/status.h"
#include "wire/images.h"
#include "wire/json.h"
#include "wire/progress.h"

namespace swarm {
namespace {

constexpr std::string_view kAlgorithm = "sha256:";
constexpr char kManifest[] = "manifest.json";

std::string ConfigName(const SimImage& image) {
  return image.id.substr(kAlgorithm.size()) + ".json";
}

std::string ConfigOf(const SimImage& image) {
  std::string json = "{";
  AppendJsonKey(json, "Cmd");
  AppendJsonStrings(json, image.command);
  AppendJsonField(json, "port", static_cast<std::int64_t>(image.port));
  AppendJsonField(json, "size", image.size);
  AppendJsonField(json, "created", image.created);
  return json + "}";
}

SimImage ImageOf(const std::string& id, JsonValue config) {
  SimImage image;
  image.id = id;
  config.Find("Cmd").ForEachElement(
      [&image](JsonValue word) { image.command.push_back(word.text()); });
  image.port = static_cast<std::uint16_t>(config.Find("port").integer().value_or(0));
  image.size = config.Find("size").integer().value_or(0);
  image.created = config.Find("created").integer().value_or(0);
  return image;
}

std::string StreamLine(std::string_view text) {
  std::string line = "{";
  AppendJsonField(line, "stream", text);
  return line + "}\r\n";
}

}  // namespace

Reply SimState::SaveImages(const std::vector<std::string>& references) const {
  if (references.empty()) return SimError(400, "no image is named");
  TarFiles files;
  std::string manifest = "[";
  for (const std::string& reference : references) {
    const SimImage* image = FindImage(reference);
    if (image == nullptr) return SimError(404, "No such image: " + WithDefaultTag(reference));
    const std::string name = WithDefaultTag(reference);
    const bool is_name =
        std::find(image->tags.begin(), image->tags.end(), name) != image->tags.end();
    manifest.append(manifest.size() > 1 ? ",{" : "{");
    AppendJsonField(manifest, "Config", ConfigName(*image));
    AppendJsonKey(manifest, "RepoTags");
    AppendJsonStrings(manifest,
                      is_name ? std::vector<std::string>{name} : std::vector<std::string>{});
    manifest.append(",\"Layers\":[]}");
    files[ConfigName(*image)] = ConfigOf(*image);
  }
  files[kManifest] = manifest + "]";
  Reply reply;
  SetHeader(reply.headers, "Content-Type", "application/x-tar");
  reply.body = WriteTar(files);
  return reply;
}

Reply SimState::LoadImages(const SimCall& call) {
  const absl::StatusOr<TarFiles> files = ReadTar(call.body);
  if (!files.ok())
    return SimError(500, "Error processing tar file: " + std::string(MessageOf(files.status())));
  const auto manifest = files->find(kManifest);
  JsonDocument document;
  if (manifest == files->end() || !document.Parse(manifest->second).ok())
    return SimError(500, "open manifest.json: no such file or directory");
  std::string lines;
  for (const JsonValue entry : document.root().elements()) {
    const std::string config = entry.Find("Config").text();
    const auto file = files->find(config);
    JsonDocument parsed;
    if (file == files->end() || !parsed.Parse(file->second).ok())
      return SimError(500, "open " + config + ": no such file or directory");
    const std::string id = std::string(kAlgorithm) + config.substr(0, config.rfind('.'));
    if (FindImage(id) == nullptr) images_.push_back(ImageOf(id, parsed.root()));
    const std::vector<JsonValue> tags = entry.Find("RepoTags").elements();
    for (const JsonValue tag : tags) {
      GiveTag(id, tag.text());
      lines.append(StreamLine("Loaded image: " + tag.text() + "\n"));
    }
    if (tags.empty()) lines.append(StreamLine("Loaded image ID: " + id + "\n"));
    Emit("image", "load", id, {{"name", id}});
  }
  std::shared_ptr<ByteQueue> queue = NewQueue();
  queue->Append(lines);
  queue->Close();
  return SimStream(std::move(queue), "application/json");
}

// As with real engines, what two of them make of one file has different ids.
Reply SimState::Import(const SimCall& call) {
  const std::string source = QueryText(call.query, "fromSrc");
  if (source.empty()) return SimError(400, "neither fromImage nor fromSrc was given");
  if (source == "-") {
    const absl::StatusOr<TarFiles> files = ReadTar(call.body);
    if (!files.ok()) return SimError(500, MessageOf(files.status()));
  }
  SimImage image;
  image.id = std::string(kAlgorithm) + NewId();
  image.size = static_cast<std::int64_t>(call.body.size());
  image.created =
      std::chrono::duration_cast<std::chrono::seconds>(Now().time_since_epoch()).count();
  const std::string id = image.id;
  images_.push_back(std::move(image));
  const std::string repository = QueryText(call.query, "repo");
  const std::string tag = QueryText(call.query, "tag");
  if (!repository.empty())
    GiveTag(id, tag.empty() ? WithDefaultTag(repository) : repository + ":" + tag);
  Emit("image", "import", id, {{"name", repository}});
  std::shared_ptr<ByteQueue> queue = NewQueue();
  queue->Append(ProgressLine("", id));
  queue->Close();
  return SimStream(std::move(queue), "application/json");
}

}  // namespace swarm
