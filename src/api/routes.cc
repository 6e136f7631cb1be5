#include <array>

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
    AtOnce("GET", "/events", GetEvents),
    AtOnce("GET", "/swarmd/v1/metrics", GetMetrics),
    AtOnce("POST", "/auth", PostAuth),
    OnNode("GET", "/system/df", "system df"),
    Refuse("GET", "/debug/{}", Refusal::kGone),

    // Containers
    Serve("GET", "/containers/json", ListContainers),
    Serve("GET", "/containers/ps", ListContainers),
    Serve("POST", "/containers/create", CreateContainer),
    OnNode("POST", "/containers/prune", "container prune"),
    Serve("GET", "/containers/{}/json", InspectContainer),
    Serve("GET", "/containers/{}/top", TopContainer),
    Serve("GET", "/containers/{}/logs", ContainerLogs),
    Serve("GET", "/containers/{}/changes", ContainerChanges),
    Serve("GET", "/containers/{}/export", ExportContainer),
    Serve("GET", "/containers/{}/stats", ContainerStats),
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
    Serve("POST", "/containers/{}/wait", WaitContainer),
    Serve("HEAD", "/containers/{}/archive", ContainerArchive),
    Serve("GET", "/containers/{}/archive", ContainerArchive),
    Serve("PUT", "/containers/{}/archive", ContainerArchive),
    Refuse("POST", "/containers/{}/copy", Refusal::kGone),
    Serve("POST", "/containers/{}/exec", CreateExec),
    OnNode("GET", "/containers/{}/checkpoints", "checkpoint ls CONTAINER"),
    OnNode("POST", "/containers/{}/checkpoints", "checkpoint create CONTAINER NAME"),
    OnNode("DELETE", "/containers/{}/checkpoints/{}", "checkpoint rm CONTAINER NAME"),
    Serve("DELETE", "/containers/{}", RemoveContainer),
    Serve("POST", "/exec/{}/start", StartExec),
    Serve("POST", "/exec/{}/resize", ResizeExec),
    Serve("GET", "/exec/{}/json", InspectExec),

    // Images and build
    Serve("GET", "/images/json", ListImages),
    AtOnce("GET", "/images/search", SearchImages),
    OnNode("GET", "/images/get", "save IMAGE ..."),
    Refuse("GET", "/images/viz", Refusal::kClustering),
    Serve("GET", "/images/{}/json", InspectImage),
    Serve("GET", "/images/{}/history", ImageHistory),
    OnNode("GET", "/images/{}/attestations", "image inspect IMAGE"),
    OnNode("GET", "/images/{}/get", "save IMAGE"),
    Serve("POST", "/images/create", PullImage),
    OnNode("POST", "/images/load", "load"),
    OnNode("POST", "/images/prune", "image prune"),
    OnNode("POST", "/images/{}/push", "push IMAGE"),
    OnNode("POST", "/images/{}/tag", "tag IMAGE NAME"),
    Refuse("POST", "/images/{}/insert", Refusal::kGone),
    OnNode("DELETE", "/images/{}", "rmi IMAGE"),
    OnNode("GET", "/distribution/{}/json", "manifest inspect IMAGE"),
    OnNode("POST", "/commit", "commit CONTAINER"),
    OnNode("POST", "/build", "build ."),
    OnNode("POST", "/build/cancel", "build ."),
    OnNode("POST", "/build/prune", "builder prune"),
    OnNode("POST", "/session", "build ."),
    OnNode("POST", "/grpc", "buildx build ."),

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
    OnNode("GET", "/plugins/privileges", "plugin install PLUGIN"),
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
