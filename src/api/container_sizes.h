// Sizes of containers' file systems, which only engines can tell, and only by looking.
#pragma once

#include <string>

#include "api/context.h"
#include "base/text.h"

namespace swarm {

// By container id, what goes into its row: "\"SizeRw\":0,\"SizeRootFs\":1000,".
using SizeFields = StringMap<std::string>;

// Asks every healthy engine. Containers of one that does not answer have no sizes.
Task<SizeFields> AskSizes(ContextPointer context, ApiVersion client);

}  // namespace swarm
