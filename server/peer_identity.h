#ifndef NNSEG_SERVER_PEER_IDENTITY_H_
#define NNSEG_SERVER_PEER_IDENTITY_H_

#include <grpcpp/security/auth_context.h>

#include <string>

namespace nnseg {

/// Whom the client's certificate names: its subject alternative names, or else its common name, or
/// else the certificate itself. Empty for a client without a certificate. Equal for the
/// certificates that one client renews.
std::string PeerIdentity(const grpc::AuthContext& peer);

}  // namespace nnseg

#endif  // NNSEG_SERVER_PEER_IDENTITY_H_
