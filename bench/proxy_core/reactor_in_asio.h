#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "reactor.h"

namespace proxy_core {

// Runs a Reactor on the thread of an io_context, which watches the reactor's epoll descriptor: one
// batch a turn, then wait again through Asio's own reactor.
class ReactorInAsio {
 public:
  explicit ReactorInAsio(Reactor* reactor) : reactor_(reactor), watched_(context_, reactor->fd()) {}
  boost::asio::io_context::executor_type executor() { return context_.get_executor(); }
  void Run() {
    Turn();
    context_.run();
  }

 private:
  using Descriptor =
      boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;
  void Turn() {
    reactor_->RunOnce(0);
    watched_.async_wait(Descriptor::wait_read, [this](boost::system::error_code error) {
      if (!error) Turn();
    });
  }

  Reactor* reactor_;
  boost::asio::io_context context_{1};
  Descriptor watched_;
};

}  // namespace proxy_core
