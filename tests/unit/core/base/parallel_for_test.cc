#include "core/base/parallel_for.h"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "core/base/float_environment.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

// Before main, so before the first ParallelFor: also a host with one core runs with workers.
const bool kThreadsSet = [] {
  SetHostThreads(4);
  return true;
}();

TEST(ParallelFor, VisitsEveryIndexOnce) {
  EXPECT_EQ(HostThreads(), 4);
  for (const int64_t count : {1, 2, 3, 7, 64, 1000, 4097}) {
    std::vector<std::atomic<int>> visits(count);
    ParallelFor(count, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++visits[i];
    });
    for (const auto& visit : visits) EXPECT_EQ(visit, 1);
  }
}

TEST(ParallelFor, DoesNothingForAnEmptyRange) {
  bool called = false;
  ParallelFor(0, [&](int64_t, int64_t) { called = true; });
  EXPECT_FALSE(called);
}

TEST(ParallelFor, WritesAreVisibleToTheCaller) {
  std::vector<int64_t> squares(10000);
  ParallelFor(10000, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) squares[i] = i * i;
  });
  for (int64_t i = 0; i < 10000; ++i) ASSERT_EQ(squares[i], i * i);
}

TEST(ParallelFor, ServesManyCallersAtOnce) {
  std::vector<std::future<int64_t>> callers;
  for (int caller = 0; caller < 6; ++caller) {
    callers.push_back(std::async(std::launch::async, [caller] {
      int64_t total = 0;
      for (int round = 0; round < 50; ++round) {
        std::vector<int64_t> values(101);
        ParallelFor(101, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) values[i] = caller + i;
        });
        for (const int64_t value : values) total += value;
      }
      return total;
    }));
  }
  for (int caller = 0; caller < 6; ++caller) {
    EXPECT_EQ(callers[caller].get(), 50 * (101 * caller + 5050));
  }
}

TEST(ParallelFor, ACallerDoesNotWaitForAnotherCallersLoop) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::atomic<int> blocked{0};
  std::future<void> slow = std::async(std::launch::async, [&] {
    ParallelFor(4, [&](int64_t, int64_t) {
      ++blocked;
      released.wait();
    });
  });
  while (blocked < 4) std::this_thread::yield();  // all workers and that caller
  std::atomic<int64_t> done{0};
  ParallelFor(100, [&](int64_t begin, int64_t end) { done += end - begin; });
  EXPECT_EQ(done, 100);
  release.set_value();
  slow.get();
}

TEST(ParallelFor, WorkersKeepSubnormals) {
  const ScopedSubnormals subnormals;
  std::atomic<int> flushing{0};
  ParallelFor(1000, [&](int64_t, int64_t) { flushing += FlushesSubnormals() ? 1 : 0; });
  EXPECT_EQ(flushing, 0);
}

}  // namespace
}  // namespace nnseg
