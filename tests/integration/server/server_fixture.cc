#include "tests/integration/server/server_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "proto/wire/chunk_writer.h"
#include "proto/wire/geometry_codec.h"
#include "proto/wire/label_codec.h"
#include "proto/wire/status_codec.h"
#include "server/server_config.h"
#include "tests/support/recording_observer.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/pipeline/tiny_case.h"

namespace nnseg {
namespace {

constexpr int64_t kBorder = 2;

Volume<uint16_t> PasteLabels(const std::vector<pb::SegmentResponse>& events) {
  Volume<uint16_t> labels;
  Box3 box;
  LabelType type = LabelType::kUint8;
  int64_t covered = 0;
  int64_t announced = 0;
  for (const auto& event : events) {
    if (event.has_result_header()) {
      const Geometry geometry = *FromProto(event.result_header().geometry());
      labels = Volume<uint16_t>::Filled(1, geometry.shape(), 0);
      box = *FromProto(event.result_header().labelled_box(), Box3::Whole(geometry.shape()));
      announced = event.result_header().labelled_regions().empty() ? box.shape().voxels() : 0;
      for (const pb::Box& region : event.result_header().labelled_regions()) {
        announced += FromProto(region, box)->shape().voxels();
      }
      type = *FromProto(event.result_header().label_type());
    } else if (event.has_label_chunk()) {
      const auto block = DecodeLabels(event.label_chunk(), type, box);
      NNSEG_EXPECT_OK(block);
      const Shape3 shape = block->box.shape();
      covered += shape.voxels();
      for (int64_t z = 0; z < shape[0]; ++z) {
        for (int64_t y = 0; y < shape[1]; ++y) {
          for (int64_t x = 0; x < shape[2]; ++x) {
            labels.at(0, block->box.begin + Index3{{z, y, x}}) = block->labels.at(0, {{z, y, x}});
          }
        }
      }
    }
  }
  if (!events.empty() && events.back().has_summary()) {
    EXPECT_EQ(covered, announced);
  }
  return labels;
}

}  // namespace

SegmentCall::SegmentCall(pb::SegmentationService::Stub& stub, std::chrono::milliseconds timeout) {
  context_.set_deadline(std::chrono::system_clock::now() + timeout);
  stream_ = stub.Segment(&context_);
}

bool SegmentCall::Send(const pb::SegmentHeader& header) {
  pb::SegmentRequest request;
  *request.mutable_header() = header;
  return stream_->Write(request);
}

bool SegmentCall::Send(uint64_t offset, const std::string& data) {
  pb::SegmentRequest request;
  request.mutable_chunk()->set_offset(offset);
  request.mutable_chunk()->set_data(data);
  return stream_->Write(request);
}

void SegmentCall::SendVoxels(std::span<const std::byte> bytes, std::size_t chunk_bytes) {
  ChunkWriter writer(bytes, chunk_bytes);
  pb::SegmentRequest request;
  while (writer.Next(*request.mutable_chunk()) && stream_->Write(request)) {
  }
}

bool SegmentCall::Read() { return stream_->Read(&events_.emplace_back()); }

bool SegmentCall::ReadUntil(const std::function<bool(const pb::SegmentResponse&)>& wanted) {
  while (Read()) {
    if (wanted(events_.back())) return true;
  }
  events_.pop_back();
  return false;
}

Answer SegmentCall::Finish() {
  ReadUntil([](const auto&) { return false; });
  Answer answer;
  answer.status = FromGrpcStatus(stream_->Finish());
  answer.events = std::move(events_);
  answer.labels = PasteLabels(answer.events);
  return answer;
}

UploadCall::UploadCall(pb::VolumeService::Stub& stub) {
  context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  stream_ = stub.UploadVolume(&context_, &response_);
}

bool UploadCall::Send(const pb::VolumeHeader& header) {
  pb::UploadVolumeRequest request;
  *request.mutable_header() = header;
  return stream_->Write(request);
}

bool UploadCall::Send(uint64_t offset, const std::string& data) {
  pb::UploadVolumeRequest request;
  request.mutable_chunk()->set_offset(offset);
  request.mutable_chunk()->set_data(data);
  return stream_->Write(request);
}

void UploadCall::SendVoxels(std::span<const std::byte> bytes, std::size_t chunk_bytes) {
  ChunkWriter writer(bytes, chunk_bytes);
  pb::UploadVolumeRequest request;
  while (writer.Next(*request.mutable_chunk()) && stream_->Write(request)) {
  }
}

absl::StatusOr<pb::UploadVolumeResponse> UploadCall::Finish() {
  stream_->WritesDone();
  const absl::Status status = FromGrpcStatus(stream_->Finish());
  if (!status.ok()) return status;
  return response_;
}

ServerFixture::ServerFixture() { WriteTinyBundle(folder_.path()); }

void ServerFixture::StartServer(const std::string& config_text,
                                std::function<void(FakePatchNetwork&)> configure,
                                bool load_models) {
  ServerConfig config;
  config.set_model_repository(folder_.path());
  config.set_listen("127.0.0.1:0");
  config.set_http("127.0.0.1:0");
  NNSEG_ASSERT_OK(MergeConfigText(config_text, config));
  NNSEG_ASSERT_OK(ValidateConfig(config));
  const auto scheduler = std::make_shared<TileScheduler>();
  const auto openvino = std::make_shared<FakeNetworkLoader>(
      configure, "openvino", std::vector<std::string>{"fp32", "bf16", "int8", "int8_bf16"});
  const auto torch = std::make_shared<FakeNetworkLoader>(
      std::move(configure), "torch", std::vector<std::string>{"fp32"}, "cpu", device_memory_);
  auto server = Server::Start(config, {{torch, scheduler}, {openvino, scheduler}});
  NNSEG_ASSERT_OK(server);
  server_ = *std::move(server);
  if (load_models) server_->LoadModels();
  UseChannel(NewChannel());
}

void ServerFixture::UseChannel(const std::shared_ptr<grpc::Channel>& channel) {
  stub_ = pb::SegmentationService::NewStub(channel);
  volumes_ = pb::VolumeService::NewStub(channel);
}

std::shared_ptr<grpc::Channel> ServerFixture::NewChannel(
    const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
  return grpc::CreateCustomChannel(absl::StrCat("localhost:", server_->grpc_port()), credentials,
                                   arguments);
}

pb::SegmentHeader ServerFixture::Header() {
  pb::SegmentHeader header;
  header.mutable_model()->set_name("tiny");
  *header.mutable_geometry() =
      ToProto(Geometry{.size = {kShape[2], kShape[1], kShape[0]}, .origin_mm = {1.5, -20, 300}});
  header.set_pixel_type(pb::PIXEL_TYPE_FLOAT32);
  return header;
}

pb::VolumeHeader ServerFixture::VolumeHeader() {
  pb::VolumeHeader header;
  *header.mutable_geometry() = Header().geometry();
  header.set_pixel_type(Header().pixel_type());
  return header;
}

std::vector<std::byte> ServerFixture::ImageBytes() {
  const SegmentationCase image = MakeCase(nullptr, kShape, kBorder);
  const auto bytes = image.voxels->bytes();
  return {bytes.begin(), bytes.end()};
}

Volume<uint16_t> ServerFixture::ExpectedLabels() {
  RecordingObserver observer(kShape);
  NNSEG_EXPECT_OK(nnseg::Segment(MakeCase(LoadTinyModel(), kShape, kBorder), observer));
  return std::move(observer.labels);
}

Answer ServerFixture::Segment(const pb::SegmentHeader& header) {
  SegmentCall call(stub());
  call.Send(header);
  call.SendVoxels(ImageBytes());
  call.CloseSending();
  return call.Finish();
}

std::string ServerFixture::UploadVolume() {
  UploadCall call(volumes());
  call.Send(VolumeHeader());
  call.SendVoxels(ImageBytes());
  const auto response = call.Finish();
  NNSEG_EXPECT_OK(response);
  return response.ok() ? response->volume_id() : "";
}

Answer ServerFixture::SegmentKept(const std::string& volume_id) {
  pb::SegmentHeader header;
  header.mutable_model()->set_name("tiny");
  header.set_volume_id(volume_id);
  SegmentCall call(stub());
  call.Send(header);
  call.CloseSending();
  return call.Finish();
}

absl::Status ServerFixture::ReleaseVolume(const std::string& volume_id) {
  grpc::ClientContext context;
  pb::ReleaseVolumeRequest request;
  request.set_volume_id(volume_id);
  pb::ReleaseVolumeResponse response;
  return FromGrpcStatus(volumes().ReleaseVolume(&context, request, &response));
}

std::function<void(FakePatchNetwork&)> ServerFixture::HoldPasses() {
  return [this](FakePatchNetwork& network) {
    network.OnRun([this](int pass) {
      if (pass > 0) gate_.Wait();
    });
  };
}

std::string ServerFixture::HttpGet(const std::string& path) const {
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(server_->http_port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string request = absl::StrCat("GET ", path, " HTTP/1.0\r\n\r\n");
    EXPECT_EQ(write(connection, request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    char part[4096];
    for (ssize_t size = 0; (size = read(connection, part, sizeof(part))) > 0;) {
      answer.append(part, static_cast<std::size_t>(size));
    }
  }
  close(connection);
  return answer;
}

bool WaitFor(const std::function<bool()>& condition, std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

int64_t ResidentBytes() {
  int64_t virtual_pages = 0;
  int64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages;
  return resident_pages * sysconf(_SC_PAGESIZE);
}

}  // namespace nnseg
