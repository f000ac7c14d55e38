#ifndef NNSEG_SERVER_OUTBOX_H_
#define NNSEG_SERVER_OUTBOX_H_

#include <grpcpp/support/byte_buffer.h>

#include <deque>
#include <optional>
#include <utility>

namespace nnseg {

/// Serialized messages that wait until a client takes them. Ordinary messages keep their order; of
/// progress only the newest waits, and it overtakes. Copies of a ByteBuffer share its bytes. One
/// thread at a time.
class Outbox {
 public:
  void Push(const grpc::ByteBuffer& message) {
    bytes_ += message.Length();
    messages_.push_back(message);
  }
  void SetProgress(const grpc::ByteBuffer& message) { progress_ = message; }
  void Clear() { *this = {}; }

  /// The next message to write, if any.
  std::optional<grpc::ByteBuffer> Pop() {
    if (progress_.has_value()) return std::exchange(progress_, std::nullopt);
    if (messages_.empty()) return std::nullopt;
    grpc::ByteBuffer message = messages_.front();
    messages_.pop_front();
    bytes_ -= message.Length();
    return message;
  }

  /// Bytes of ordinary messages that wait.
  std::size_t bytes() const { return bytes_; }

 private:
  std::deque<grpc::ByteBuffer> messages_;
  std::optional<grpc::ByteBuffer> progress_;
  std::size_t bytes_ = 0;
};

}  // namespace nnseg

#endif  // NNSEG_SERVER_OUTBOX_H_
