#include "wire/disk_usage.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/attachments.h"
#include "wire/containers.h"
#include "wire/images.h"
#include "wire/json.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

constexpr ApiVersion kFirstWithTypes{1, 42};
constexpr ApiVersion kFirstWithoutLists{1, 53};

// Sizes of -1 were not counted.
std::int64_t SizeOf(JsonValue size) {
  return std::max<std::int64_t>(0, size.integer().value_or(0));
}

// The rows of one kind, in either shape.
JsonValue RowsOf(JsonValue root, std::string_view list, std::string_view usage) {
  const JsonValue rows = root.Find(list);
  return rows.is(Kind::kArray) ? rows : root.Find(usage).Find("Items");
}

bool IsActive(ContainerState state) {
  return state == ContainerState::kRunning || state == ContainerState::kPaused ||
         state == ContainerState::kRestarting;
}

std::string NamedVolume(std::string_view body, JsonValue row, const Node& node) {
  const JsonValue scope = row.Find("Scope");
  const JsonValue name = row.Find("Name");
  TextEdits edits;
  const bool is_local = !scope.is(Kind::kString) || scope.Equals("local");
  const bool is_of_cluster = static_cast<bool>(row.Find("Labels").Find(kVolumeIdLabel));
  HideLabels(row, edits);
  if (is_local && !is_of_cluster && name.is(Kind::kString))
    edits.Replace(name.begin(), name.end(), JsonString(node.name + "/" + name.text()));
  return edits.Apply(body, row.begin(), row.end());
}

std::string WithNode(std::string_view body, JsonValue row, const Node& node) {
  TextEdits edits;
  edits.AddMember(row, "\"Node\":" + JsonString(node.name));
  return edits.Apply(body, row.begin(), row.end());
}

absl::StatusOr<DiskUsageRows> ReadContainers(JsonValue rows, const Node& node, NameStyle names) {
  DiskUsageRows containers;
  if (!rows) return containers;
  absl::StatusOr<std::vector<ContainerRecord>> list = ParseContainerList(rows.raw(), node, names);
  if (!list.ok()) return list.status();
  StringMap<JsonValue> by_id;
  rows.ForEachElement([&by_id](JsonValue row) { by_id.emplace(row.Find("Id").text(), row); });
  for (const ContainerRecord& record : *list) {
    const JsonValue row = by_id.at(record.container.id);
    const std::int64_t size = SizeOf(row.Find("SizeRw"));
    containers.rows.push_back(record.row.head + JsonString(row.Find("Status").text()) +
                              record.row.tail);
    containers.size += size;
    if (IsActive(record.container.state)) {
      ++containers.active;
    } else {
      containers.reclaimable += size;
    }
  }
  return containers;
}

DiskUsageRows ReadVolumes(std::string_view body, JsonValue rows, const Node& node) {
  DiskUsageRows volumes;
  rows.ForEachElement([&](JsonValue row) {
    const JsonValue usage = row.Find("UsageData");
    const std::int64_t size = SizeOf(usage.Find("Size"));
    const std::int64_t users = usage.Find("RefCount").integer().value_or(-1);
    volumes.rows.push_back(NamedVolume(body, row, node));
    volumes.size += size;
    if (users > 0) ++volumes.active;
    if (users == 0) volumes.reclaimable += size;
  });
  return volumes;
}

DiskUsageRows ReadBuildCache(std::string_view body, JsonValue rows, const Node& node) {
  DiskUsageRows cache;
  rows.ForEachElement([&](JsonValue row) {
    // A shared record lies on the disk as the layer of an image.
    const std::int64_t size = row.Find("Shared").boolean() ? 0 : SizeOf(row.Find("Size"));
    cache.rows.push_back(WithNode(body, row, node));
    cache.size += size;
    if (row.Find("InUse").boolean()) {
      ++cache.active;
    } else {
      cache.reclaimable += size;
    }
  });
  return cache;
}

void AppendRows(std::string& json, std::string_view key, bool wanted,
                const std::vector<std::string>& rows) {
  AppendJsonKey(json, key);
  json.append(wanted ? "[" + Join(rows, ",") + "]" : "null");
}

}  // namespace

absl::StatusOr<DiskUsageKinds> ReadDiskUsageKinds(const Query& query, ApiVersion client) {
  DiskUsageKinds kinds;
  const bool some = client >= kFirstWithTypes && FindQuery(query, "type") != nullptr;
  if (!some) return kinds;
  kinds = {false, false, false, false};
  for (const auto& [key, value] : query) {
    if (key != "type") continue;
    if (value == "container") {
      kinds.containers = true;
    } else if (value == "image") {
      kinds.images = true;
    } else if (value == "volume") {
      kinds.volumes = true;
    } else if (value == "build-cache") {
      kinds.build_cache = true;
    } else {
      return InvalidArgument("unknown object type: " + value);
    }
  }
  return kinds;
}

void DiskUsageRows::Take(DiskUsageRows further) {
  std::move(further.rows.begin(), further.rows.end(), std::back_inserter(rows));
  active += further.active;
  size += further.size;
  reclaimable += further.reclaimable;
}

