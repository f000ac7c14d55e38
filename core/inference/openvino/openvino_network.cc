#include "core/inference/openvino/openvino_network.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <openvino/frontend/manager.hpp>
#include <openvino/openvino.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/float_environment.h"
#include "core/base/status_macros.h"
#include "core/inference/openvino/openvino_guard.h"
#include "core/inference/openvino/openvino_precision.h"
#include "core/inference/openvino/replace_convolutions.h"
#include "core/inference/pass_buffers.h"

namespace nnseg {
namespace {

/// One runtime for the process: it holds the plugins, and networks outlive their loaders.
ov::Core& Runtime() {
  static ov::Core core;
  return core;
}

/// Core::read_model would offer the file to the readers of all formats (and load their libraries);
/// a bundle holds IR only. Without mmap the weights are ours: a file that changes later cannot
/// reach them.
std::shared_ptr<ov::Model> ReadIr(const std::string& file) {
  const ov::frontend::FrontEnd::Ptr reader =
      ov::frontend::FrontEndManager().load_by_framework("ir");
  return reader->convert(reader->load(file, /*enable_mmap=*/false));
}

// What a network takes and gives: 1 x channels x patch, the patch in its own dimensions.
ov::Shape BatchOfOne(int64_t channels, const PatchSignature& signature) {
  ov::Shape shape{1, static_cast<std::size_t>(channels)};
  const Shape3& patch = signature.patch_size;
  shape.insert(shape.end(), patch.end() - signature.patch_dimensions, patch.end());
  return shape;
}

absl::Status CheckPort(absl::string_view what, const ov::Output<const ov::Node>& port,
                       const ov::Shape& expected) {
  if (port.get_element_type() == ov::element::f32 && port.get_partial_shape().is_static() &&
      port.get_shape() == expected) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the network's ", what, " is ", port.get_element_type().get_type_name(), " ",
                   port.get_partial_shape().to_string(), ", expected f32 ",
                   ov::PartialShape(expected).to_string()));
}

bool IsQuantised(const ov::Model& model) {
  const auto& operations = model.get_ops();
  return std::any_of(operations.begin(), operations.end(), [](const auto& operation) {
    return absl::string_view(operation->get_type_info().name) == "FakeQuantize";
  });
}

// In lower precision a network runs as its accuracy gate saw it. The exporter leaves this mark in
// those that it judged, and found faster, with our convolutions (deploy/export/README.md).
bool WasJudgedWithOurConvolutions(const ov::Model& model) {
  return model.has_rt_info("nnseg", "convolutions") &&
         model.get_rt_info<std::string>("nnseg", "convolutions") == "nnseg";
}

class OpenvinoNetwork : public PatchNetwork {
 public:
  OpenvinoNetwork(ov::CompiledModel model, const PatchSignature& signature, std::string precision)
      : request_(model.create_infer_request()),
        signature_(signature),
        precision_(std::move(precision)),
        input_shape_(BatchOfOne(signature.input_channels, signature)),
        output_shape_(BatchOfOne(signature.output_channels, signature)) {}

  const PatchSignature& signature() const override { return signature_; }
  std::string engine() const override { return "openvino"; }
  std::string precision() const override { return precision_; }

  absl::Status Run(std::span<const float> input, std::span<float> output) override {
    NNSEG_RETURN_IF_ERROR(CheckPassBuffers(signature_, input, output));
    const ScopedSubnormals subnormals;
    return GuardOpenvino([&] {
      // Both buffers are used in place; the network only reads its input.
      request_.set_input_tensor(
          ov::Tensor(ov::element::f32, input_shape_, const_cast<float*>(input.data())));
      request_.set_output_tensor(ov::Tensor(ov::element::f32, output_shape_, output.data()));
      request_.infer();
      return absl::OkStatus();
    });
  }

 private:
  ov::InferRequest request_;
  const PatchSignature signature_;
  const std::string precision_;
  const ov::Shape input_shape_;
  const ov::Shape output_shape_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<PatchNetwork>> LoadOpenvinoNetwork(const std::string& file,
                                                                  const PatchSignature& signature,
                                                                  const std::string& precision,
                                                                  int threads) {
  const ScopedSubnormals subnormals;
  std::unique_ptr<OpenvinoNetwork> network;
  const absl::Status status = GuardOpenvino([&]() -> absl::Status {
    const std::shared_ptr<ov::Model> model = ReadIr(file);
    const ov::Model& ports = *model;
    NNSEG_RETURN_IF_ERROR(
        CheckPort("input", ports.input(), BatchOfOne(signature.input_channels, signature)));
    NNSEG_RETURN_IF_ERROR(
        CheckPort("output", ports.output(), BatchOfOne(signature.output_channels, signature)));
    if (IsInt8(precision) && !IsQuantised(*model)) {
      return absl::InvalidArgumentError("the network is not quantised");
    }
    if (precision == "fp32") ReplaceConvolutions(*model, ProductPrecision::kFp32);
    if (precision == "bf16" && WasJudgedWithOurConvolutions(*model)) {
      ReplaceConvolutions(*model, ProductPrecision::kBf16);
    }
    const ov::element::Type arithmetic = IsBf16(precision) ? ov::element::bf16 : ov::element::f32;
    ov::CompiledModel compiled = Runtime().compile_model(
        model, "CPU",
        {ov::hint::inference_precision(arithmetic),
         ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY), ov::num_streams(1),
         ov::inference_num_threads(threads), ov::hint::enable_cpu_pinning(false)});
    if (const ov::element::Type granted = compiled.get_property(ov::hint::inference_precision);
        granted != arithmetic) {
      return absl::FailedPreconditionError(
          absl::StrCat("openvino grants ", granted.get_type_name(), " for ", precision));
    }
    network = std::make_unique<OpenvinoNetwork>(std::move(compiled), signature, precision);
    return absl::OkStatus();
  });
  if (status.ok()) return network;
  const std::string message =
      absl::StrCat(std::filesystem::path(file).filename().string(), ": ", status.message());
  // Whatever is wrong but these lies in the file.
  const bool of_the_host = absl::IsResourceExhausted(status) || absl::IsFailedPrecondition(status);
  return absl::Status(of_the_host ? status.code() : absl::StatusCode::kInvalidArgument, message);
}

}  // namespace nnseg
