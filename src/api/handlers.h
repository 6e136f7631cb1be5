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

// images_pull.cc
Task<Result> PullImage(ContextPointer context, Exchange exchange);

// networks.cc: what other tools look up on their way
Task<Result> ListNetworks(ContextPointer context, Exchange exchange);
Task<Result> InspectNetwork(ContextPointer context, Exchange exchange);
Task<Result> ListPlugins(ContextPointer context, Exchange exchange);
Task<Result> InspectPlugin(ContextPointer context, Exchange exchange);

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

}  // namespace swarm
