// A create whose engine answers with an id that is known from another node.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "swarmlib/status.h"
#include "unit/cluster/forwarding_client.h"
#include "unit/cluster/world.h"

namespace swarm {
namespace {

// Answers each create with an id of the test's choice.
class OtherIdClient final : public ForwardingClient {
 public:
  OtherIdClient(std::unique_ptr<BackendClient> inner, const std::string& id)
      : ForwardingClient(std::move(inner)), id_(id) {}
  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override {
    const bool creates = request.target.find("/containers/create?") != std::string::npos;
    if (!creates)
      return ForwardingClient::Call(std::move(request), std::move(options), std::move(done));
    auto change = [id = id_, done = std::move(done)](absl::StatusOr<Reply> reply) mutable {
      if (reply.ok()) reply->body = "{\"Id\":\"" + id + "\",\"Warnings\":[]}\n";
      done(std::move(reply));
    };
    ForwardingClient::Call(std::move(request), std::move(options), std::move(change));
  }

 private:
  const std::string& id_;
};

TEST(Create, AnsweredWithTheIdOfAnotherNodesContainerTellsItsOwn) {
  std::string id;
  World world(2, [&id](EngineClusterOptions& options) {
    options.backend = [&id, inner = options.backend](const std::string& address) {
      return std::make_unique<OtherIdClient>(inner(address), id);
    };
  });
  id = world.engine(1).Run("first", "running");
  ASSERT_TRUE(world.Connect());
  for (const bool may_be_read_later : {false, true}) {
    const std::string name = may_be_read_later ? "later" : "now";
    CreateRequest request = CreateOf(name, "busybox", "", "constraint:zone==n2");
    request.may_be_read_later = may_be_read_later;
    const auto made = world.Create(std::move(request));
    ASSERT_TRUE(made && made->ok()) << made->status();
    const Container& container = (*made)->entry->container;
    EXPECT_EQ(container.id, id);
    EXPECT_EQ(container.node, World::AddressOf(2));
    EXPECT_EQ(container.names, std::vector<std::string>{name});
    EXPECT_EQ((*made)->entry->node->name, "n2");
  }
  EXPECT_EQ((*world.cluster().FindContainer("first"))->container.node, World::AddressOf(1));
}

}  // namespace
}  // namespace swarm
