#include <array>

#include "api/build.h"
#include "api/handlers.h"
#include "api/router.h"

namespace swarm {
namespace {

constexpr Route Serve(std::string_view method, std::string_view pattern, Handler handler) {
  return {method, pattern, handler};
}

// What says how the cluster is, or asks nothing of it.
constexpr Route AtOnce(std::string_view method, std::string_view pattern, Handler handler) {
  return {method, pattern, handler, Refusal::kNone, {}, true};
}

// What looks at all that is known of containers.
constexpr Route Whole(std::string_view method, std::string_view pattern, Handler handler) {
  return {method, pattern, handler, Refusal::kNone, {}, false, true};
}

bool Always(const Query&) { return true; }

bool WhenFollowed(const Query& query) {
  const std::string* follow = FindQuery(query, "follow");
  return follow != nullptr && ParseBoolean(*follow);
}

bool WhenStreamed(const Query& query) {
  const std::string* stream = FindQuery(query, "stream");
  return stream == nullptr || ParseBoolean(*stream);
}

bool WithoutUntil(const Query& query) {
  const std::string* until = FindQuery(query, "until");
  return until == nullptr || until->empty();
}

bool WithoutPlan(const Query& query) {
  const std::string* plan = FindQuery(query, "plan");
  return plan == nullptr || !ParseBoolean(*plan);
}

// What lives for its client.
constexpr Route Living(Route route, bool (*lives)(const Query&) = Always) {
  route.lives_for_client = lives;
  return route;
}

constexpr Route Refuse(std::string_view method, std::string_view pattern, Refusal refusal) {
  return {method, pattern, nullptr, refusal};
}

constexpr Route OnNode(std::string_view method, std::string_view pattern, std::string_view hint) {
  return {method, pattern, nullptr, Refusal::kOnNode, hint};
}

// Longer patterns stand before shorter ones that would fit too.
constexpr auto kRoutes = std::to_array<Route>({
    // System
    AtOnce("GET", "/_ping", GetPing),
    AtOnce("HEAD", "/_ping", GetPing),
    AtOnce("GET", "/version", GetVersion),
    AtOnce("GET", "/info", GetInfo),
    Living(AtOnce("GET", "/events", GetEvents), WithoutUntil),
    AtOnce("GET", "/swarmd/v1/metrics", GetMetrics),
    AtOnce("GET", "/swarmd/v1/nodes", ListNodes),
    AtOnce("GET", "/swarmd/v1/nodes/{}", InspectNode),
    AtOnce("POST", "/swarmd/v1/nodes/{}/cordon", CordonNode),
    AtOnce("POST", "/swarmd/v1/nodes/{}/uncordon", UncordonNode),
    Living(Whole("POST", "/swarmd/v1/nodes/{}/drain", DrainNode), WithoutPlan),
    AtOnce("POST", "/auth", PostAuth),
    Whole("GET", "/system/df", GetDiskUsage),
    Refuse("GET", "/debug/{}", Refusal::kGone),

    // Containers
    Whole("GET", "/containers/json", ListContainers),
    Whole("GET", "/containers/ps", ListContainers),
    Living(Serve("POST", "/containers/create", CreateContainer)),  // for its pull
    Whole("POST", "/containers/prune", PruneContainers),
    Serve("GET", "/containers/{}/json", InspectContainer),
    Serve("GET", "/containers/{}/top", TopContainer),
    Living(Serve("GET", "/containers/{}/logs", ContainerLogs), WhenFollowed),
    Serve("GET", "/containers/{}/changes", ContainerChanges),
    Serve("GET", "/containers/{}/export", ExportContainer),
    Living(Serve("GET", "/containers/{}/stats", ContainerStats), WhenStreamed),
    Serve("POST", "/containers/{}/resize", ResizeContainer),
    Serve("POST", "/containers/{}/start", StartContainer),
    Serve("POST", "/containers/{}/stop", StopContainer),
    Serve("POST", "/containers/{}/restart", RestartContainer),
    Serve("POST", "/containers/{}/kill", KillContainer),
    Serve("POST", "/containers/{}/pause", PauseContainer),
    Serve("POST", "/containers/{}/unpause", UnpauseContainer),
    Serve("POST", "/containers/{}/update", UpdateContainer),
    Serve("POST", "/containers/{}/rename", RenameContainer),
    Serve("POST", "/containers/{}/attach", AttachContainer),
    Serve("GET", "/containers/{}/attach/ws", AttachWebsocket),
    Living(Serve("POST", "/containers/{}/wait", WaitContainer)),
    Serve("HEAD", "/containers/{}/archive", ContainerArchive),
    Serve("GET", "/containers/{}/archive", ContainerArchive),
    Serve("PUT", "/containers/{}/archive", ContainerArchive),
    Serve("POST", "/containers/{}/copy", CopyFromContainer),
    Serve("POST", "/containers/{}/exec", CreateExec),
    Serve("GET", "/containers/{}/checkpoints", ContainerCheckpoints),
    Serve("POST", "/containers/{}/checkpoints", ContainerCheckpoints),
    Serve("DELETE", "/containers/{}/checkpoints/{}", RemoveCheckpoint),
    Serve("DELETE", "/containers/{}", RemoveContainer),
    Serve("POST", "/exec/{}/start", StartExec),
    Serve("POST", "/exec/{}/resize", ResizeExec),
    Serve("GET", "/exec/{}/json", InspectExec),

    // Images and build
    Serve("GET", "/images/json", ListImages),
    AtOnce("GET", "/images/search", SearchImages),
    Serve("GET", "/images/get", SaveImages),
    Refuse("GET", "/images/viz", Refusal::kClustering),
    Serve("GET", "/images/{}/json", InspectImage),
    Serve("GET", "/images/{}/history", ImageHistory),
    Serve("GET", "/images/{}/attestations", ImageAttestations),
    Serve("GET", "/images/{}/get", SaveImage),
    Living(Serve("POST", "/images/create", CreateImage)),
    Living(Serve("POST", "/images/load", LoadImages)),
    Serve("POST", "/images/prune", PruneImages),
    Living(Serve("POST", "/images/{}/push", PushImage)),
    Serve("POST", "/images/{}/tag", TagImage),
    Refuse("POST", "/images/{}/insert", Refusal::kGone),
    Serve("DELETE", "/images/{}", RemoveImage),
    AtOnce("GET", "/distribution/{}/json", InspectDistribution),
    Serve("POST", "/commit", CommitContainer),
    Living(Serve("POST", "/build", BuildImage)),
    Serve("POST", "/build/cancel", CancelBuild),
    Serve("POST", "/build/prune", PruneBuilds),
    Serve("POST", "/session", OpenSession),
    Serve("POST", "/grpc", OpenGrpc),

    // Networks and volumes
    Serve("GET", "/networks", ListNetworks),
    Serve("GET", "/networks/", ListNetworks),
    Serve("GET", "/networks/{}", InspectNetwork),
    Serve("POST", "/networks/create", CreateNetwork),
    Serve("POST", "/networks/prune", PruneNetworks),
    Serve("POST", "/networks/{}/connect", ConnectNetwork),
    Serve("POST", "/networks/{}/disconnect", DisconnectNetwork),
    Serve("DELETE", "/networks/{}", RemoveNetwork),
    Serve("GET", "/volumes", ListVolumes),
    Serve("GET", "/volumes/{}", InspectVolume),
    Serve("POST", "/volumes/create", CreateVolume),
    Serve("POST", "/volumes/prune", PruneVolumes),
    Refuse("PUT", "/volumes/{}", Refusal::kSwarmMode),
    Serve("DELETE", "/volumes/{}", RemoveVolume),

    // Plugins
    Serve("GET", "/plugins", ListPlugins),
    AtOnce("GET", "/plugins/privileges", PluginPrivileges),
    Serve("GET", "/plugins/{}/json", InspectPlugin),
    OnNode("DELETE", "/plugins/{}", "plugin rm PLUGIN"),
    OnNode("POST", "/plugins/{}/enable", "plugin enable PLUGIN"),
    OnNode("POST", "/plugins/{}/disable", "plugin disable PLUGIN"),
    OnNode("POST", "/plugins/pull", "plugin install PLUGIN"),
    OnNode("POST", "/plugins/{}/push", "plugin push PLUGIN"),
    OnNode("POST", "/plugins/{}/upgrade", "plugin upgrade PLUGIN"),
    OnNode("POST", "/plugins/{}/set", "plugin set PLUGIN KEY=VALUE"),
    OnNode("POST", "/plugins/create", "plugin create PLUGIN FOLDER"),

    // Swarm mode
    Refuse("GET", "/swarm", Refusal::kSwarmMode),
    Refuse("GET", "/swarm/unlockkey", Refusal::kSwarmMode),
    Refuse("POST", "/swarm/init", Refusal::kSwarmMode),
    Refuse("POST", "/swarm/join", Refusal::kSwarmMode),
    Refuse("POST", "/swarm/leave", Refusal::kSwarmMode),
    Refuse("POST", "/swarm/update", Refusal::kSwarmMode),
    Refuse("POST", "/swarm/unlock", Refusal::kSwarmMode),
    Refuse("GET", "/nodes", Refusal::kSwarmMode),
    Refuse("GET", "/nodes/{}", Refusal::kSwarmMode),
    Refuse("DELETE", "/nodes/{}", Refusal::kSwarmMode),
    Refuse("POST", "/nodes/{}/update", Refusal::kSwarmMode),
    Refuse("GET", "/services", Refusal::kSwarmMode),
    Refuse("POST", "/services/create", Refusal::kSwarmMode),
    Refuse("GET", "/services/{}/logs", Refusal::kSwarmMode),
    Refuse("GET", "/services/{}", Refusal::kSwarmMode),
    Refuse("DELETE", "/services/{}", Refusal::kSwarmMode),
    Refuse("POST", "/services/{}/update", Refusal::kSwarmMode),
    Refuse("GET", "/tasks", Refusal::kSwarmMode),
    Refuse("GET", "/tasks/{}/logs", Refusal::kSwarmMode),
    Refuse("GET", "/tasks/{}", Refusal::kSwarmMode),
    Refuse("GET", "/secrets", Refusal::kSwarmMode),
    Refuse("POST", "/secrets/create", Refusal::kSwarmMode),
    Refuse("GET", "/secrets/{}", Refusal::kSwarmMode),
    Refuse("DELETE", "/secrets/{}", Refusal::kSwarmMode),
    Refuse("POST", "/secrets/{}/update", Refusal::kSwarmMode),
    Refuse("GET", "/configs", Refusal::kSwarmMode),
    Refuse("POST", "/configs/create", Refusal::kSwarmMode),
    Refuse("GET", "/configs/{}", Refusal::kSwarmMode),
    Refuse("DELETE", "/configs/{}", Refusal::kSwarmMode),
    Refuse("POST", "/configs/{}/update", Refusal::kSwarmMode),
});

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

}  // namespace swarm
