#include "core/plan/label_table.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(LabelTable, LabelsAreBackgroundAndForeground) {
  const absl::StatusOr<LabelTable> table =
      LabelTable::Create({{"background", {0}}, {"b", {2}}, {"a", {1}}}, std::nullopt);
  NNSEG_ASSERT_OK(table);
  EXPECT_FALSE(table->has_regions());
  EXPECT_THAT(table->foreground_labels(), ElementsAre(1, 2));
  EXPECT_THAT(table->regions_class_order(), IsEmpty());
  EXPECT_EQ(table->output_channels(), 3);
  EXPECT_EQ(table->entries()[1].name, "b");
}

TEST(LabelTable, TheIgnoreLabelHasNoChannel) {
  const absl::StatusOr<LabelTable> table =
      LabelTable::Create({{"background", {0}}, {"a", {1}}, {"ignore", {2}}}, std::nullopt);
  NNSEG_ASSERT_OK(table);
  EXPECT_THAT(table->foreground_labels(), ElementsAre(1));
  EXPECT_EQ(table->output_channels(), 2);
}

TEST(LabelTable, RegionsAreChannelsInTheGivenOrder) {
  const absl::StatusOr<LabelTable> table = LabelTable::Create(
      {{"background", {0}}, {"whole", {1, 2, 3}}, {"core", {2, 3}}, {"et", {3}}, {"ignore", {4}}},
      std::vector<int>{1, 2, 3});
  NNSEG_ASSERT_OK(table);
  EXPECT_TRUE(table->has_regions());
  EXPECT_THAT(table->foreground_labels(), ElementsAre(1, 2, 3));
  EXPECT_THAT(table->regions_class_order(), ElementsAre(1, 2, 3));
  EXPECT_EQ(table->output_channels(), 3);
}

TEST(LabelTable, AListOfOneValueIsALabel) {
  const absl::StatusOr<LabelTable> table =
      LabelTable::Create({{"background", {0}}, {"a", {1}}}, std::vector<int>{7, 7, 7});
  NNSEG_ASSERT_OK(table);
  EXPECT_FALSE(table->has_regions());
  EXPECT_THAT(table->regions_class_order(), IsEmpty()) << "nnU-Net reads it for regions only";
}

TEST(LabelTable, AListOfZerosIsNoRegion) {
  const absl::StatusOr<LabelTable> table = LabelTable::Create(
      {{"background", {0}}, {"outside", {0, 0}}, {"whole", {1, 2}}, {"core", {2}}},
      std::vector<int>{1, 2});
  NNSEG_ASSERT_OK(table);
  EXPECT_EQ(table->output_channels(), 2);
}

TEST(LabelTable, From255ForegroundLabelsOnLabelsTakeTwoBytes) {
  for (const auto& [foreground, type] : std::vector<std::pair<int, LabelType>>{
           {254, LabelType::kUint8}, {255, LabelType::kUint16}}) {
    std::vector<LabelEntry> entries{{"background", {0}}};
    for (int label = 1; label <= foreground; ++label) entries.push_back({"label", {label}});
    const absl::StatusOr<LabelTable> table = LabelTable::Create(std::move(entries), std::nullopt);
    NNSEG_ASSERT_OK(table);
    EXPECT_EQ(table->label_type(), type) << foreground;
  }
}

TEST(LabelTable, RefusesWhatNnunetRefuses) {
  const auto message = [](std::vector<LabelEntry> entries,
                          std::optional<std::vector<int>> order = std::nullopt) {
    return LabelTable::Create(std::move(entries), std::move(order));
  };
  EXPECT_THAT(message({}), StatusIs(kInvalid, HasSubstr("no label 'background'")));
  EXPECT_THAT(message({{"a", {0}}}), StatusIs(kInvalid, HasSubstr("no label 'background'")));
  EXPECT_THAT(message({{"background", {1}}}), StatusIs(kInvalid, HasSubstr("'background' = 0")));
  EXPECT_THAT(message({{"background", {0}}, {"a", {}}}),
              StatusIs(kInvalid, HasSubstr("'a' has no value")));
  EXPECT_THAT(message({{"background", {0}}, {"a", {-1}}}),
              StatusIs(kInvalid, HasSubstr("'a' is -1")));
  EXPECT_THAT(message({{"background", {0}}, {"a", {65536}}}),
              StatusIs(kInvalid, HasSubstr("'a' is 65536")));
  EXPECT_THAT(message({{"background", {0}}, {"a", {3}}}),
              StatusIs(kInvalid, HasSubstr("without a gap")));
  EXPECT_THAT(message({{"background", {0}}, {"a", {1}}, {"ignore", {3}}}),
              StatusIs(kInvalid, HasSubstr("'ignore' is 3, expected 2")));
  EXPECT_THAT(message({{"background", {0}}, {"a", {1}}, {"ignore", {2, 3}}}),
              StatusIs(kInvalid, HasSubstr("'ignore' is a region")));
  EXPECT_THAT(message({{"background", {0}}, {"whole", {1, 2}}, {"core", {2}}}),
              StatusIs(kInvalid, HasSubstr("no regions_class_order")));
  EXPECT_THAT(message({{"background", {0}}, {"whole", {1, 2}}, {"core", {2}}}, {{1}}),
              StatusIs(kInvalid, HasSubstr("has 1 entries, expected 2")));
}

}  // namespace
}  // namespace nnseg
