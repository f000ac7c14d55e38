#include "core/resample/resample.h"

#include <algorithm>
#include <array>
#include <limits>
#include <mutex>
#include <optional>
#include <vector>

#include "core/base/check.h"
#include "core/base/parallel_for.h"
#include "core/resample/anisotropic.h"
#include "core/resample/axis_operator.h"
#include "core/resample/plane_interpolator.h"
#include "core/resample/spline_prefilter.h"
#include "core/resample/torch_interpolation.h"

namespace nnseg {
namespace {

// Smallest and largest value.
struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void Include(const Range& other) {
    low = std::min(low, other.low);
    high = std::max(high, other.high);
  }
  // numpy.clip, signs of zeros included.
  double Clip(double value) const {
    const double raised = value > low ? value : low;
    return raised < high ? raised : high;
  }
};

Range RangeOfPlane(const VolumeView<const float>& any_order, int64_t plane) {
  // Several extremes side by side, so that the comparisons need not wait for one another.
  constexpr int64_t kLanes = 32;
  const Range nothing;
  std::array<float, kLanes> low, high;
  low.fill(static_cast<float>(nothing.low));
  high.fill(static_cast<float>(nothing.high));
  const auto include = [&](float value, int64_t lane) {
    low[lane] = value < low[lane] ? value : low[lane];
    high[lane] = value > high[lane] ? value : high[lane];
  };
  VolumeView<const float> image = any_order;
  image.data += plane * image.strides[0];
  image.shape[0] = 1;
  image.strides[0] = std::numeric_limits<int64_t>::max();
  image = image.InMemoryOrder();
  for (int64_t y = 0; y < image.shape[1]; ++y) {
    const float* const row = image.data + y * image.strides[1];
    int64_t x = 0;
    for (; image.strides[2] == 1 && x + kLanes <= image.shape[2]; x += kLanes) {
      for (int64_t lane = 0; lane < kLanes; ++lane) include(row[x + lane], lane);
    }
    for (; x < image.shape[2]; ++x) include(row[x * image.strides[2]], x % kLanes);
  }
  return {*std::min_element(low.begin(), low.end()), *std::max_element(high.begin(), high.end())};
}

Range RangeOf(const VolumeView<const float>& any_order) {
  const VolumeView<const float> image = any_order.InMemoryOrder();
  Range range;
  std::mutex mu;
  ParallelFor(image.shape[0], [&](int64_t begin, int64_t end) {
    Range part;
    for (int64_t z = begin; z < end; ++z) part.Include(RangeOfPlane(image, z));
    std::lock_guard lock(mu);
    range.Include(part);
  });
  return range;
}

// The samples that axis operators read: the image itself, or its spline coefficients.
template <typename T>
using Source = VolumeView<const T>;

struct Operators {
  AxisOperator axis0, axis1, axis2;
};

// One output plane in double precision.
template <typename T>
class PlaneMaker {
 public:
  PlaneMaker(const Source<T>& source, const Operators& operators)
      : source_(source),
        operators_(operators),
        interpolator_(operators.axis1, operators.axis2),
        plane_(static_cast<std::size_t>(operators.axis1.output_length() *
                                        operators.axis2.output_length())) {}

  // Valid until the next call.
  std::span<const double> Make(int64_t k) {
    taps_.clear();
    for (int t = 0; t < operators_.axis0.taps(); ++t) {
      taps_.push_back({source_.data + operators_.axis0.indices(k)[t] * source_.strides[0],
                       source_.strides[1], source_.strides[2], operators_.axis0.weights(k)[t]});
    }
    interpolator_.Interpolate<T>(taps_, plane_);
    return plane_;
  }

