// The pull that a create makes on the node that was chosen for it.
#pragma once

#include "api/context.h"
#include "swarmlib/cluster.h"

namespace swarm {

// Of one such pull: until it is given up, and the longest that nothing may move.
inline constexpr Duration kLongestCreatePull = std::chrono::minutes(30);
inline constexpr Duration kCreatePullPatience = std::chrono::minutes(2);

// Sets CreateRequest::pull, which pulls spec.image with the credentials of the client's
// X-Registry-Auth; the field is taken out of the exchange, and is held for the life of the request
// alone. A client that sends it wants an unknown image pulled too. The pull ends when the client
// goes, or when the node stops being healthy.
void OfferPull(const ContextPointer& context, ApiExchange& exchange, CreateRequest& request);

}  // namespace swarm
