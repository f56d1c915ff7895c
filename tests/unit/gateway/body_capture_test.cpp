#include "gateway/capture/body_capture.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <string>

namespace gibbon::capture {
namespace {

struct Memory {
  std::deque<std::string> blocks;
  std::size_t budget = SIZE_MAX;
  Arena arena() {
    return {this, [](void* self, std::size_t bytes) -> void* {
              auto* memory = static_cast<Memory*>(self);
              if (bytes > memory->budget) return nullptr;
              memory->budget -= bytes;
              return memory->blocks.emplace_back(bytes, '\0').data();
            }};
  }
};

TEST(BodyCapture, KeepsNothingUnlessAsked) {
  Memory memory;
  BodyCapture body;
  body.append("hello", memory.arena());
  EXPECT_EQ(body.bytes(), "");
  EXPECT_EQ(body.size(), 5u);
  EXPECT_FALSE(body.wanted());
  EXPECT_TRUE(memory.blocks.empty());
}

TEST(BodyCapture, KeepsTheBeginningAndCountsAll) {
  Memory memory;
  BodyCapture body;
  body.want(8);
  for (const char* piece : {"abc", "defg", "hijkl"}) body.append(piece, memory.arena());
  EXPECT_EQ(body.bytes(), "abcdefgh");
  EXPECT_EQ(body.size(), 12u);
  EXPECT_EQ(body.room(), 0u);
}

TEST(BodyCapture, TheLargestLimitCounts) {
  Memory memory;
  BodyCapture body;
  body.want(2);
  body.want(4);
  body.want(3);
  body.append("abcdef", memory.arena());
  EXPECT_EQ(body.bytes(), "abcd");
}

TEST(BodyCapture, ExactlyTheLimitIsWhole) {
  Memory memory;
  BodyCapture body;
  body.want(5);
  body.append("hello", memory.arena());
  EXPECT_EQ(body.bytes().size(), body.size());
}

TEST(BodyCapture, AnExpectedLengthIsAllocatedOnce) {
  Memory memory;
  BodyCapture body;
  body.want(1 << 20);
  body.expect(3000);
  for (int i = 0; i < 30; ++i) body.append(std::string(100, 'x'), memory.arena());
  EXPECT_EQ(memory.blocks.size(), 1u);
  EXPECT_EQ(memory.blocks.front().size(), 3000u);
}

TEST(BodyCapture, ManySmallPiecesGrowWithoutCopyingEachTime) {
  Memory memory;
  BodyCapture body;
  body.want(1 << 20);
  std::string all;
  for (int i = 0; i < 10000; ++i) {
    const std::string piece = std::to_string(i);
    all += piece;
    body.append(piece, memory.arena());
  }
  EXPECT_EQ(body.bytes(), all);
  EXPECT_LT(memory.blocks.size(), 12u);
}

TEST(BodyCapture, WithoutMemoryItCountsOn) {
  Memory memory;
  memory.budget = 600;
  BodyCapture body;
  body.want(1 << 20);
  body.append(std::string(400, 'a'), memory.arena());
  body.append(std::string(400, 'b'), memory.arena());
  EXPECT_EQ(body.bytes(), std::string(400, 'a'));
  EXPECT_EQ(body.size(), 800u);
  EXPECT_EQ(body.room(), 0u);
}

TEST(BodyCapture, PiecesInFilesAreReadIntoPlace) {
  Memory memory;
  BodyCapture body;
  body.want(6);
  body.append("abc", memory.arena());
  const std::size_t n = std::min<std::size_t>(10, body.room());
  char* to = body.reserve(n, memory.arena());
  ASSERT_NE(to, nullptr);
  std::memcpy(to, "def", n);
  body.keep(n);
  body.count(10);
  EXPECT_EQ(body.bytes(), "abcdef");
  EXPECT_EQ(body.size(), 13u);
}

}  // namespace
}  // namespace gibbon::capture
