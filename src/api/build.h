// Builds, classic and by BuildKit.
#pragma once

#include "api/context.h"

namespace swarm {

Task<Result> BuildImage(ContextPointer context, Exchange exchange);   // POST /build
Task<Result> CancelBuild(ContextPointer context, Exchange exchange);  // POST /build/cancel
Task<Result> OpenSession(ContextPointer context, Exchange exchange);  // POST /session
Task<Result> OpenGrpc(ContextPointer context, Exchange exchange);     // POST /grpc

}  // namespace swarm