 private:
  const Source<T>& source_;
  const Operators& operators_;
  PlaneInterpolator interpolator_;
  std::vector<PlaneTap<T>> taps_;
  std::vector<double> plane_;
};

// Clips, rounds and stores plane k of `out`.
template <typename Out>
void StorePlane(std::span<const double> plane, const Range& range, int64_t k,
                const VolumeView<Out>& out) {
  const double* value = plane.data();
  for (int64_t y = 0; y < out.shape[1]; ++y) {
    for (int64_t x = 0; x < out.shape[2]; ++x) {
      out.at({{k, y, x}}) = static_cast<Out>(range.Clip(*value++));
    }
  }
}

// Three axes at once, clipped to `range`.
template <typename T, typename Out>
void ResampleTogether(const Source<T>& source, const Operators& operators, const Range& range,
                      const VolumeView<Out>& out) {
  ParallelFor(out.shape[0], [&](int64_t begin, int64_t end) {
    PlaneMaker<T> planes(source, operators);
    for (int64_t k = begin; k < end; ++k) StorePlane(planes.Make(k), range, k, out);
  });
}

// Each slice along axis 0 on its own, clipped to its own range, and stored as the planes
// [first_plane[s], first_plane[s + 1]) of `out`.
template <typename T, typename Out>
void ResampleSlices(const VolumeView<const float>& image, const Source<T>& source,
                    const Operators& slices, const std::vector<int64_t>& first_plane,
                    const VolumeView<Out>& out) {
  ParallelFor(image.shape[0], [&](int64_t begin, int64_t end) {
    PlaneMaker<T> planes(source, slices);
    for (int64_t s = begin; s < end; ++s) {
      if (first_plane[s] == first_plane[s + 1]) continue;
      const std::span<const double> plane = planes.Make(s);
      const Range range = RangeOfPlane(image, s);
      for (int64_t k = first_plane[s]; k < first_plane[s + 1]; ++k)
        StorePlane(plane, range, k, out);
    }
  });
}

// The same for a given in-plane order; slices that keep their size are copied.
template <typename Out>
void ResampleSlices(int order, const VolumeView<const float>& image,
                    const std::vector<int64_t>& first_plane, const VolumeView<Out>& out) {
  if (image.shape[1] == out.shape[1] && image.shape[2] == out.shape[2]) order = 0;
  const Operators slices{AxisOperator::Identity(image.shape[0]),
                         AxisOperator::Resize(image.shape[1], out.shape[1], order),
                         AxisOperator::Resize(image.shape[2], out.shape[2], order)};
  if (order == 3) {
    const Volume<double> coefficients = SplineCoefficients(image, {false, true, true});
    ResampleSlices(image, ViewOf(coefficients, 0), slices, first_plane, out);
  } else {
    ResampleSlices(image, image, slices, first_plane, out);
  }
}

// Axis 0 apart from the two others.
template <typename Out>
void ResampleSeparately(const ResamplingRule& rule, const VolumeView<const float>& image,
                        const AxisPermutation& coarse_first, const VolumeView<Out>& out) {
  const int64_t input = image.shape[0];
  const int64_t output = out.shape[0];
  std::vector<int64_t> first_plane(static_cast<std::size_t>(input) + 1);
  if (rule.order_z == 0 || input == output) {
    const AxisOperator nearest = AxisOperator::Resize(input, output, 0);
    for (int64_t k = output - 1, s = input; s >= 0; --s) {
      while (k >= 0 && nearest.indices(k)[0] >= s) --k;
      first_plane[s] = k + 1;
    }
    ResampleSlices(rule.order, image, first_plane, out);
    return;
  }
  for (int64_t s = 0; s <= input; ++s) first_plane[s] = s;
  auto stack = Volume<double>::Uninitialized(1, {{input, out.shape[1], out.shape[2]}});
  ResampleSlices(rule.order, image, first_plane, ViewOf(stack, 0));
  const VolumeView<const double> slices = ViewOf(std::as_const(stack), 0);
  const Range unlimited{-std::numeric_limits<double>::infinity(),
                        std::numeric_limits<double>::infinity()};
  if (rule.order_z == 1) {
    const Operators linear{AxisOperator::Resize(input, output, 1),
                           AxisOperator::Identity(out.shape[1]),
                           AxisOperator::Identity(out.shape[2])};
    ResampleTogether(slices, linear, unlimited, out);
    return;
  }
  // Cubic taps reach along all axes, whose order then matters.
  const AxisPermutation back = coarse_first.Inverse();
  const VolumeView<const double> block = slices.Permuted(back);
  const VolumeView<Out> target = out.Permuted(back);
  const Operators cubic{AxisOperator::Resize(block.shape[0], target.shape[0], 3),
                        AxisOperator::Resize(block.shape[1], target.shape[1], 3),
                        AxisOperator::Resize(block.shape[2], target.shape[2], 3)};
  const Volume<double> coefficients = SplineCoefficients(block, {true, true, true});
  ResampleTogether(ViewOf(coefficients, 0), cubic, unlimited, target);
}

AxisPermutation AxisFirst(int axis) {
  constexpr std::array<std::array<int, 3>, 3> kOrders{{{0, 1, 2}, {1, 0, 2}, {2, 0, 1}}};
  return AxisPermutation::Create(kOrders[axis]).value();
}

template <typename Out>
void Copy(const VolumeView<const float>& image, const VolumeView<Out>& out) {
  ParallelFor(out.shape[0], [&](int64_t begin, int64_t end) {
    for (int64_t z = begin; z < end; ++z) {
      for (int64_t y = 0; y < out.shape[1]; ++y) {
        for (int64_t x = 0; x < out.shape[2]; ++x) out.at({{z, y, x}}) = image.at({{z, y, x}});
      }
    }
  });
}

// By torch's rules, plane by plane.
template <typename Out>
void Interpolate(const TorchInterpolation& torch, int64_t channel,
                 const VolumeView<const float>& image, const VolumeView<Out>& out) {
  ParallelFor(out.shape[0], [&](int64_t begin, int64_t end) {
    TorchInterpolation::Scratch scratch;
    std::vector<float> plane(static_cast<std::size_t>(out.shape[1] * out.shape[2]));
    for (int64_t k = begin; k < end; ++k) {
      const auto [lower, upper] = torch.planes(k);
      const auto plane_at = [&](int64_t z) {
        return InputPlane<float>{&image.at({{z, 0, 0}}), image.strides[1], image.strides[2]};
      };
      torch.Rows<float>(channel, k, {plane_at(lower), plane_at(upper)}, 0, out.shape[1], scratch,
                        plane);
      const float* value = plane.data();
      for (int64_t y = 0; y < out.shape[1]; ++y) {
        for (int64_t x = 0; x < out.shape[2]; ++x) out.at({{k, y, x}}) = *value++;
      }
    }
  });
}

}  // namespace

