// Speed of an upload and what it adds to the server's memory, over real gRPC.
//
//   upload_bench --server 127.0.0.1:8001 --model brain-t1 --pid "$(pidof nnseg-server)" --mib 1024
//
// Sends one channel of float32 zeros in 1 MiB chunks to a running server and cancels the case as
// soon as the server reports that it has all voxels. Memory is the server's resident set, read from
// procfs while the last chunk is held back.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

#include "segmentation/v1/segmentation_service.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kPlaneBytes = kMiB;  // 512 x 512 float32 voxels

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Resident set of a process in MiB.
int64_t ResidentMib(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") {
      int64_t kib = 0;
      status >> kib;
      return kib / 1024;
    }
  }
  return 0;
}

segmentation::v1::SegmentRequest Header(const std::string& model, int64_t planes) {
  segmentation::v1::SegmentRequest request;
  auto& header = *request.mutable_header();
  header.mutable_model()->set_name(model);
  header.set_pixel_type(segmentation::v1::PIXEL_TYPE_FLOAT32);
  header.set_channels(1);
  for (const int64_t size : {int64_t{512}, int64_t{512}, planes}) {
    header.mutable_geometry()->add_size(size);
    header.mutable_geometry()->add_spacing_mm(1.0);
  }
  return request;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Upload speed and memory of a running nnseg-server");
  std::string server = "127.0.0.1:8001";
  std::string model;
  int pid = 0;
  int64_t mib = 1024;
  app.add_option("--server", server, "address of the server");
  app.add_option("--model", model, "model with one channel")->required();
  app.add_option("--pid", pid, "process of the server")->required();
  app.add_option("--mib", mib, "size of the volume");
  CLI11_PARSE(app, argc, argv);

  const auto stub = segmentation::v1::SegmentationService::NewStub(
      grpc::CreateChannel(server, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  const auto stream = stub->Segment(&context);
  const int64_t before = ResidentMib(pid);

  segmentation::v1::SegmentResponse response;
  stream->Write(Header(model, mib));
  if (!stream->Read(&response) || !response.has_accepted()) {
    std::cerr << "refused: " << stream->Finish().error_message() << "\n";
    return 1;
  }
  segmentation::v1::SegmentRequest request;
  request.mutable_chunk()->mutable_data()->assign(kPlaneBytes, '\0');
  const auto start = Clock::now();
  double held_back = 0;
  for (int64_t i = 0; i < mib; ++i) {
    if (i == mib - 1) {
      const auto pause = Clock::now();
      std::this_thread::sleep_for(std::chrono::seconds(1));
      std::cout << "server memory: " << before << " MiB before, +" << ResidentMib(pid) - before
                << " MiB with " << mib << " MiB received\n";
      held_back = SecondsSince(pause);
    }
    request.mutable_chunk()->set_offset(static_cast<uint64_t>(i * kPlaneBytes));
    if (!stream->Write(request)) {
      std::cerr << "broken off: " << stream->Finish().error_message() << "\n";
      return 1;
    }
  }
  stream->WritesDone();
  while (stream->Read(&response)) {
    if (response.has_progress() && response.progress().stage() != segmentation::v1::STAGE_RECEIVE) {
      const double seconds = SecondsSince(start) - held_back;
      std::cout << "upload: " << mib << " MiB in " << seconds << " s, "
                << static_cast<double>(mib) / seconds << " MiB/s\n";
      context.TryCancel();
      break;
    }
  }
  while (stream->Read(&response)) {
  }
  stream->Finish();
  return 0;
}
