#include "core/base/free_memory.h"

#include "gtest/gtest.h"

namespace nnseg {
namespace {

TEST(ReturnFreeMemory, AsksThoseWhoKeepMemory) {
  static int released = 0;  // the request stays for the process's life
  OnReturnFreeMemory([] { ++released; });
  ReturnFreeMemory();
  ReturnFreeMemory();
  EXPECT_EQ(released, 2);
}

}  // namespace
}  // namespace nnseg
