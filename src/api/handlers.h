// The handlers, by noun. Each is a coroutine on the loop of its request.
#pragma once

#include "api/context.h"

namespace swarm {

// system.cc
Task<Result> GetPing(ContextPointer context, Exchange exchange);  // HEAD too
Task<Result> GetVersion(ContextPointer context, Exchange exchange);
Task<Result> GetInfo(ContextPointer context, Exchange exchange);
Task<Result> GetMetrics(ContextPointer context, Exchange exchange);
Task<Result> PostAuth(ContextPointer context, Exchange exchange);
Task<Result> SearchImages(ContextPointer context, Exchange exchange);
Task<Result> PluginPrivileges(ContextPointer context, Exchange exchange);
Task<Result> InspectDistribution(ContextPointer context, Exchange exchange);

// events.cc
Task<Result> GetEvents(ContextPointer context, Exchange exchange);

// containers_list.cc
Task<Result> ListContainers(ContextPointer context, Exchange exchange);

// containers_create.cc
Task<Result> CreateContainer(ContextPointer context, Exchange exchange);

// containers_operate.cc
Task<Result> StartContainer(ContextPointer context, Exchange exchange);
Task<Result> StopContainer(ContextPointer context, Exchange exchange);
Task<Result> RestartContainer(ContextPointer context, Exchange exchange);
Task<Result> KillContainer(ContextPointer context, Exchange exchange);
Task<Result> PauseContainer(ContextPointer context, Exchange exchange);
Task<Result> UnpauseContainer(ContextPointer context, Exchange exchange);
Task<Result> UpdateContainer(ContextPointer context, Exchange exchange);
Task<Result> RenameContainer(ContextPointer context, Exchange exchange);
Task<Result> RemoveContainer(ContextPointer context, Exchange exchange);

// containers_proxy.cc
Task<Result> InspectContainer(ContextPointer context, Exchange exchange);
Task<Result> TopContainer(ContextPointer context, Exchange exchange);
Task<Result> ContainerLogs(ContextPointer context, Exchange exchange);
Task<Result> ContainerStats(ContextPointer context, Exchange exchange);
Task<Result> ContainerChanges(ContextPointer context, Exchange exchange);
Task<Result> ExportContainer(ContextPointer context, Exchange exchange);
Task<Result> ContainerArchive(ContextPointer context, Exchange exchange);  // HEAD, GET, PUT
Task<Result> ResizeContainer(ContextPointer context, Exchange exchange);
Task<Result> AttachContainer(ContextPointer context, Exchange exchange);
Task<Result> AttachWebsocket(ContextPointer context, Exchange exchange);

// containers_wait.cc
Task<Result> WaitContainer(ContextPointer context, Exchange exchange);

// exec.cc
Task<Result> CreateExec(ContextPointer context, Exchange exchange);
Task<Result> StartExec(ContextPointer context, Exchange exchange);
Task<Result> ResizeExec(ContextPointer context, Exchange exchange);
Task<Result> InspectExec(ContextPointer context, Exchange exchange);

// images.cc
Task<Result> ListImages(ContextPointer context, Exchange exchange);
Task<Result> InspectImage(ContextPointer context, Exchange exchange);
Task<Result> ImageHistory(ContextPointer context, Exchange exchange);
Task<Result> ImageAttestations(ContextPointer context, Exchange exchange);

// images_pull.cc
Task<Result> CreateImage(ContextPointer context, Exchange exchange);  // a pull or an import
Task<Result> PullImage(ContextPointer context, Exchange exchange);

// images_load.cc
Task<Result> LoadImages(ContextPointer context, Exchange exchange);

// images_import.cc
Task<Result> ImportImage(ContextPointer context, Exchange exchange);

// images_change.cc
Task<Result> TagImage(ContextPointer context, Exchange exchange);
Task<Result> RemoveImage(ContextPointer context, Exchange exchange);
Task<Result> PruneImages(ContextPointer context, Exchange exchange);
Task<Result> PruneBuilds(ContextPointer context, Exchange exchange);

// images_save.cc
Task<Result> SaveImage(ContextPointer context, Exchange exchange);
Task<Result> SaveImages(ContextPointer context, Exchange exchange);
Task<Result> PushImage(ContextPointer context, Exchange exchange);
Task<Result> CommitContainer(ContextPointer context, Exchange exchange);

// networks.cc: what other tools look up on their way
Task<Result> ListNetworks(ContextPointer context, Exchange exchange);
Task<Result> InspectNetwork(ContextPointer context, Exchange exchange);

// networks_change.cc
Task<Result> CreateNetwork(ContextPointer context, Exchange exchange);
Task<Result> RemoveNetwork(ContextPointer context, Exchange exchange);
Task<Result> ConnectNetwork(ContextPointer context, Exchange exchange);
Task<Result> DisconnectNetwork(ContextPointer context, Exchange exchange);
Task<Result> PruneNetworks(ContextPointer context, Exchange exchange);

// volumes.cc
Task<Result> ListVolumes(ContextPointer context, Exchange exchange);
Task<Result> InspectVolume(ContextPointer context, Exchange exchange);

// volumes_change.cc
Task<Result> CreateVolume(ContextPointer context, Exchange exchange);
Task<Result> RemoveVolume(ContextPointer context, Exchange exchange);
Task<Result> PruneVolumes(ContextPointer context, Exchange exchange);

// plugins.cc
Task<Result> ListPlugins(ContextPointer context, Exchange exchange);
Task<Result> InspectPlugin(ContextPointer context, Exchange exchange);

// system_df.cc
Task<Result> GetDiskUsage(ContextPointer context, Exchange exchange);

// containers_prune.cc
Task<Result> PruneContainers(ContextPointer context, Exchange exchange);

// containers_checkpoints.cc
Task<Result> ContainerCheckpoints(ContextPointer context, Exchange exchange);  // GET, POST
Task<Result> RemoveCheckpoint(ContextPointer context, Exchange exchange);

// nodes.cc
Task<Result> ListNodes(ContextPointer context, Exchange exchange);
Task<Result> InspectNode(ContextPointer context, Exchange exchange);
Task<Result> CordonNode(ContextPointer context, Exchange exchange);
Task<Result> UncordonNode(ContextPointer context, Exchange exchange);

// nodes_drain.cc
Task<Result> DrainNode(ContextPointer context, Exchange exchange);

// containers_copy.cc
Task<Result> CopyFromContainer(ContextPointer context, Exchange exchange);

}  // namespace swarm
