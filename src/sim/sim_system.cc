#include <algorithm>
#include <utility>

#include "base/text.h"
#include "sim/sim_state.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

constexpr std::int64_t kSizeOfFiles = 4'096;  // of a container, beside its files

std::int64_t SizeOf(const SimContainer& container) {
  std::int64_t size = kSizeOfFiles;
  for (const auto& [path, content] : container.files)
    size += static_cast<std::int64_t>(content.size());
  return size;
}

// "key" or "key=value".
bool HasLabel(const Labels& labels, const std::string& wanted) {
  const std::size_t equals = wanted.find('=');
  const auto found = labels.find(wanted.substr(0, equals));
  if (found == labels.end()) return false;
  return equals == std::string::npos || found->second == wanted.substr(equals + 1);
}

bool IsPruned(const SimContainer& container, const FilterArguments& filters) {
  for (const auto& [key, values] : filters) {
    for (const std::string& value : values) {
      if (key == "label" && !HasLabel(container.labels, value)) return false;
      if (key == "label!" && HasLabel(container.labels, value)) return false;
    }
  }
  return container.state != ContainerState::kRestarting && !IsUp(container);
}

std::string JoinedRows(const std::vector<std::string>& rows) { return "[" + Join(rows, ",") + "]"; }

}  // namespace

Reply SimState::DiskUsage() const {
  std::vector<std::string> containers, images;
  std::int64_t layers = 0;
  for (const SimImage& image : images_) {
    const auto users =
        std::count_if(containers_.begin(), containers_.end(),
                      [&image](const auto& entry) { return entry.second.image_id == image.id; });
    std::string row = "{";
    AppendJsonField(row, "Containers", static_cast<std::int64_t>(users));
    AppendJsonField(row, "Created", std::int64_t{1'420'070'400});
    AppendJsonField(row, "Id", image.id);
    AppendJsonKey(row, "RepoTags");
    AppendJsonStrings(row, image.tags);
    AppendJsonField(row, "SharedSize", 0);
    AppendJsonField(row, "Size", image.size);
    AppendJsonField(row, "VirtualSize", image.size);
    images.push_back(row + "}");
    layers += image.size;
  }
  for (const auto& [id, container] : containers_) {
    std::string row = Row(container);
    row.pop_back();
    AppendJsonField(row, "SizeRw", SizeOf(container));
    containers.push_back(row + "}");
  }
  std::string json = "{";
  AppendJsonField(json, "LayersSize", layers);
  json.append(",\"Images\":").append(JoinedRows(images));
  json.append(",\"Containers\":").append(JoinedRows(containers));
  json.append(",\"Volumes\":[],\"BuildCache\":[],\"BuilderSize\":0}\n");
  return SimJson(200, std::move(json));
}

Reply SimState::PruneContainers(const SimCall& call) {
  const auto filters = ParseFilters(QueryText(call.query, "filters"));
  if (!filters.ok()) return SimError(400, "invalid filter");
  for (const auto& [key, values] : *filters) {
    if (key != "label" && key != "label!" && key != "until")
      return SimError(400, "invalid filter '" + key + "'");
  }
  std::vector<std::string> gone;
  std::int64_t bytes = 0;
  for (const auto& [id, container] : containers_) {
    if (IsPruned(container, *filters)) gone.push_back(id);
  }
  for (const std::string& id : gone) {
    bytes += SizeOf(containers_.at(id));
    Erase(containers_.at(id));
  }
  Emit("container", "prune", "", {{"reclaimed", std::to_string(bytes)}});
  std::string json = "{\"ContainersDeleted\":";
  if (gone.empty()) {
    json.append("null");
  } else {
    AppendJsonStrings(json, gone);
  }
  AppendJsonField(json, "SpaceReclaimed", bytes);
  return SimJson(200, json + "}\n");
}

Reply SimState::Plugins(const SimCall& call) const {
  if (call.path.size() == 1) return SimJson(200, "[]\n");
  const std::string name = Join({call.path.begin() + 1, call.path.end() - 1}, "/");
  return SimError(404, "plugin \"" + name + "\" not found");
}

}  // namespace swarm
