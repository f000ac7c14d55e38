#ifndef NNSEG_TESTS_UNIT_CORE_PIPELINE_TINY_CASE_H_
#define NNSEG_TESTS_UNIT_CORE_PIPELINE_TINY_CASE_H_

#include <cstring>
#include <functional>
#include <memory>
#include <utility>

#include "core/base/check.h"
#include "core/pipeline/segmentation_case.h"
#include "tests/support/tiny_bundle.h"
#include "tests/support/volume_builders.h"

namespace nnseg {

/// A generated model with fake networks, loaded.
inline std::shared_ptr<const LoadedModel> LoadTinyModel(
    const TinyBundleOptions& options = {},
    std::function<void(FakePatchNetwork&)> configure = [](auto&) {}) {
  const TemporaryFolder repository;
  auto bundle = ReadModelBundle(WriteTinyBundle(repository.path(), options));
  NNSEG_CHECK(bundle.ok());
  auto model = LoadedModel::Load(*std::move(bundle),
                                 {{std::make_shared<FakeNetworkLoader>(std::move(configure)),
                                   std::make_shared<TileScheduler>()}});
  NNSEG_CHECK(model.ok());
  return *std::move(model);
}

/// A case of random voxels inside a border of zeros.
inline SegmentationCase MakeCase(std::shared_ptr<const LoadedModel> model, const Shape3& shape,
                                 int64_t border = 0) {
  SegmentationCase result;
  result.model = std::move(model);
  result.spacing = {{1.0, 1.0, 1.0}};
  auto voxels = VoxelBuffer::Allocate(PixelType::kFloat32, 1, shape);
  NNSEG_CHECK(voxels.ok());
  Volume<float> image = RandomVolume(1, shape, 7);
  for (int64_t z = 0; z < shape[0]; ++z) {
    for (int64_t y = 0; y < shape[1]; ++y) {
      for (int64_t x = 0; x < shape[2]; ++x) {
        const Index3 voxel{{z, y, x}};
        for (int i = 0; i < 3; ++i) {
          if (voxel[i] < border || voxel[i] >= shape[i] - border) image.at(0, voxel) = 0;
        }
      }
    }
  }
  std::memcpy(voxels->bytes().data(), image.voxels().data(), voxels->bytes().size());
  result.voxels = std::make_shared<const VoxelBuffer>(*std::move(voxels));
  return result;
}

}  // namespace nnseg

#endif  // NNSEG_TESTS_UNIT_CORE_PIPELINE_TINY_CASE_H_
