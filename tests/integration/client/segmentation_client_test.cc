#include "client/segmentation_client.h"

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client/commands/bench.h"
#include "client/commands/health.h"
#include "client/commands/models.h"
#include "client/commands/segment.h"
#include "client/commands/volume.h"
#include "client/connection.h"
#include "client/io/image_reader.h"
#include "client/volume_client.h"
#include "proto/wire/geometry_codec.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/integration/server/test_certificates.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAreArray;
using testing::HasSubstr;

/// The client against a real server with a fake network.
class ClientTest : public ServerFixture {
 protected:
  ClientTest() {
    image_.geometry = *FromProto(Header().geometry());
    image_.voxels = *VoxelBuffer::Allocate(PixelType::kFloat32, 1, kShape);
    const std::vector<std::byte> bytes = ImageBytes();
    std::copy(bytes.begin(), bytes.end(), image_.voxels.bytes().begin());
    parameters_.model.set_name("tiny");
  }

  std::string Address() const { return absl::StrCat("localhost:", server_->grpc_port()); }

  absl::StatusOr<SegmentResult> SegmentImage(const TlsOptions& tls = {}) {
    const auto channel = OpenChannel(Address(), tls);
    NNSEG_EXPECT_OK(channel);
    return SegmentationClient(*channel).Segment(image_, parameters_);
  }

