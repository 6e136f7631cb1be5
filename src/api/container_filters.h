// Which containers a list shows.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/context.h"
#include "api/networks.h"

namespace swarm {

// What one list asks for: all, limit, before, since and filters of its query.
class ContainerQuery {
 public:
  // InvalidArgument with the engine's words for an unknown filter or a bad value; NotFound for a
  // reference in before or since.
  static absl::StatusOr<ContainerQuery> Read(const Context& context, const Query& query);

  ~ContainerQuery();
  ContainerQuery(ContainerQuery&&) noexcept;
  ContainerQuery& operator=(ContainerQuery&&) noexcept;

  // Whether the filter `network` may name a network by an id. Each node's copy of a network of the
  // cluster has an id of its own, and only the engines know which belong together: then the list
  // wants AddCopies before it is made.
  bool NamesNetworkIds() const;
  // Containers in any copy of a network that is named by the id of one are shown.
  void AddCopies(const FoundNetworks& found);

  bool Shows(const ContainerEntry& entry) const;
  std::size_t limit() const;  // 0 = none
  // Shows every container, or the running ones on healthy nodes, and asks for nothing else.
  bool IsPlain() const;
  bool all() const;
  // The containers of which it can show any, in the list's order, when whole ids say which these
  // are; nullopt: any container. So a look at one costs no walk over all.
  std::optional<ContainerGroups> Candidates(const Context& context) const;

 private:
  struct Parts;
  explicit ContainerQuery(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// "n1/web" as (n1, web) when a node of the cluster is called n1, else as (null, "n1/web").
std::pair<NodePointer, std::string_view> SplitNode(const Context& context,
                                                   std::string_view reference);

}  // namespace swarm