template <typename Out>
void ResampleChannel(const ResamplingRule& rule, const VolumeView<const float>& image,
                     const Spacing3& current, const Spacing3& target, const VolumeView<Out>& out,
                     const ChannelOf& channel) {
  if (image.shape == out.shape) return Copy(image, out);
  NNSEG_CHECK(rule.resampler != Resampler::kNone);
  const std::optional<int> axis = SeparateAxis(rule.force_separate_z, current, target);
  if (rule.resampler == Resampler::kTorch) {
    const TorchInterpolation torch(image.shape, out.shape, axis, channel.count, image.strides);
    Interpolate(torch, channel.index, image, out);
    return;
  }
  if (axis) {
    const AxisPermutation coarse_first = AxisFirst(*axis);
    ResampleSeparately(rule, image.Permuted(coarse_first), coarse_first,
                       out.Permuted(coarse_first));
    return;
  }
  const Operators operators{AxisOperator::Resize(image.shape[0], out.shape[0], rule.order),
                            AxisOperator::Resize(image.shape[1], out.shape[1], rule.order),
                            AxisOperator::Resize(image.shape[2], out.shape[2], rule.order)};
  const Range range = RangeOf(image);
  if (rule.order == 3) {
    const Volume<double> coefficients = SplineCoefficients(image, {true, true, true});
    ResampleTogether(ViewOf(coefficients, 0), operators, range, out);
  } else {
    ResampleTogether(image, operators, range, out);
  }
}

template void ResampleChannel(const ResamplingRule&, const VolumeView<const float>&,
                              const Spacing3&, const Spacing3&, const VolumeView<float>&,
                              const ChannelOf&);
template void ResampleChannel(const ResamplingRule&, const VolumeView<const float>&,
                              const Spacing3&, const Spacing3&, const VolumeView<double>&,
                              const ChannelOf&);

}  // namespace nnseg
