// The images of the nodes.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/core/state_fixture.h"

namespace swarm {
namespace {

class ImagesOfStateTest : public ClusterStateTest {
 protected:
  // "id" with the row of that name and `words`.
  void Set(const std::vector<std::string>& ids, const std::string& words = "") {
    std::vector<Image> images;
    std::vector<std::string> rows;
    for (const std::string& id : ids) {
      images.emplace_back().id = id;
      rows.push_back("{" + id + words + "}");
    }
    state_.SetImages("n1:2375", std::move(images), std::move(rows));
  }
  std::vector<std::string> Rows() {
    std::vector<std::string> rows;
    for (const auto& entry : state_.Images()) rows.push_back(entry->row);
    return rows;
  }
};

// What was kept of the lists stays usable.
TEST_F(ImagesOfStateTest, TheSameOnceMoreChangesNothing) {
  AddNode("n1");
  Set({"a", "b"});
  const std::uint64_t before = state_.generation();
  const auto images = state_.Images();
  Set({"a", "b"});
  EXPECT_EQ(state_.generation(), before);
  EXPECT_EQ(state_.Images(), images);
  Set({"a", "b"}, ",tag");
  EXPECT_GT(state_.generation(), before);
  EXPECT_EQ(Rows(), (std::vector<std::string>{"{a,tag}", "{b,tag}"}));
  Set({"a"}, ",tag");
  EXPECT_EQ(Rows(), (std::vector<std::string>{"{a,tag}"}));
  Set({});
  EXPECT_TRUE(Rows().empty());
}

}  // namespace
}  // namespace swarm
