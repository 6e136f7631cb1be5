// GET /system/df: the answers of many engines as one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "swarmlib/cluster.h"
#include "swarmlib/manager.h"
#include "swarmlib/model.h"
#include "wire/api_version.h"
#include "wire/filters.h"

namespace swarm {

// From this version on there are ImageUsage, ContainerUsage, VolumeUsage and BuildCacheUsage.
inline constexpr ApiVersion kFirstWithUsage{1, 52};

// The kinds of objects that are asked for.
struct DiskUsageKinds {
  bool containers = true;
  bool images = true;
  bool volumes = true;
  bool build_cache = true;

  friend bool operator==(const DiskUsageKinds&, const DiskUsageKinds&) = default;
};

// The values of `type`. All kinds without one, and for clients below API 1.42, which have no such
// parameter. InvalidArgument with the engine's words for any other value.
absl::StatusOr<DiskUsageKinds> ReadDiskUsageKinds(const Query& query, ApiVersion client);

// Rows of one kind and what they come to.
struct DiskUsageRows {
  std::vector<std::string> rows;
  std::int64_t active = 0;
  std::int64_t size = 0;         // bytes
  std::int64_t reclaimable = 0;  // bytes

  void Take(DiskUsageRows further);
};

// Copies of one image are one row whose sizes are those of all copies, since each lies on a disk.
// All other rows stand one behind the other, with their node's name as the lists have it.
class DiskUsage {
 public:
  explicit DiskUsage(DiskUsageKinds kinds, NameStyle names = NameStyle::kBoth)
      : kinds_(kinds), names_(names) {}

  // One engine's answer, in the shape of any version; from API 1.52 on it must be a verbose one.
  // On an error nothing of it counts.
  absl::Status Add(std::string_view body, const Node& node);

  // Lists below API 1.52, both shapes in 1.52, usages alone from 1.53 on; items of the usages only
  // if `verbose`.
  std::string Format(ApiVersion client, bool verbose) const;

 private:
  struct ImageCopies {
    std::vector<std::shared_ptr<const ImageEntry>> entries;
    std::vector<std::string> nodes;
    std::int64_t size = 0;
    std::int64_t shared_size = 0;
    std::int64_t containers = 0;
  };
  void AddImage(std::shared_ptr<const ImageEntry> image, const Node& node);
  DiskUsageRows ImageRows(ApiVersion client) const;

  const DiskUsageKinds kinds_;
  const NameStyle names_;
  std::int64_t layers_size_ = 0;
  std::map<std::string, ImageCopies> images_;  // by id
  DiskUsageRows containers_, volumes_, build_cache_;
};

}  // namespace swarm