absl::Status DiskUsage::Add(std::string_view body, const Node& node) {
  const std::string whose = "the disk usage of node " + node.name + " cannot be read";
  JsonDocument document;
  if (absl::Status parsed = document.Parse(body); !parsed.ok()) return Annotate(parsed, whose);
  const JsonValue root = document.root();
  if (!root.is(Kind::kObject))
    return InvalidArgument(whose + ": it is " + std::string(JsonKindName(root.kind())));
  ImageList images;
  if (const JsonValue rows = RowsOf(root, "Images", "ImageUsage")) {
    absl::StatusOr<ImageList> list = ParseImageList(rows.raw());
    if (!list.ok()) return Annotate(list.status(), whose);
    images = *std::move(list);
  }
  absl::StatusOr<DiskUsageRows> containers =
      ReadContainers(RowsOf(root, "Containers", "ContainerUsage"), node, names_);
  if (!containers.ok()) return Annotate(containers.status(), whose);
  containers_.Take(*std::move(containers));
  volumes_.Take(ReadVolumes(body, RowsOf(root, "Volumes", "VolumeUsage"), node));
  build_cache_.Take(ReadBuildCache(body, RowsOf(root, "BuildCache", "BuildCacheUsage"), node));
  const JsonValue layers = root.Find("LayersSize");
  layers_size_ += SizeOf(layers.absent() ? root.Find("ImageUsage").Find("TotalSize") : layers);
  for (std::size_t at = 0; at < images.images.size(); ++at) {
    auto entry = std::make_shared<ImageEntry>();
    entry->image = std::move(images.images[at]);
    entry->node = node.address;
    entry->row = std::move(images.rows[at]);
    AddImage(std::move(entry), node);
  }
  return absl::OkStatus();
}

void DiskUsage::AddImage(std::shared_ptr<const ImageEntry> image, const Node& node) {
  ImageCopies& copies = images_[image->image.id];
  JsonDocument row;
  // It was parsed before, as a part of the whole.
  if (row.Parse(image->row).ok()) {
    copies.shared_size += SizeOf(row.root().Find("SharedSize"));
    copies.containers += SizeOf(row.root().Find("Containers"));
  }
  copies.size += std::max<std::int64_t>(0, image->image.size);
  copies.nodes.push_back(node.name);
  copies.entries.push_back(std::move(image));
}

DiskUsageRows DiskUsage::ImageRows(ApiVersion client) const {
  DiskUsageRows images;
  std::int64_t used = 0;
  std::vector<const ImageCopies*> newest_first;
  for (const auto& [id, copies] : images_) newest_first.push_back(&copies);
  std::stable_sort(newest_first.begin(), newest_first.end(),
                   [](const ImageCopies* left, const ImageCopies* right) {
                     return left->entries.front()->image.created >
                            right->entries.front()->image.created;
                   });
  for (const ImageCopies* copies : newest_first) {
    absl::StatusOr<std::string> row = MergedImageRow(copies->entries, copies->nodes, client);
    JsonDocument document;
    // Both were read before.
    if (!row.ok() || !document.Parse(*row).ok()) continue;
    TextEdits edits;
    const auto set = [&](std::string_view key, std::int64_t size) {
      const JsonValue old = document.root().Find(key);
      // -1 is "not counted".
      if (old.integer().value_or(-1) >= 0)
        edits.Replace(old.begin(), old.end(), std::to_string(size));
    };
    set("Size", copies->size);
    set("VirtualSize", copies->size);
    set("SharedSize", copies->shared_size);
    images.rows.push_back(edits.Apply(*row, 0, row->size()));
    if (copies->containers == 0) continue;
    ++images.active;
    used += copies->size - copies->shared_size;
  }
  images.size = layers_size_;
  images.reclaimable = std::max<std::int64_t>(0, layers_size_ - used);
  return images;
}

std::string DiskUsage::Format(ApiVersion client, bool verbose) const {
  const DiskUsageRows images = ImageRows(client);
  std::string json = "{";
  if (client < kFirstWithoutLists) {
    AppendJsonField(json, "LayersSize", kinds_.images ? layers_size_ : 0);
    AppendRows(json, "Images", kinds_.images, images.rows);
    AppendRows(json, "Containers", kinds_.containers, containers_.rows);
    AppendRows(json, "Volumes", kinds_.volumes, volumes_.rows);
    AppendRows(json, "BuildCache", kinds_.build_cache, build_cache_.rows);
    if (client < kFirstWithTypes) AppendJsonField(json, "BuilderSize", build_cache_.size);
  }
  const auto usage = [&](std::string_view key, bool wanted, const DiskUsageRows& rows) {
    if (client < kFirstWithUsage || !wanted) return;
    AppendJsonKey(json, key);
    json.push_back('{');
    AppendJsonField(json, "ActiveCount", rows.active);
    AppendJsonField(json, "TotalCount", static_cast<std::int64_t>(rows.rows.size()));
    AppendJsonField(json, "Reclaimable", rows.reclaimable);
    AppendJsonField(json, "TotalSize", rows.size);
    if (verbose) AppendRows(json, "Items", true, rows.rows);
    json.push_back('}');
  };
  usage("ImageUsage", kinds_.images, images);
  usage("ContainerUsage", kinds_.containers, containers_);
  usage("VolumeUsage", kinds_.volumes, volumes_);
  usage("BuildCacheUsage", kinds_.build_cache, build_cache_);
  return json + "}\n";
}

}  // namespace swarm
