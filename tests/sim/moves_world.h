// Drains that move containers, on a whole cluster of simulated engines in virtual time.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sim/faults.h"
#include "tests/sim/objects_world.h"

namespace swarm {

inline constexpr char kMovable[] = R"(,"Labels":{"com.docker.swarm.movable":"true","x":"y"})";

class MovesTest : public ObjectsTest {
 protected:
  // A container on the first node. Its id.
  std::string Create(const std::string& name, const std::string& rest) {
    const Answer made = Ask(
        "POST", "/containers/create?name=" + name,
        R"({"Image":"busybox","Cmd":["sleep","60"],"Env":["A=b","constraint:node==~sim-0001"])" +
            rest + "}");
    EXPECT_EQ(made.status, 201) << made.body;
    return Parsed(made.body).root().Find("Id").text();
  }
  void Start(const std::string& name) {
    EXPECT_EQ(Ask("POST", "/containers/" + name + "/start").status, 204);
  }
  JsonDocument& Parsed(const std::string& text) {
    kept_.push_back(std::make_unique<Kept>());
    kept_.back()->text = text;
    EXPECT_TRUE(kept_.back()->document.Parse(kept_.back()->text).ok()) << text;
    return kept_.back()->document;
  }
  JsonValue Inspect(const std::string& name) {
    return Parsed(Ask("GET", "/containers/" + name + "/json").body).root();
  }
  // "web move moved" of each container, and why.
  JsonValue Drain(const std::string& query) {
    const std::shared_ptr<Answer> answer = BeginDrain(query);
    return End(answer);
  }
  // One that goes on while others are asked for something.
  std::shared_ptr<Answer> BeginDrain(const std::string& query) {
    auto answer = std::make_shared<Answer>();
    const std::string target = "/swarmd/v1/nodes/sim-0001/drain?" + query;
    world_.loop().Spawn(AskPlain(&world_.api(), target, answer));
    return answer;
  }
  JsonValue End(const std::shared_ptr<Answer>& answer) {
    EXPECT_TRUE(world_.RunUntil([answer] { return answer->status != 0; }));
    EXPECT_EQ(answer->status, 200) << answer->body;
    return Parsed(answer->body).root();
  }
  // The next of those calls at one engine, or at each but it.
  void Spoil(const std::string& call, Fault::Kind kind, bool here, int times = 1) {
    for (const std::string& address : world_.simulation().addresses()) {
      if (address.starts_with("sim-0001") != here) continue;
      world_.simulation().engine(address)->faults().OnPath(call, {kind}, times);
    }
  }
  // "web running on sim-0001, web-moving running on sim-0002", by name; digits left out.
  std::string All() {
    std::vector<std::string> rows;
    for (std::size_t at = 0; world_.simulation().engine_at(at); ++at) {
      const Answer answer = AskEngine(at, "GET", "/containers/json?all=1");
      Parsed(answer.body).root().ForEachElement([&](JsonValue one) {
        std::string name = one.Find("Names").elements()[0].text().substr(1);
        const std::size_t moving = name.find("-moving-");
        if (moving != std::string::npos) name.resize(moving + 7);
        rows.push_back(name + " " + one.Find("State").text() + " on " + NameOf(at));
      });
    }
    std::sort(rows.begin(), rows.end());
    std::string text;
    for (const std::string& row : rows) text += (text.empty() ? "" : ", ") + row;
    return text;
  }
  // Where "web" is, anywhere else than on the first node.
  static bool IsElsewhere(const std::string& all) {
    return all == "web running on sim-0002" || all == "web running on sim-0003";
  }
  bool Says(JsonValue report, const std::string& what) {
    const std::string row = Row(report, "web");
    EXPECT_NE(row.find(what), std::string::npos) << row << "\nfor " << what;
    return row.find(what) != std::string::npos;
  }
  static std::string Row(JsonValue report, const std::string& name) {
    std::string row = "none";
    report.Find("Containers").ForEachElement([&](JsonValue one) {
      if (one.Find("Name").text() != name) return;
      row = one.Find("Action").text() + " " + one.Find("Outcome").text() + ": " +
            one.Find("Reason").text();
    });
    return row;
  }
  std::size_t CountOfContainers() {
    return Parsed(Ask("GET", "/containers/json?all=1").body).root().elements().size();
  }

  static Task<void> AskPlain(Api* api, std::string target, std::shared_ptr<Answer> into) {
    Request request;
    request.method = "POST";
    request.target = std::move(target);
    Reply reply = co_await api->Handle(std::move(request));
    into->status = reply.status;
    into->body = reply.body;
  }

  struct Kept {
    std::string text;
    JsonDocument document;
  };
  std::vector<std::unique_ptr<Kept>> kept_;
};

}  // namespace swarm