  std::string Put(const std::string& name, const std::string& text) {
    const std::string path = (files_.path() / name).string();
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  /// The image as a MetaImage file.
  std::string PutImage() {
    const auto bytes = image_.voxels.bytes();
    return Put("scan.mha", absl::StrCat("ObjectType = Image\nNDims = 3\nBinaryData = True\n"
                                        "BinaryDataByteOrderMSB = False\nOffset = 1.5 -20 300\n"
                                        "ElementSpacing = 1 1 1\nDimSize = ",
                                        kShape[2], " ", kShape[1], " ", kShape[0],
                                        "\nElementType = MET_FLOAT\nElementDataFile = LOCAL\n",
                                        std::string(reinterpret_cast<const char*>(bytes.data()),
                                                    bytes.size())));
  }

  SegmentArguments Arguments() {
    SegmentArguments arguments;
    arguments.inputs = {PutImage()};
    arguments.output = (files_.path() / "labels.nii.gz").string();
    arguments.prediction.model.set_name("tiny");
    arguments.connection.server = Address();
    return arguments;
  }

  TemporaryFolder files_;
  Image image_;
  SegmentParameters parameters_;
};

TEST_F(ClientTest, LabelsEqualThePipelines) {
  StartServer();
  parameters_.request_id = "my-request";
  const auto result = SegmentImage();
  NNSEG_ASSERT_OK(result);
  EXPECT_EQ(result->labels.geometry, image_.geometry);
  EXPECT_EQ(result->accepted.request_id(), "my-request");
  EXPECT_THAT(result->labels.labels.voxels(), ElementsAreArray(ExpectedLabels().voxels()));
}

TEST_F(ClientTest, ALargeImageIsRefusedWithoutItsVoxels) {
  StartServer("limits { memory_bytes: 1000000 }");
  image_.geometry.size = {256, 256, 256};
  image_.voxels = *VoxelBuffer::Allocate(PixelType::kFloat32, 1, {{256, 256, 256}});
  std::memset(image_.voxels.bytes().data(), 0, image_.voxels.bytes().size());
  EXPECT_THAT(SegmentImage(), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(ClientTest, TheServersRefusalComesBackAsItIs) {
  StartServer();
  parameters_.model.set_name("other");
  EXPECT_THAT(SegmentImage(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("other")));
  parameters_.model.set_name("tiny");
  parameters_.options.set_tile_step_size(2);
  EXPECT_THAT(SegmentImage(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ClientTest, CancelEndsTheRunningCallAndLaterOnes) {
  StartServer("", HoldPasses());
  CallCanceller canceller;
  parameters_.canceller = &canceller;
  std::jthread other([&] {
    gate_.AwaitArrivals(1);
    canceller.Cancel();
  });
  EXPECT_THAT(SegmentImage(), StatusIs(absl::StatusCode::kCancelled));
  gate_.Open();
  EXPECT_THAT(SegmentImage(), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(ClientTest, TheDeadlineEndsTheCall) {
  StartServer("", HoldPasses());
  parameters_.timeout = milliseconds(300);
  EXPECT_THAT(SegmentImage(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  gate_.Open();
}

TEST_F(ClientTest, MutualTlsUsesTheFilesGiven) {
  TestAuthority servers("servers");
  TestAuthority clients("clients");
  const KeyAndCertificate server = servers.Issue();
  const KeyAndCertificate client = clients.Issue();
  StartServer(absl::StrCat("tls { certificate_file: '", Put("s.crt", server.certificate),
                           "' private_key_file: '", Put("s.key", server.key), "' client_ca_file: '",
                           Put("c-ca.crt", clients.certificate()), "' }"));
  const std::string ca = Put("s-ca.crt", servers.certificate());
  NNSEG_EXPECT_OK(SegmentImage({.ca = ca,
                                .certificate = Put("c.crt", client.certificate),
                                .key = Put("c.key", client.key)}));
  EXPECT_THAT(SegmentImage({.ca = ca}), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(SegmentImage(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ClientTest, KeptVolumeGivesTheLabelsOfTheSentOne) {
  StartServer();
  const VolumeClient volumes(*OpenChannel(Address(), {}));
  const auto kept = volumes.Upload(image_, {.idle_timeout = milliseconds(7500)});
  NNSEG_ASSERT_OK(kept);
  EXPECT_EQ(kept->idle_timeout().seconds(), 7);
  EXPECT_EQ(kept->idle_timeout().nanos(), 500000000);
  parameters_.volume_id = kept->volume_id();
  for (int i = 0; i < 2; ++i) {
    const auto result = SegmentImage();
    NNSEG_ASSERT_OK(result);
    EXPECT_EQ(result->labels.geometry, image_.geometry);
    EXPECT_THAT(result->labels.labels.voxels(), ElementsAreArray(ExpectedLabels().voxels()));
  }
  NNSEG_EXPECT_OK(volumes.Release(kept->volume_id(), std::nullopt));
  EXPECT_THAT(SegmentImage(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(volumes.Release(kept->volume_id(), std::nullopt),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ClientTest, KeptVolumeOfAnotherGridIsNoticed) {
  StartServer();
  parameters_.volume_id = UploadVolume();
  image_.geometry.origin_mm[0] += 1;
  EXPECT_THAT(SegmentImage(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("geometry")));
}

TEST_F(ClientTest, RefusedUploadEndsAtOnce) {
  StartServer("volumes { memory_bytes: 1000000 }");
  image_.geometry.size = {256, 256, 256};
  image_.voxels = *VoxelBuffer::Allocate(PixelType::kFloat32, 1, {{256, 256, 256}});
  std::memset(image_.voxels.bytes().data(), 0, image_.voxels.bytes().size());
  EXPECT_THAT(VolumeClient(*OpenChannel(Address(), {})).Upload(image_, {}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("too large")));
}

TEST_F(ClientTest, CancelledUploadIsNotStarted) {
  StartServer();
  CallCanceller canceller;
  canceller.Cancel();
  EXPECT_THAT(VolumeClient(*OpenChannel(Address(), {})).Upload(image_, {.canceller = &canceller}),
              StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(ClientTest, VolumeCommandsPrintAnIdThatSegmentTakes) {
  StartServer();
  VolumeUploadArguments upload;
  upload.inputs = {PutImage()};
  upload.model.set_name("tiny");
  upload.connection.server = Address();
  testing::internal::CaptureStdout();
  const ExitCode uploaded = RunVolumeUpload(upload);
  const std::string printed = testing::internal::GetCapturedStdout();
  ASSERT_EQ(uploaded, ExitCode::kOk);
  ASSERT_THAT(printed, testing::MatchesRegex("[0-9a-f]{32}\n"));

  SegmentArguments segment = Arguments();
  segment.volume_id = printed.substr(0, 32);
  EXPECT_EQ(RunSegment(segment), ExitCode::kOk);
  const auto labels = ReadImage({segment.output});
  NNSEG_ASSERT_OK(labels);
  const Volume<uint16_t> expected = ExpectedLabels();
  const Volume<float> written = labels->voxels.ToFloat();
  EXPECT_TRUE(std::equal(written.voxels().begin(), written.voxels().end(),
                         expected.voxels().begin(), expected.voxels().end()));

  VolumeReleaseArguments release{.id = segment.volume_id, .connection = upload.connection};
  EXPECT_EQ(RunVolumeRelease(release), ExitCode::kOk);
  EXPECT_EQ(RunVolumeRelease(release), ExitCode::kRefused);
  EXPECT_EQ(RunSegment(segment), ExitCode::kRefused);
  upload.inputs = {"missing.mha"};
  EXPECT_EQ(RunVolumeUpload(upload), ExitCode::kFile);
}

TEST_F(ClientTest, SegmentCommandWritesLabelsAndPicture) {
  StartServer();
  SegmentArguments arguments = Arguments();
  arguments.overlay = (files_.path() / "overlay.png").string();
  ASSERT_EQ(RunSegment(arguments), ExitCode::kOk);
  const auto labels = ReadImage({arguments.output});
  NNSEG_ASSERT_OK(labels);
  EXPECT_EQ(labels->geometry, image_.geometry);
  EXPECT_EQ(labels->voxels.pixel_type(), PixelType::kUint8);
  const Volume<uint16_t> expected = ExpectedLabels();
  const Volume<float> written = labels->voxels.ToFloat();
  EXPECT_TRUE(std::equal(written.voxels().begin(), written.voxels().end(),
                         expected.voxels().begin(), expected.voxels().end()));
  EXPECT_GT(std::filesystem::file_size(arguments.overlay), 1000U);
}

TEST_F(ClientTest, SegmentCommandTellsApartWhatWentWrong) {
  StartServer();
  SegmentArguments no_file = Arguments();
  no_file.inputs = {"missing.nii.gz"};
  EXPECT_EQ(RunSegment(no_file), ExitCode::kFile);
  SegmentArguments no_folder = Arguments();
  no_folder.output = "/nowhere/labels.nii.gz";
  EXPECT_EQ(RunSegment(no_folder), ExitCode::kFile);
  SegmentArguments no_model = Arguments();
  no_model.prediction.model.set_name("other");
  EXPECT_EQ(RunSegment(no_model), ExitCode::kRefused);
  SegmentArguments no_server = Arguments();
  no_server.connection.server = "localhost:1";
  EXPECT_EQ(RunSegment(no_server), ExitCode::kUnavailable);
  EXPECT_FALSE(std::filesystem::exists(no_model.output));
}

TEST_F(ClientTest, OtherCommandsReachTheServer) {
  StartServer();
  HealthArguments health;
  health.connection.server = Address();
  EXPECT_EQ(RunHealth(health), ExitCode::kOk);
  health.service = "no.such.Service";
  EXPECT_EQ(RunHealth(health), ExitCode::kRefused);
  ModelsArguments models;
  models.connection.server = Address();
  EXPECT_EQ(RunModels(models), ExitCode::kOk);
  models.name = "tiny";
  models.json = true;
  EXPECT_EQ(RunModels(models), ExitCode::kOk);
  models.name = "other";
  EXPECT_EQ(RunModels(models), ExitCode::kRefused);
  BenchArguments bench;
  bench.inputs = {PutImage()};
  bench.requests = 4;
  bench.clients = 2;
  bench.prediction.model.set_name("tiny");
  bench.connection.server = Address();
  bench.trace = (files_.path() / "trace.json").string();
  EXPECT_EQ(RunBench(bench), ExitCode::kOk);
  const auto trace = nlohmann::json::parse(std::ifstream(bench.trace));
  ASSERT_EQ(trace["requests"].size(), 4U);
  for (const auto& request : trace["requests"]) {
    const double end_s = request["end_s"];
    ASSERT_FALSE(request["labels_at_s"].empty());
    EXPECT_LE(request["begin_s"].get<double>(), request["labels_at_s"][0].get<double>());
    EXPECT_LE(request["labels_at_s"].back().get<double>(), end_s);
    EXPECT_EQ(request["report"]["model"]["name"], "tiny");
  }
  bench.prediction.model.set_name("other");
  EXPECT_EQ(RunBench(bench), ExitCode::kRefused);
}

}  // namespace
}  // namespace nnseg
