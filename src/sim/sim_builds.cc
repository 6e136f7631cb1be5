// Builds: enough of a Dockerfile for images to come out of other images.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "sim/sim_state.h"
#include "sim/tar.h"
#include "swarmlib/status.h"
#include "wire/images.h"
#include "wire/json.h"
#include "wire/progress.h"

namespace swarm {
namespace {

std::string BuildLine(std::string_view text) {
  std::string line = "{";
  AppendJsonField(line, "stream", text);
  return line + "}\r\n";
}

// Of a tar, with or without "./" before its name.
std::string FileOf(const TarFiles& files, const std::string& name) {
  for (const auto& [path, content] : files) {
    if (path == name || path == "./" + name) return content;
  }
  return {};
}

}  // namespace

// FROM, CMD and any other step, which changes nothing. As with real engines, the answer begins
// before anything is known to fail.
Reply SimState::Build(const SimCall& call) {
  const absl::StatusOr<TarFiles> files = ReadTar(call.body);
  if (!files.ok()) return SimError(500, MessageOf(files.status()));
  std::string name = QueryText(call.query, "dockerfile");
  if (name.empty()) name = "Dockerfile";
  const std::string dockerfile = FileOf(*files, name);
  if (dockerfile.empty()) return SimError(500, "Cannot locate specified Dockerfile: " + name);
  std::shared_ptr<ByteQueue> queue = NewQueue();
  SimImage image;
  bool has_base = false;
  for (const std::string_view line : Split(dockerfile, '\n')) {
    const std::string step(Trim(line));
    if (step.empty() || step.starts_with('#')) continue;
    queue->Append(BuildLine("Step : " + step + "\n"));
    if (step.starts_with("FROM ")) {
      const SimImage* base = FindImage(std::string_view(step).substr(5));
      if (base == nullptr) {
        queue->Append(ErrorLine("pull access denied for " + step.substr(5) +
                                ", repository does not exist or may require 'docker login'"));
        queue->Close();
        return SimStream(std::move(queue), "application/json");
      }
      image = *base;
      has_base = true;
    } else if (step.starts_with("CMD ")) {
      image.command = {step.substr(4)};
    }
  }
  if (!has_base) return SimError(400, "no build stage in current context");
  image.id = "sha256:" + NewId();
  image.tags.clear();
  image.created =
      std::chrono::duration_cast<std::chrono::seconds>(Now().time_since_epoch()).count();
  const std::string id = image.id;
  images_.push_back(std::move(image));
  for (const std::string& tag : QueryTexts(call.query, "t")) {
    GiveTag(id, WithDefaultTag(tag));
    Emit("image", "tag", id, {{"name", WithDefaultTag(tag)}});
  }
  queue->Append("{\"aux\":{\"ID\":" + JsonString(id) + "}}\r\n");
  queue->Append(BuildLine("Successfully built " + id.substr(7, 12) + "\n"));
  queue->Close();
  return SimStream(std::move(queue), "application/json");
}

}  // namespace swarm
