// Builds, classic and by BuildKit.
#pragma once

#include "api/context.h"

namespace swarm {

Task<Result> BuildImage(ContextPointer context, ApiExchange exchange);   // POST /build
Task<Result> CancelBuild(ContextPointer context, ApiExchange exchange);  // POST /build/cancel
Task<Result> OpenSession(ContextPointer context, ApiExchange exchange);  // POST /session
Task<Result> OpenGrpc(ContextPointer context, ApiExchange exchange);     // POST /grpc

}  // namespace swarm
