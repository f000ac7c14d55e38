#include "core/base/bounded_queue.h"

#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

using std::chrono::milliseconds;
using testing::Optional;

TEST(BoundedQueue, GivesItemsInTheOrderTheyCame) {
  BoundedQueue<int> queue(3);
  for (const int i : {1, 2, 3}) EXPECT_TRUE(queue.Push(int{i}));
  EXPECT_EQ(queue.size(), 3U);
  EXPECT_THAT(queue.Pop(), Optional(1));
  EXPECT_THAT(queue.Pop(), Optional(2));
  EXPECT_THAT(queue.Pop(), Optional(3));
}

TEST(BoundedQueue, RefusesWithoutWaitingWhenFull) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.TryPush(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(queue.TryPush(std::move(second)));
  EXPECT_NE(second, nullptr) << "a refused item was taken";
}

TEST(BoundedQueue, HoldsAProducerBackUntilThereIsRoom) {
  BoundedQueue<int> queue(1);
  EXPECT_TRUE(queue.Push(1));
  std::future<bool> pushed = std::async(std::launch::async, [&] { return queue.Push(2); });
  EXPECT_EQ(pushed.wait_for(milliseconds(20)), std::future_status::timeout);
  EXPECT_THAT(queue.Pop(), Optional(1));
  EXPECT_TRUE(pushed.get());
  EXPECT_THAT(queue.Pop(), Optional(2));
}

TEST(BoundedQueue, RemovedItemsMakeRoomAndTheRestKeepTheirOrder) {
  BoundedQueue<int> queue(4);
  for (const int i : {1, 2, 3, 4}) EXPECT_TRUE(queue.Push(int{i}));
  EXPECT_THAT(queue.Remove([](int i) { return i % 2 == 0; }), testing::ElementsAre(2, 4));
  EXPECT_TRUE(queue.TryPush(5));
  EXPECT_THAT(queue.Pop(), Optional(1));
  EXPECT_THAT(queue.Pop(), Optional(3));
  EXPECT_THAT(queue.Pop(), Optional(5));
}

TEST(BoundedQueue, ClosingDrainsItemsAndRefusesNewOnes) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.Push(1));
  queue.Close();
  EXPECT_FALSE(queue.Push(2));
  EXPECT_FALSE(queue.TryPush(3));
  EXPECT_THAT(queue.Pop(), Optional(1));
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

TEST(BoundedQueue, ClosingWakesBlockedProducersAndConsumers) {
  BoundedQueue<int> full(1);
  EXPECT_TRUE(full.Push(1));
  BoundedQueue<int> empty(1);
  auto producer = std::async(std::launch::async, [&] { return full.Push(2); });
  auto consumer = std::async(std::launch::async, [&] { return empty.Pop(); });
  full.Close();
  empty.Close();
  EXPECT_FALSE(producer.get());
  EXPECT_EQ(consumer.get(), std::nullopt);
}

TEST(BoundedQueue, LosesNothingBetweenManyThreads) {
  BoundedQueue<int> queue(4);
  constexpr int kItems = 2000;
  std::vector<std::future<int64_t>> consumers;
  for (int i = 0; i < 3; ++i) {
    consumers.push_back(std::async(std::launch::async, [&] {
      int64_t sum = 0;
      while (auto item = queue.Pop()) sum += *item;
      return sum;
    }));
  }
  std::vector<std::future<void>> producers;
  for (int p = 0; p < 2; ++p) {
    producers.push_back(std::async(std::launch::async, [&queue, p] {
      for (int i = p; i < kItems; i += 2) EXPECT_TRUE(queue.Push(int{i}));
    }));
  }
  for (auto& producer : producers) producer.get();
  queue.Close();
  int64_t sum = 0;
  for (auto& consumer : consumers) sum += consumer.get();
  EXPECT_EQ(sum, int64_t{kItems} * (kItems - 1) / 2);
}

}  // namespace
}  // namespace nnseg
