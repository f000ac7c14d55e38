#include "server/outbox.h"

#include <gtest/gtest.h>

#include <string>

namespace nnseg {
namespace {

grpc::ByteBuffer Message(const std::string& text) {
  const grpc::Slice slice(text);
  return grpc::ByteBuffer(&slice, 1);
}

std::string Next(Outbox& outbox) {
  auto message = outbox.Pop();
  if (!message.has_value()) return "nothing";
  grpc::Slice slice;
  EXPECT_TRUE(message->DumpToSingleSlice(&slice).ok());
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

TEST(Outbox, KeepsTheOrderOfMessages) {
  Outbox outbox;
  outbox.Push(Message("a"));
  outbox.Push(Message("bc"));
  EXPECT_EQ(outbox.bytes(), 3);
  EXPECT_EQ(Next(outbox), "a");
  EXPECT_EQ(outbox.bytes(), 2);
  EXPECT_EQ(Next(outbox), "bc");
  EXPECT_EQ(Next(outbox), "nothing");
  EXPECT_EQ(outbox.bytes(), 0);
}

TEST(Outbox, OnlyTheNewestProgressWaitsAndOvertakes) {
  Outbox outbox;
  outbox.Push(Message("labels"));
  outbox.SetProgress(Message("1 of 9"));
  outbox.SetProgress(Message("2 of 9"));
  EXPECT_EQ(Next(outbox), "2 of 9");
  EXPECT_EQ(Next(outbox), "labels");
}

TEST(Outbox, ClearForgetsAll) {
  Outbox outbox;
  outbox.Push(Message("labels"));
  outbox.SetProgress(Message("1 of 9"));
  outbox.Clear();
  EXPECT_EQ(outbox.bytes(), 0);
  EXPECT_EQ(Next(outbox), "nothing");
}

}  // namespace
}  // namespace nnseg
