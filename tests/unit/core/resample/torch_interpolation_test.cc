#include "core/resample/torch_interpolation.h"

#include <array>
#include <optional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nnseg {
namespace {

using testing::ElementsAre;

std::vector<float> Rows(const TorchInterpolation& torch, const std::vector<float>& image, int64_t k,
                        int64_t begin, int64_t end) {
  const int64_t rows = torch.input()[1], columns = torch.input()[2];
  const auto [lower, upper] = torch.planes(k);
  const std::array<InputPlane<float>, 2> planes = {
      {{&image[lower * rows * columns], columns}, {&image[upper * rows * columns], columns}}};
  TorchInterpolation::Scratch scratch;
  std::vector<float> out(static_cast<std::size_t>((end - begin) * torch.output()[2]));
  torch.Rows<float>(0, k, planes, begin, end, scratch, out);
  return out;
}

TEST(TorchInterpolation, LineHasTheBitsOfTorch) {
  const TorchInterpolation torch({{1, 1, 4}}, {{1, 1, 6}}, std::nullopt, 1);
  EXPECT_THAT(Rows(torch, {0, 10, 20, 10}, 0, 0, 1),
              ElementsAre(0, 5, 11.666668F, 18.333336F, 15, 10));
}

TEST(TorchInterpolation, RowsDoNotDependOnHowTheyAreAskedFor) {
  std::vector<float> image(5 * 6 * 7);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i * i % 101) / 3;
  for (const std::optional<int> separate : {std::optional<int>(), {0}, {1}, {2}}) {
    const TorchInterpolation torch({{5, 6, 7}}, {{3, 9, 8}}, separate, 1);
    for (int64_t k = 0; k < 3; ++k) {
      const std::vector<float> all = Rows(torch, image, k, 0, 9);
      for (int64_t row = 0; row < 9; ++row) {
        EXPECT_EQ(Rows(torch, image, k, row, row + 1),
                  std::vector<float>(all.begin() + row * 8, all.begin() + (row + 1) * 8));
      }
    }
  }
}

TEST(TorchInterpolation, NamesThePlanesItReads) {
  const TorchInterpolation linear({{2, 3, 3}}, {{4, 3, 3}}, std::nullopt, 1);
  EXPECT_THAT(linear.planes(1), ElementsAre(0, 1));
  EXPECT_THAT(linear.planes(3), ElementsAre(1, 1));
  const TorchInterpolation separate({{6, 3, 3}}, {{3, 4, 4}}, 0, 1);
  EXPECT_THAT(separate.planes(0), ElementsAre(1, 1));
}

TEST(TorchInterpolation, TakesSmallSlicesOfAllChannelsEightAtATime) {
  const TorchInterpolation torch({{7, 10, 10}}, {{7, 64, 64}}, 0, 3);  // 21 slices
  EXPECT_TRUE(torch.slices_by_eight());
  EXPECT_EQ(torch.whole_vector_end(0), 16);
  EXPECT_EQ(torch.whole_vector_end(2), 2);
  EXPECT_FALSE(TorchInterpolation({{7, 10, 10}}, {{7, 64, 65}}, 0, 3).slices_by_eight());
  EXPECT_FALSE(TorchInterpolation({{7, 10, 10}}, {{7, 64, 64}}, std::nullopt, 3).slices_by_eight());
  EXPECT_FALSE(TorchInterpolation({{7, 10, 10}}, {{8, 10, 10}}, 0, 3).slices_by_eight());
}

TEST(TorchInterpolation, TakesInterleavedSlicesOfOneChannelEightAtATime) {
  const auto by_eight = [](int64_t slices, int64_t channels) {
    return TorchInterpolation({{9, 10, slices}}, {{99, 99, slices}}, 2, channels).slices_by_eight();
  };
  EXPECT_TRUE(by_eight(4, 1));
  EXPECT_FALSE(by_eight(3, 1));
  EXPECT_FALSE(by_eight(4, 2));
  // A crop leaves gaps.
  EXPECT_FALSE(
      TorchInterpolation({{9, 10, 4}}, {{99, 99, 4}}, 2, 1, {{50, 5, 1}}).slices_by_eight());
}

}  // namespace
}  // namespace nnseg
