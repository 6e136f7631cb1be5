// What an engine may answer to a client as it is.
#pragma once

#include <optional>
#include <string_view>

#include "api/api.h"
#include "api/context.h"

namespace swarm {

std::optional<ForwardPlan> PlanForward(Context& context, std::string_view method,
                                       std::string_view target);

}  // namespace swarm
