#include "api/container_needs.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/move_steps.h"
#include "async/await.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::size_t kMostLooksAtOnce = 16;
constexpr std::size_t kLeastIdDigits = 12;  // that are taken for the beginning of an id

struct NeedsSearch {
  ContextPointer context;
  std::vector<ContainerPointer> entries;
  std::size_t next = 0;
  std::shared_ptr<ContainerNeeds> to;
};

Task<void> SearchSome(std::shared_ptr<NeedsSearch> search) {
  while (search->next < search->entries.size()) {
    const ContainerPointer entry = search->entries[search->next++];
    const absl::StatusOr<std::optional<Recreation>> seen = co_await LookAt(search->context, entry);
    const std::string name = NameOfContainer(*entry);
    if (!seen.ok()) {
      if (search->to->read.ok()) search->to->read = Annotate(seen.status(), name);
      continue;
    }
    if (!seen->has_value()) continue;
    for (const std::string& reference : (*seen)->needs)
      search->to->all.push_back({name, reference});
  }
}

bool Names(const std::string& reference, const Container& container) {
  if (reference == container.id) return true;
  if (reference.size() >= kLeastIdDigits && container.id.starts_with(reference)) return true;
  return std::find(container.names.begin(), container.names.end(), reference) !=
         container.names.end();
}

}  // namespace

Task<void> AddNeeds(ContextPointer context, std::vector<ContainerPointer> entries,
                    std::shared_ptr<ContainerNeeds> to) {
  auto search = std::make_shared<NeedsSearch>();
  search->context = std::move(context);
  search->entries = std::move(entries);
  search->to = std::move(to);
  std::vector<Task<void>> workers;
  for (std::size_t at = 0; at < std::min(search->entries.size(), kMostLooksAtOnce); ++at)
    workers.push_back(SearchSome(search));
  return RunAll(std::move(workers));
}

absl::Status CheckNotNeeded(const ContainerNeeds& needs, const Container& container) {
  for (const ContainerNeeds::Need& need : needs.all) {
    if (Names(need.reference, container)) {
      return FailedPrecondition(
          "the container " + need.by +
          " uses its namespaces, links or volumes, and would not start again");
    }
  }
  if (needs.read.ok()) return absl::OkStatus();
  return FailedPrecondition("it is not known whether another container needs it: " +
                            std::string(MessageOf(needs.read)));
}

}  // namespace swarm
