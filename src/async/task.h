// The coroutine type of the asynchronous rooms.
//
// House rule of named operands (g++ 12 miscompiles otherwise): around `co_await` stand only names,
// std::move(name), literals and plain calls; coroutines are named functions that take their
// arguments by value.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace swarm {

template <typename T>
using Task = boost::asio::awaitable<T>;

}  // namespace swarm
