// What networks and volumes have in common: they live on nodes, and are asked of the engines each
// time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/context.h"
#include "async/task.h"
#include "wire/attachments.h"
#include "wire/json.h"

namespace swarm {

// Before something is made or removed every healthy node is asked what it has, and waited for this
// long: what one of them may have is neither made twice nor called unknown.
inline constexpr Duration kLookUpPatience = std::chrono::seconds(5);

// Lookups of our own are made in the newest version that each engine speaks.
ApiVersion LookUpVersion();

// Names and ids that may stand in an engine's path.
bool IsPlainName(std::string_view name);

// {"filters":{key:{value:true, ...}}} as a query.
Query FilterBy(std::string_view key, std::vector<std::string> values);

// Of a network or volume: not one that an engine shares with others.
bool IsLocal(JsonValue object);

// The label of an object; empty without it.
std::string LabelOf(JsonValue object, std::string_view key);

// A row or an inspect answer without our labels; with "node/" before its name when it is the node's
// own (`node` is not null).
std::string ShownObject(std::string_view body, JsonValue object, const Node* node);

// What there is of one name: on the node that the name tells; else what is the cluster's, or, when
// no node has such, the first node's. `unknown` when none has.
Task<Result> InspectFirst(ContextPointer context, ApiExchange exchange, std::string path,
                          absl::Status unknown);

// Names of nodes, for messages.
std::string NamesOf(const std::vector<NodePointer>& nodes);

// InvalidArgument for a network or volume (`what`) that is to be made as "node/name", where `node`
// is null: no node is called so.
absl::Status CheckNodeOf(std::string_view what, std::string_view name, const NodePointer& node);

// Why nobody knows whether there is a volume or network of that name (`what`); OK when every
// healthy node has answered.
absl::Status UnlessSilent(const std::vector<NodePointer>& silent, const std::string& what);

// Where the scheduler would put a network or volume: one of `preferred` (addresses) if it fits,
// else the best. FailedPrecondition (409) with the reasons of the nodes when none fits.
Task<absl::StatusOr<NodePointer>> PlaceObject(ContextPointer context, std::string what,
                                              ObjectRequest request,
                                              std::vector<std::string> preferred);

}  // namespace swarm
