// Callback seams as awaitables.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "absl/status/statusor.h"
#include "async/loop.h"
#include "async/task.h"
#include "swarmlib/backend.h"
#include "swarmlib/callback.h"
#include "swarmlib/stream.h"

namespace swarm {

// Waits for a callback: `start` is given the callback and must call it exactly once, on any thread;
// the coroutine goes on on its own loop. `start` must be a named local, moved in.
template <typename T, typename Start>
Task<T> AwaitCallback(Start start) {
  auto initiate = [start = std::move(start)](auto handler) mutable {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto executor = boost::asio::get_associated_executor(*shared);
    Callback<T> done = [shared, executor](T result) mutable {
      boost::asio::post(executor, [shared, result = std::move(result)]() mutable {
        (*shared)(std::move(result));
      });
    };
    start(std::move(done));
  };
  return boost::asio::async_initiate<decltype(boost::asio::use_awaitable), void(T)>(
      std::move(initiate), boost::asio::use_awaitable);
}

// Sleeps on the loop that runs the coroutine.
Task<void> SleepFor(Duration delay);

// Lets the loop that runs the coroutine run what else is ready, input of its sockets too.
Task<void> Yield();

// The seams of swarmlib/backend.h and swarmlib/stream.h. The client or stream must outlive the
// call.
Task<absl::StatusOr<Reply>> Call(BackendClient& client, Request request, CallOptions options);
Task<absl::StatusOr<Reply>> OpenStream(BackendClient& client, Request request, CallOptions options);
Task<absl::StatusOr<Reply>> Upgrade(BackendClient& client, Request request, CallOptions options);
Task<absl::StatusOr<std::size_t>> Read(Stream& stream, std::span<char> into);
Task<absl::Status> Write(Stream& stream, std::string_view bytes);

// Reads until the end; ResourceExhausted beyond `most` bytes.
Task<absl::StatusOr<std::string>> ReadAll(Stream& stream, std::size_t most);

// Starts all tasks on the current loop and comes back when the last has ended. Only the tasks hold
// what waits, so a loop that is destroyed frees all of it.
Task<void> RunAll(std::vector<Task<void>> tasks);

}  // namespace swarm
