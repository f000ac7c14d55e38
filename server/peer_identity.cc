#include "server/peer_identity.h"

#include <grpc/grpc_security_constants.h>

#include "absl/strings/str_cat.h"

namespace nnseg {

std::string PeerIdentity(const grpc::AuthContext& peer) {
  std::vector<grpc::string_ref> names = peer.GetPeerIdentity();
  if (names.empty()) names = peer.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (names.empty()) return {};
  // With lengths, so that no two lists of names come to one text.
  std::string identity = peer.GetPeerIdentityPropertyName();
  for (const grpc::string_ref& name : names) {
    absl::StrAppend(&identity, "/", name.size(), ":");
    identity.append(name.data(), name.size());
  }
  return identity;
}

}  // namespace nnseg
