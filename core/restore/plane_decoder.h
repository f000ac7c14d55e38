#ifndef NNSEG_CORE_RESTORE_PLANE_DECODER_H_
#define NNSEG_CORE_RESTORE_PLANE_DECODER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/resample/axis_operator.h"
#include "core/restore/logit_decoder.h"
#include "core/restore/logit_plane.h"
#include "core/volume/half.h"

namespace nnseg {

/// A plane of logits and what no logit of it exceeds.
struct BoundedPlane {
  LogitPlane plane;
  const int16_t* bounds = nullptr;  ///< as PlaneDecoder::Bound makes them
};

/// Interpolates and decodes rows of labels, with the bits of nnU-Net 2.8.1: logits are scipy's
/// double-precision sum over taps, ((v * w_axis0) * w_axis1) * w_axis2 in C order, rounded once to
/// half.
///
/// An interpolated logit never exceeds the largest logit it is made of, since linear weights are
/// not negative and rounding keeps order. So a row is decoded in segments, and only channels that
/// could win a voxel of a segment are interpolated there: the result is the same and the work
/// hardly grows with the number of channels. Nor does it ever fall below the smallest, so a channel
/// whose least logit beats the bounds of all others wins a segment without any interpolation. A
/// region counts only where it can be set, and only while later ones leave a voxel free. Immutable;
/// thread-safe.
class PlaneDecoder {
 public:
  /// Memory for DecodeRow, one for each thread.
  struct Scratch {
    explicit Scratch(const LabelTable& table) : decoder(table) {}

    LogitDecoder decoder;
    std::vector<int16_t> bounds;
    std::vector<float> values;
    std::vector<double> weighted;
    std::vector<double> sums;
    std::vector<Half> logits;
  };

  /// `input_rows` and `input_columns` are the sizes of the network's axes 1 and 2; the operators
  /// lead from there and are of order 0 or 1. `table` says what the channels mean.
  PlaneDecoder(const LabelTable& table, int64_t input_rows, int64_t input_columns,
               AxisOperator axis1, const AxisOperator& axis2);

  /// Bounds of one plane of `channels` x `input_rows` rows for rows of `output_columns` labels.
  static int64_t BoundsPerPlane(int64_t channels, int64_t input_rows, int64_t output_columns);
  int64_t bounds_per_plane() const { return input_rows_ * bounds_per_row(); }
  /// Fills `bounds` with the largest rank of each row, segment and channel of a plane.
  void Bound(const LogitPlane& plane, std::span<int16_t> bounds) const;

  /// Labels of output row `row`, from the input planes and their weights along axis 0, in order.
  /// REQUIRES: one or two planes, a scratch of the same table.
  void DecodeRow(std::span<const BoundedPlane> planes, std::span<const double> weights, int64_t row,
                 Scratch& scratch, std::span<uint16_t> labels) const;

 private:
  // A run of output columns, the input columns [first, first + span) that they are made of, and for
  // each tap of axis 2 and each output column the input column (from `first`) and its weight.
  struct Segment {
    int64_t begin = 0;
    int64_t length = 0;
    int64_t first = 0;
    int64_t span = 0;
    std::vector<int32_t> columns;
    std::vector<double> weights;
  };
  // A row of an input plane, weighted along axes 0 and 1.
  struct RowTap {
    const Half* data = nullptr;  // of channel 0
    int64_t channel_stride = 0;
    const int16_t* bounds = nullptr;
    double weight0 = 1;
    double weight1 = 1;
  };

  int64_t bounds_per_row() const {
    return static_cast<int64_t>(segments_.size()) * padded_channels_;
  }
  void DecodeSegment(std::span<const RowTap> taps, std::size_t index, Scratch& scratch) const;
  void DecideLabels(std::span<const RowTap> taps, const Segment& segment, Scratch& scratch) const;
  // The least rank of the logits that a segment of a channel is made of.
  int16_t LeastRank(std::span<const RowTap> taps, const Segment& segment, int64_t channel) const;
  void PaintRegions(std::span<const RowTap> taps, const Segment& segment, Scratch& scratch) const;
  void Offer(std::span<const RowTap> taps, const Segment& segment, int64_t channel,
             Scratch& scratch) const;
  void Interpolate(std::span<const RowTap> taps, const Segment& segment, int64_t channel,
                   Scratch& scratch) const;

  const bool regions_;
  const int64_t channels_;
  const int64_t padded_channels_;  // to whole vectors
  const int64_t input_rows_;
  const int64_t input_columns_;
  const AxisOperator axis1_;
  std::vector<Segment> segments_;
};

}  // namespace nnseg

#endif  // NNSEG_CORE_RESTORE_PLANE_DECODER_H_
