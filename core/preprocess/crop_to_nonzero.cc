#include "core/preprocess/crop_to_nonzero.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <mutex>
#include <vector>

#include "core/base/parallel_for.h"

namespace nnseg {
namespace {

// The box around nothing yet.
Box3 EmptyBox() {
  constexpr int64_t kFar = std::numeric_limits<int64_t>::max();
  return {{{kFar, kFar, kFar}}, {}};
}

void Include(const Box3& part, Box3& box) {
  for (int axis = 0; axis < 3; ++axis) {
    box.begin[axis] = std::min(box.begin[axis], part.begin[axis]);
    box.end[axis] = std::max(box.end[axis], part.end[axis]);
  }
}

// Calls visit(nonzero) with a function that tells whether the voxel at a position of the buffer,
// counted through channels, is not 0 as a float.
template <typename Visit>
void VisitNonzero(const VoxelBuffer& voxels, const Visit& visit) {
  VisitPixelType(voxels.pixel_type(), [&](auto zero) {
    using T = decltype(zero);
    const std::byte* const data = voxels.bytes().data();
    visit([data](int64_t i) {
      T value;
      std::memcpy(&value, data + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
      return static_cast<float>(value) != 0;
    });
  });
}

// Marks of FilledNonzeroMask while it runs.
constexpr uint8_t kZero = 0;
constexpr uint8_t kNonzero = 1;
constexpr uint8_t kOutside = 2;

// Marks zeros that are connected to a face of `mask` as outside, run by run along axis 2.
class OutsideFlood {
 public:
  explicit OutsideFlood(Volume<uint8_t>& mask) : shape_(mask.shape()), mask_(mask.channel(0)) {}

  void Run() {
    for (int64_t z = 0; z < shape_[0]; ++z) {
      for (int64_t y = 0; y < shape_[1]; ++y) {
        const bool face = z == 0 || z == shape_[0] - 1 || y == 0 || y == shape_[1] - 1;
        if (face) {
          for (int64_t x = 0; x < shape_[2]; ++x) FloodFrom({{z, y, x}});
        } else {
          FloodFrom({{z, y, 0}});
          FloodFrom({{z, y, shape_[2] - 1}});
        }
      }
    }
  }

 private:
  uint8_t* Row(int64_t z, int64_t y) { return mask_.data() + (z * shape_[1] + y) * shape_[2]; }

  void FloodFrom(const Index3& seed) {
    Push(seed[0], seed[1], seed[2], seed[2] + 1);
    while (!runs_.empty()) {
      const auto [z, y, begin, end] = runs_.back();
      runs_.pop_back();
      if (z > 0) Push(z - 1, y, begin, end);
      if (z + 1 < shape_[0]) Push(z + 1, y, begin, end);
      if (y > 0) Push(z, y - 1, begin, end);
      if (y + 1 < shape_[1]) Push(z, y + 1, begin, end);
    }
  }

  // Marks every run of zeros of a row that touches [begin, end), and notes it for its neighbours.
  void Push(int64_t z, int64_t y, int64_t begin, int64_t end) {
    uint8_t* const row = Row(z, y);
    for (int64_t x = begin; x < end; ++x) {
      if (row[x] != kZero) continue;
      int64_t first = x;
      while (first > 0 && row[first - 1] == kZero) --first;
      int64_t last = x + 1;
      while (last < shape_[2] && row[last] == kZero) ++last;
      std::fill(row + first, row + last, kOutside);
      runs_.push_back({z, y, first, last});
      x = last;
    }
  }

  struct LineRun {
    int64_t z, y, begin, end;
  };
  const Shape3 shape_;
  std::span<uint8_t> mask_;
  std::vector<LineRun> runs_;  // marked, neighbours not yet visited
};

}  // namespace

Box3 NonzeroBox(const VoxelBuffer& voxels) {
  const Shape3 shape = voxels.shape();
  Box3 box = EmptyBox();
  std::mutex mu;
  VisitNonzero(voxels, [&](const auto& nonzero) {
    ParallelFor(voxels.channels() * shape[0], [&](int64_t begin, int64_t end) {
      Box3 part = EmptyBox();
      for (int64_t plane = begin; plane < end; ++plane) {
        for (int64_t y = 0; y < shape[1]; ++y) {
          const int64_t row = (plane * shape[1] + y) * shape[2];
          int64_t first = 0;
          while (first < shape[2] && !nonzero(row + first)) ++first;
          if (first == shape[2]) continue;
          int64_t last = shape[2] - 1;
          while (!nonzero(row + last)) --last;
          const int64_t z = plane % shape[0];
          Include({{{z, y, first}}, {{z + 1, y + 1, last + 1}}}, part);
        }
      }
      std::lock_guard lock(mu);
      Include(part, box);
    });
  });
  return box.empty() ? Box3::Whole(shape) : box;
}

Volume<uint8_t> FilledNonzeroMask(const VoxelBuffer& voxels, const Box3& box) {
  const Shape3 shape = voxels.shape();
  const Index3 strides = shape.strides();
  auto mask = Volume<uint8_t>::Uninitialized(1, box.shape());
  VisitNonzero(voxels, [&](const auto& nonzero) {
    ParallelFor(mask.shape()[0], [&](int64_t begin, int64_t end) {
      for (int64_t z = begin; z < end; ++z) {
        for (int64_t y = 0; y < mask.shape()[1]; ++y) {
          uint8_t* const row = &mask.at(0, {{z, y, 0}});
          const int64_t from =
              (box.begin[0] + z) * strides[0] + (box.begin[1] + y) * strides[1] + box.begin[2];
          for (int64_t x = 0; x < mask.shape()[2]; ++x) {
            row[x] = kZero;
            for (int64_t c = 0; c < voxels.channels(); ++c) {
              if (nonzero(c * shape.voxels() + from + x)) row[x] = kNonzero;
            }
          }
        }
      }
    });
  });
  OutsideFlood(mask).Run();
  for (uint8_t& mark : mask.voxels()) mark = mark != kOutside;
  return mask;
}

}  // namespace nnseg
