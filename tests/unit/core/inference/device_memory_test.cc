#include "core/inference/device_memory.h"

#include <memory>
#include <utility>

#include "gtest/gtest.h"

namespace nnseg {
namespace {

TEST(DeviceMemory, NetworksLeaveWhatTheyDoNotHold) {
  const auto memory = std::make_shared<DeviceMemory>(100);
  EXPECT_EQ(memory->left_to_cases(), 100);
  DeviceMemory::Share kept;
  {
    auto first = DeviceMemory::ShareOf(memory, 30);
    const auto second = DeviceMemory::ShareOf(memory, 20);
    EXPECT_EQ(memory->left_to_cases(), 50);
    kept = std::move(first);
  }
  EXPECT_EQ(memory->left_to_cases(), 70);
  kept = DeviceMemory::ShareOf(memory, 10);  // in place of the 30
  EXPECT_EQ(memory->left_to_cases(), 90);
  EXPECT_EQ(memory->budget(), 100);
}

TEST(DeviceMemory, ABatchTakesAtMostAQuarterOfWhatNetworksLeave) {
  const auto memory = std::make_shared<DeviceMemory>(120);
  const auto share = DeviceMemory::ShareOf(memory, 40);
  EXPECT_EQ(memory->ReserveBatch(12, 4), 1);  // of 20 bytes
  EXPECT_EQ(memory->left_to_cases(), 68);
  EXPECT_EQ(DeviceMemory(1000).ReserveBatch(12, 4), 4);
}

TEST(DeviceMemory, PassesOfAllNetworksShareTheirMemory) {
  DeviceMemory memory(100);
  EXPECT_EQ(memory.ReserveBatch(10, 4), 2);
  EXPECT_EQ(memory.ReserveBatch(5, 4), 4);
  EXPECT_EQ(memory.left_to_cases(), 80);
  EXPECT_EQ(memory.ReserveBatch(25, 4), 1);
  EXPECT_EQ(memory.left_to_cases(), 75);
}

TEST(DeviceMemory, OnePassIsCountedEvenIfItDoesNotFit) {
  DeviceMemory memory(100);
  EXPECT_EQ(memory.ReserveBatch(60, 4), 0);
  EXPECT_EQ(memory.left_to_cases(), 40);
}

TEST(DeviceMemory, NothingIsLeftOfABudgetThatNetworksExceed) {
  const auto memory = std::make_shared<DeviceMemory>(100);
  const auto share = DeviceMemory::ShareOf(memory, 150);
  EXPECT_EQ(memory->left_to_cases(), 0);
  EXPECT_EQ(memory->ReserveBatch(1, 4), 0);
}

}  // namespace
}  // namespace nnseg
