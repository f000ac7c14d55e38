#include "core/volume/memory_pool.h"

#include <limits>

#include "gtest/gtest.h"

namespace nnseg {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(MemoryPool, ABlockThatWasGivenBackIsTakenAgain) {
  MemoryPool pool;
  void* const block = pool.Take(8 * kMiB);
  EXPECT_TRUE(pool.Give(block));
  EXPECT_EQ(pool.kept_bytes(), 8 * kMiB);
  EXPECT_EQ(pool.Take(8 * kMiB), block);
  EXPECT_EQ(pool.kept_bytes(), 0);
  EXPECT_TRUE(pool.Give(block));
}

TEST(MemoryPool, OnlyForItsSize) {
  MemoryPool pool;
  void* const block = pool.Take(8 * kMiB);
  pool.Give(block);
  void* const smaller = pool.Take(4 * kMiB);
  EXPECT_NE(smaller, block);
  EXPECT_EQ(pool.kept_bytes(), 8 * kMiB);
  pool.Give(smaller);
}

TEST(MemoryPool, KeepsNoMoreThanWasInUseAtOnce) {
  MemoryPool pool;
  for (std::size_t size = 8 * kMiB; size < 16 * kMiB; size += kMiB) {
    pool.Give(pool.Take(size));
    EXPECT_LE(pool.kept_bytes(), size);
  }
}

TEST(MemoryPool, ReleaseFreesWhatIsKeptAndLeavesTheRest) {
  MemoryPool pool;
  void* const used = pool.Take(4 * kMiB);
  pool.Give(pool.Take(8 * kMiB));
  pool.Release();
  EXPECT_EQ(pool.kept_bytes(), 0);
  static_cast<char*>(used)[4 * kMiB - 1] = 1;  // a sanitizer would object
  EXPECT_TRUE(pool.Give(used));
}

TEST(MemoryPool, KnowsItsOwnBlocks) {
  MemoryPool pool;
  int other = 0;
  EXPECT_FALSE(pool.Give(&other));
}

}  // namespace
}  // namespace nnseg
