#include "core/inference/openvino/network_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/engines/engine_contract.h"
#include "tests/integration/engines/example_patch.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

INSTANTIATE_TEST_SUITE_P(Openvino, EngineContract,
                         testing::Values(EngineUnderTest{"openvino", "fold_0.xml", [] {
                                                           return MakeOpenvinoLoader(
                                                               kEngineThreads);
                                                         }}));

TEST(OpenvinoEngine, TheErrorSaysWhichShapeWasFound) {
  PatchSignature other = kExampleSignature;
  other.patch_size = {{32, 64, 64}};
  EXPECT_THAT(MakeOpenvinoLoader(1)->Load(ExampleFile("fold_0.xml"), other),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "fold_0.xml: the network's input is f32 [1,1,64,64,64], expected f32 "
                       "[1,1,32,64,64]"));
}

TEST(OpenvinoEngine, SlicesAreAskedForInTwoDimensions) {
  PatchSignature volumes = kSliceSignature;
  volumes.patch_dimensions = 3;
  EXPECT_THAT(MakeOpenvinoLoader(1)->Load(DataFile("models/photo-2d/1/fold_0.xml"), volumes),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "fold_0.xml: the network's input is f32 [1,3,128,160], expected f32 "
                       "[1,3,1,128,160]"));
}

}  // namespace
}  // namespace nnseg
