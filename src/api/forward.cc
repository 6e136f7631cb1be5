#include "api/forward.h"

#include <utility>

#include "api/handlers.h"
#include "api/relayed_ports.h"
#include "api/reply.h"
#include "api/router.h"
#include "api/upstream.h"

namespace swarm {
namespace {

// The engine's path behind the id, for the handlers that do nothing else than to forward.
std::string_view ForwardedVerb(const Route& route, const Query& query) {
  if (route.lives_for_client != nullptr && route.lives_for_client(query)) return {};
  if (route.handler == TopContainer) return "/top";
  if (route.handler == ContainerChanges) return "/changes";
  if (route.handler == ExportContainer) return "/export";
  if (route.handler == ContainerLogs) return "/logs";
  if (route.handler == InspectContainer) return "/json";
  return {};
}

}  // namespace

std::optional<ForwardPlan> PlanForward(Context& context, std::string_view method,
                                       std::string_view target) {
  if (method != "GET") return std::nullopt;
  const absl::StatusOr<Target> parts = ReadTarget(target);
  if (!parts.ok() || !parts->path.starts_with("/containers/")) return std::nullopt;
  const absl::StatusOr<RouteMatch> match = FindRoute(method, parts->path);
  if (!match.ok()) return std::nullopt;
  const Query query = ParseQuery(parts->query);
  const std::string_view verb = ForwardedVerb(*match->route, query);
  if (verb.empty()) return std::nullopt;
  const absl::StatusOr<ContainerPointer> entry = FindContainer(context, match->name);
  if (!entry.ok() || (*entry)->node->state != NodeState::kHealthy) return std::nullopt;
  // An engine that did not answer lately may hang. The handler gives up as soon as that is known.
  const NodePointer node = context.cluster().FindNode((*entry)->node->address);
  if (!node || node->failures > 0) return std::nullopt;
  // Its own handler tells where the ports are.
  if (match->route->handler == InspectContainer && IsRelayed(context, **entry)) return std::nullopt;
  const ApiVersion client =
      parts->version.has_value() ? *parts->version : context.offer().Now().newest;
  const ApiVersion spoken = SpokenTo(*(*entry)->node, client);
  // The shape of errors would differ.
  if ((client < kJsonErrors) != (spoken < kJsonErrors)) return std::nullopt;
  ForwardPlan plan;
  plan.pattern = match->route->pattern;
  plan.node_address = (*entry)->node->address;
  plan.target =
      EngineTarget(spoken, "/containers/" + (*entry)->container.id + std::string(verb), query);
  plan.reply_headers = CommonHeaders(context);
  if (match->route->handler == InspectContainer) plan.inspected = (*entry)->node;
  return plan;
}

}  // namespace swarm
