#ifndef NNSEG_SERVER_IMAGE_UPLOAD_H_
#define NNSEG_SERVER_IMAGE_UPLOAD_H_

#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "proto/wire/chunk_assembler.h"
#include "proto/wire/upload_reader.h"

namespace nnseg {

/// What HTTP/2 and gRPC may hold for one upload beside the image: a client can run this far ahead
/// of a server that does not read. Counted by admission.
inline constexpr int64_t kTransportBytes = 32 << 20;

/// The receiving side of a stream that brings an image: a header once, then chunks in order, and
/// never a long silence. Copies voxels once, from gRPC's slices to the image. One thread at a time.
class ImageUpload {
 public:
  using Clock = std::chrono::steady_clock;

  /// `stall`: the longest silence.
  explicit ImageUpload(std::chrono::duration<double> stall) : stall_(stall) {}

  /// Takes `message`, which was read from `bytes`. A header goes to `on_header`, which must call
  /// Expect or return an error. INVALID_ARGUMENT for a second header and for what the chunk
  /// assembler refuses.
  template <typename Header, typename OnHeader>
  absl::Status Take(const UploadMessage<Header>& message, grpc::ByteBuffer& bytes,
                    OnHeader on_header) {
    last_message_ = Clock::now();
    if (const auto* header = std::get_if<Header>(&message)) {
      if (has_header_) {
        return absl::InvalidArgumentError("stream: got a second header, expected a chunk");
      }
      return on_header(*header);
    }
    return TakeChunk(std::get<LocatedChunk>(message), bytes);
  }

  /// After a good header: where the voxels go, and the labels of a previous stage if they follow.
  /// No image: it is not sent.
  void Expect(VoxelBuffer image, VoxelBuffer previous_labels = {});
  bool has_header() const { return has_header_; }

  /// The client has closed its side: all that was expected, moved out. INVALID_ARGUMENT when
  /// something is missing.
  absl::StatusOr<Upload> Finish();

  /// Frees what has come.
  void Clear() { assembler_ = {}; }

  /// DEADLINE_EXCEEDED when the client has been silent for too long.
  absl::Status CheckStall(Clock::time_point now) const;

 private:
  absl::Status TakeChunk(const LocatedChunk& chunk, grpc::ByteBuffer& bytes);

  const std::chrono::duration<double> stall_;
  Clock::time_point last_message_ = Clock::now();
  bool has_header_ = false;
  ChunkAssembler assembler_;
};

}  // namespace nnseg

#endif  // NNSEG_SERVER_IMAGE_UPLOAD_H_
