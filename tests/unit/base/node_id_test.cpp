#include "base/node_id.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/uuid.hpp"

namespace gibbon {
namespace {

TEST(NodeId, IsMadeOnceForAPrefix) {
  const auto folder = std::filesystem::temp_directory_path() / ("gibbon-node-id-" + uuid_v4());
  std::filesystem::create_directory(folder);
  const Paths paths = Paths::of(folder.string());
  const std::string made = node_id(paths);
  EXPECT_TRUE(is_uuid(made));
  EXPECT_EQ(node_id(paths), made);
  std::ofstream(folder / "gibbon.id") << "no id\n";
  const std::string again = node_id(paths);
  EXPECT_TRUE(is_uuid(again));
  EXPECT_NE(again, made);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace gibbon
