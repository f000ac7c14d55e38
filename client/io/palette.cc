#include "client/io/palette.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace nnseg {
namespace {

constexpr std::array<Colour, 12> kFirstColours{{{1.00, 0.39, 0.28},
                                                {0.25, 0.77, 1.00},
                                                {1.00, 0.84, 0.25},
                                                {0.44, 0.85, 0.36},
                                                {0.80, 0.49, 1.00},
                                                {1.00, 0.55, 0.76},
                                                {0.12, 0.80, 0.68},
                                                {1.00, 0.62, 0.10},
                                                {0.45, 0.55, 1.00},
                                                {0.78, 0.92, 0.30},
                                                {0.72, 0.48, 0.32},
                                                {0.62, 0.78, 0.94}}};

/// Hue, saturation and value in [0, 1].
Colour FromHsv(double hue, double saturation, double value) {
  const auto component = [&](double offset) {
    const double k = std::fmod(offset + 6 * hue, 6.0);
    return value - value * saturation * std::clamp(std::min(k, 4 - k), 0.0, 1.0);
  };
  return {component(5), component(3), component(1)};
}

}  // namespace

Colour ColourOfLabel(int value) {
  const auto index = static_cast<std::size_t>(value - 1);
  if (index < kFirstColours.size()) return kFirstColours[index];
  // Steps of the golden angle never repeat a hue; saturation and value change so that neighbours in
  // hue differ as well.
  constexpr double kGoldenAngle = 0.381966011250105;
  const double n = static_cast<double>(index);
  return FromHsv(std::fmod(n * kGoldenAngle, 1.0), index % 2 == 0 ? 0.85 : 0.5,
                 index % 3 == 0 ? 0.75 : 1.0);
}

}  // namespace nnseg
