#ifndef NNSEG_PROTO_WIRE_DURATION_CODEC_H_
#define NNSEG_PROTO_WIRE_DURATION_CODEC_H_

#include <google/protobuf/duration.pb.h>

#include <chrono>
#include <cmath>

namespace nnseg {

/// Times on the wire; neither way fails, whatever the fields hold.
inline google::protobuf::Duration ToProto(std::chrono::duration<double> time) {
  const double whole = std::floor(time.count());
  google::protobuf::Duration message;
  message.set_seconds(static_cast<int64_t>(whole));
  message.set_nanos(static_cast<int32_t>((time.count() - whole) * 1e9));
  return message;
}

inline std::chrono::duration<double> FromProto(const google::protobuf::Duration& message) {
  return std::chrono::duration<double>(static_cast<double>(message.seconds()) +
                                       static_cast<double>(message.nanos()) * 1e-9);
}

}  // namespace nnseg

#endif  // NNSEG_PROTO_WIRE_DURATION_CODEC_H_
