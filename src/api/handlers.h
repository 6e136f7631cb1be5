// The handlers, by noun. Each is a coroutine on the loop of its request.
#pragma once

#include "api/context.h"

namespace swarm {

// system.cc
Task<Result> GetPing(ContextPointer context, ApiExchange exchange);  // HEAD too
Task<Result> GetVersion(ContextPointer context, ApiExchange exchange);
Task<Result> GetInfo(ContextPointer context, ApiExchange exchange);
Task<Result> GetMetrics(ContextPointer context, ApiExchange exchange);
Task<Result> PostAuth(ContextPointer context, ApiExchange exchange);
Task<Result> SearchImages(ContextPointer context, ApiExchange exchange);
Task<Result> PluginPrivileges(ContextPointer context, ApiExchange exchange);
Task<Result> InspectDistribution(ContextPointer context, ApiExchange exchange);

// events.cc
Task<Result> GetEvents(ContextPointer context, ApiExchange exchange);

// containers_list.cc
Task<Result> ListContainers(ContextPointer context, ApiExchange exchange);

// containers_create.cc
Task<Result> CreateContainer(ContextPointer context, ApiExchange exchange);

// containers_operate.cc
Task<Result> StartContainer(ContextPointer context, ApiExchange exchange);
Task<Result> StopContainer(ContextPointer context, ApiExchange exchange);
Task<Result> RestartContainer(ContextPointer context, ApiExchange exchange);
Task<Result> KillContainer(ContextPointer context, ApiExchange exchange);
Task<Result> PauseContainer(ContextPointer context, ApiExchange exchange);
Task<Result> UnpauseContainer(ContextPointer context, ApiExchange exchange);
Task<Result> UpdateContainer(ContextPointer context, ApiExchange exchange);
Task<Result> RenameContainer(ContextPointer context, ApiExchange exchange);
Task<Result> RemoveContainer(ContextPointer context, ApiExchange exchange);

// containers_proxy.cc
Task<Result> InspectContainer(ContextPointer context, ApiExchange exchange);
Task<Result> TopContainer(ContextPointer context, ApiExchange exchange);
Task<Result> ContainerLogs(ContextPointer context, ApiExchange exchange);
Task<Result> ContainerStats(ContextPointer context, ApiExchange exchange);
Task<Result> ContainerChanges(ContextPointer context, ApiExchange exchange);
Task<Result> ExportContainer(ContextPointer context, ApiExchange exchange);
Task<Result> ContainerArchive(ContextPointer context, ApiExchange exchange);  // HEAD, GET, PUT
Task<Result> ResizeContainer(ContextPointer context, ApiExchange exchange);
Task<Result> AttachContainer(ContextPointer context, ApiExchange exchange);
Task<Result> AttachWebsocket(ContextPointer context, ApiExchange exchange);

// containers_wait.cc
Task<Result> WaitContainer(ContextPointer context, ApiExchange exchange);

// exec.cc
Task<Result> CreateExec(ContextPointer context, ApiExchange exchange);
Task<Result> StartExec(ContextPointer context, ApiExchange exchange);
Task<Result> ResizeExec(ContextPointer context, ApiExchange exchange);
Task<Result> InspectExec(ContextPointer context, ApiExchange exchange);

// images.cc
Task<Result> ListImages(ContextPointer context, ApiExchange exchange);
Task<Result> InspectImage(ContextPointer context, ApiExchange exchange);
Task<Result> ImageHistory(ContextPointer context, ApiExchange exchange);
Task<Result> ImageAttestations(ContextPointer context, ApiExchange exchange);

// images_pull.cc
Task<Result> CreateImage(ContextPointer context, ApiExchange exchange);  // a pull or an import
Task<Result> PullImage(ContextPointer context, ApiExchange exchange);

// images_load.cc
Task<Result> LoadImages(ContextPointer context, ApiExchange exchange);

// images_import.cc
Task<Result> ImportImage(ContextPointer context, ApiExchange exchange);

// images_change.cc
Task<Result> TagImage(ContextPointer context, ApiExchange exchange);
Task<Result> RemoveImage(ContextPointer context, ApiExchange exchange);
Task<Result> PruneImages(ContextPointer context, ApiExchange exchange);
Task<Result> PruneBuilds(ContextPointer context, ApiExchange exchange);

// images_save.cc
Task<Result> SaveImage(ContextPointer context, ApiExchange exchange);
Task<Result> SaveImages(ContextPointer context, ApiExchange exchange);
Task<Result> PushImage(ContextPointer context, ApiExchange exchange);
Task<Result> CommitContainer(ContextPointer context, ApiExchange exchange);

// networks.cc: what other tools look up on their way
Task<Result> ListNetworks(ContextPointer context, ApiExchange exchange);
Task<Result> InspectNetwork(ContextPointer context, ApiExchange exchange);

// networks_change.cc
Task<Result> CreateNetwork(ContextPointer context, ApiExchange exchange);
Task<Result> RemoveNetwork(ContextPointer context, ApiExchange exchange);
Task<Result> ConnectNetwork(ContextPointer context, ApiExchange exchange);
Task<Result> DisconnectNetwork(ContextPointer context, ApiExchange exchange);
Task<Result> PruneNetworks(ContextPointer context, ApiExchange exchange);

// volumes.cc
Task<Result> ListVolumes(ContextPointer context, ApiExchange exchange);
Task<Result> InspectVolume(ContextPointer context, ApiExchange exchange);

// volumes_change.cc
Task<Result> CreateVolume(ContextPointer context, ApiExchange exchange);
Task<Result> RemoveVolume(ContextPointer context, ApiExchange exchange);
Task<Result> PruneVolumes(ContextPointer context, ApiExchange exchange);

// plugins.cc
Task<Result> ListPlugins(ContextPointer context, ApiExchange exchange);
Task<Result> InspectPlugin(ContextPointer context, ApiExchange exchange);

// system_df.cc
Task<Result> GetDiskUsage(ContextPointer context, ApiExchange exchange);

// containers_prune.cc
Task<Result> PruneContainers(ContextPointer context, ApiExchange exchange);

// containers_checkpoints.cc
Task<Result> ContainerCheckpoints(ContextPointer context, ApiExchange exchange);  // GET, POST
Task<Result> RemoveCheckpoint(ContextPointer context, ApiExchange exchange);

// nodes.cc
Task<Result> ListNodes(ContextPointer context, ApiExchange exchange);
Task<Result> InspectNode(ContextPointer context, ApiExchange exchange);
Task<Result> CordonNode(ContextPointer context, ApiExchange exchange);
Task<Result> UncordonNode(ContextPointer context, ApiExchange exchange);

// nodes_drain.cc
Task<Result> DrainNode(ContextPointer context, ApiExchange exchange);

// containers_copy.cc
Task<Result> CopyFromContainer(ContextPointer context, ApiExchange exchange);

}  // namespace swarm
