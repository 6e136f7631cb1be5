// The one callable type of the library's asynchronous seams.
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

namespace swarm {

// Called exactly once unless a contract says otherwise, then destroyed. Move-only.
template <typename... Arguments>
using Callback = absl::AnyInvocable<void(Arguments...)>;

// A callback that takes a value or the error that stands for it.
template <typename T>
using ResultCallback = Callback<absl::StatusOr<T>>;

}  // namespace swarm
