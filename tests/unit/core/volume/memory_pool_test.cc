#include "core/volume/memory_pool.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

namespace nnseg {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kPage = 4096;

bool IsInMemory(void* page) {
  unsigned char state = 0;
  EXPECT_EQ(mincore(page, kPage, &state), 0);
  return (state & 1) != 0;
}

TEST(MemoryPool, ABlockThatWasGivenBackIsTakenAgain) {
  MemoryPool pool(64 * kMiB);
  void* const block = pool.Take(5 * kMiB);
  ASSERT_NE(block, nullptr);
  std::memset(block, 1, 5 * kMiB);
  EXPECT_TRUE(pool.Give(block));
  EXPECT_TRUE(IsInMemory(block));
  EXPECT_EQ(pool.Take(5 * kMiB), block);
  EXPECT_TRUE(pool.Give(block));
}

TEST(MemoryPool, BlocksOfOtherSizesTakeTheirPlaces) {
  MemoryPool pool(64 * kMiB);
  auto* const first = static_cast<std::byte*>(pool.Take(4 * kMiB));
  auto* const second = static_cast<std::byte*>(pool.Take(8 * kMiB));
  auto* const third = static_cast<std::byte*>(pool.Take(4 * kMiB));
  EXPECT_EQ(second, first + 4 * kMiB);
  EXPECT_EQ(third, second + 8 * kMiB);
  // Whatever the order in which they come back, gaps that touch are one.
  EXPECT_TRUE(pool.Give(first));
  EXPECT_TRUE(pool.Give(third));
  EXPECT_TRUE(pool.Give(second));
  void* const whole = pool.Take(16 * kMiB);
  EXPECT_EQ(whole, first);
  EXPECT_TRUE(pool.Give(whole));
}

TEST(MemoryPool, TakesTheFirstGapThatHoldsTheBlock) {
  MemoryPool pool(64 * kMiB);
  const std::array blocks = {pool.Take(2 * kMiB), pool.Take(kMiB), pool.Take(4 * kMiB),
                             pool.Take(kMiB)};
  EXPECT_TRUE(pool.Give(blocks[0]));
  EXPECT_TRUE(pool.Give(blocks[2]));
  EXPECT_EQ(pool.Take(3 * kMiB), blocks[2]);
  EXPECT_EQ(pool.Take(kMiB), blocks[0]);
}

TEST(MemoryPool, BlocksBeginAtPagesAndDoNotMeet) {
  MemoryPool pool(64 * kMiB);
  auto* const first = static_cast<std::byte*>(pool.Take(kPage + 1));
  auto* const second = static_cast<std::byte*>(pool.Take(1));
  auto* const third = static_cast<std::byte*>(pool.Take(0));
  EXPECT_EQ(second - first, 2 * kPage);
  EXPECT_EQ(third - second, kPage);
}

TEST(MemoryPool, GivesNullWhenNoGapHoldsTheBlock) {
  MemoryPool pool(4 * kMiB);
  EXPECT_EQ(pool.Take(4 * kMiB + 1), nullptr);
  EXPECT_EQ(pool.Take(std::numeric_limits<std::size_t>::max()), nullptr);
  void* const block = pool.Take(3 * kMiB);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(pool.Take(2 * kMiB), nullptr);
  EXPECT_NE(pool.Take(kMiB), nullptr);
}

TEST(MemoryPool, WithoutAddressesItHasNoBlocks) {
  MemoryPool pool(std::numeric_limits<std::size_t>::max());
  EXPECT_EQ(pool.Take(1), nullptr);
  EXPECT_FALSE(pool.Give(nullptr));
  pool.Release();
}

TEST(MemoryPool, KnowsItsOwnBlocks) {
  MemoryPool pool(4 * kMiB);
  int other = 0;
  auto* const block = static_cast<std::byte*>(pool.Take(kMiB));
  EXPECT_FALSE(pool.Give(&other));
  EXPECT_FALSE(pool.Give(nullptr));
  EXPECT_FALSE(pool.Give(block + kPage));
  EXPECT_TRUE(pool.Give(block));
  EXPECT_FALSE(pool.Give(block));
}

TEST(MemoryPool, ReleaseFreesTheGapsAndLeavesTheBlocks) {
  MemoryPool pool(64 * kMiB);
  void* const gap = pool.Take(4 * kMiB);
  auto* const block = static_cast<unsigned char*>(pool.Take(4 * kMiB));
  std::memset(gap, 1, 4 * kMiB);
  std::memset(block, 2, 4 * kMiB);
  EXPECT_TRUE(pool.Give(gap));
  EXPECT_TRUE(IsInMemory(gap));
  pool.Release();
  EXPECT_FALSE(IsInMemory(gap));
  EXPECT_TRUE(std::all_of(block, block + 4 * kMiB, [](unsigned char value) { return value == 2; }));
}

TEST(MemoryPool, ServesManyThreads) {
  MemoryPool pool(256 * kMiB);
  std::vector<std::thread> threads;
  for (unsigned char mark = 1; mark <= 4; ++mark) {
    threads.emplace_back([&pool, mark] {
      for (std::size_t round = 0; round < 200; ++round) {
        const std::size_t bytes = (1 + round * mark % 7) * kPage;
        auto* const block = static_cast<unsigned char*>(pool.Take(bytes));
        ASSERT_NE(block, nullptr);
        std::memset(block, mark, bytes);
        if (round % 50 == 0) pool.Release();
        EXPECT_TRUE(std::all_of(block, block + bytes, [&](auto value) { return value == mark; }));
        EXPECT_TRUE(pool.Give(block));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace nnseg
