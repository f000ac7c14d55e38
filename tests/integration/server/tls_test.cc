#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "proto/wire/status_codec.h"
#include "server/server_config.h"
#include "tests/integration/server/server_fixture.h"
#include "tests/integration/server/test_certificates.h"
#include "tests/support/status_matchers.h"

namespace nnseg {
namespace {

using testing::HasSubstr;

class TlsTest : public ServerFixture {
 protected:
  TlsTest() { WriteIdentity(server_authority_.Issue()); }

  // Swaps the server's files as a secret store does: new files, then one rename each.
  void WriteIdentity(const KeyAndCertificate& identity) {
    Replace("tls.key", identity.key);
    Replace("tls.crt", identity.certificate);
  }

  void Replace(const std::string& name, const std::string& content) {
    const auto path = files_.path() / name;
    std::ofstream(path.string() + ".new") << content;
    std::filesystem::rename(path.string() + ".new", path);
  }

  std::string TlsConfigText(bool mutual) {
    if (mutual) Replace("ca.crt", client_authority_.certificate());
    const std::string folder = files_.path().string();
    return absl::StrCat("tls { certificate_file: '", folder, "/tls.crt' private_key_file: '",
                        folder, "/tls.key' reload_seconds: 1 ",
                        mutual ? absl::StrCat("client_ca_file: '", folder, "/ca.crt' ") : "", "}");
  }

  // Lists models over a new connection: did the handshake succeed?
  absl::Status Connect(const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    const auto models = pb::ModelService::NewStub(NewChannel(credentials));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    pb::ListModelsResponse response;
    return FromGrpcStatus(models->ListModels(&context, {}, &response));
  }

  static std::shared_ptr<grpc::ChannelCredentials> Trusting(const TestAuthority& authority,
                                                            const KeyAndCertificate& own = {}) {
    return grpc::SslCredentials({.pem_root_certs = authority.certificate(),
                                 .pem_private_key = own.key,
                                 .pem_cert_chain = own.certificate});
  }

  TemporaryFolder files_;
  TestAuthority server_authority_{"server authority"};
  TestAuthority client_authority_{"client authority"};
};

TEST_F(TlsTest, EncryptedSegmentWorks) {
  StartServer(TlsConfigText(/*mutual=*/false));
  UseChannel(NewChannel(Trusting(server_authority_)));
  NNSEG_EXPECT_OK(Segment().status);
}

TEST_F(TlsTest, PlainAndDistrustingClientsDoNotConnect) {
  StartServer(TlsConfigText(/*mutual=*/false));
  EXPECT_THAT(Connect(grpc::InsecureChannelCredentials()),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Connect(Trusting(client_authority_)), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(TlsTest, MutualTlsTakesOnlyCertificatesOfItsAuthority) {
  StartServer(TlsConfigText(/*mutual=*/true));
  NNSEG_EXPECT_OK(Connect(Trusting(server_authority_, client_authority_.Issue())));
  EXPECT_THAT(Connect(Trusting(server_authority_)), StatusIs(absl::StatusCode::kUnavailable));
  TestAuthority stranger("stranger");
  EXPECT_THAT(Connect(Trusting(server_authority_, stranger.Issue())),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(TlsTest, KeptVolumeBelongsToTheNameInTheClientsCertificate) {
  StartServer(TlsConfigText(/*mutual=*/true));
  const auto become = [&](const char* name) {
    UseChannel(NewChannel(Trusting(server_authority_, client_authority_.Issue(name))));
  };
  become("alice");
  const std::string id = UploadVolume();
  NNSEG_EXPECT_OK(SegmentKept(id).status);
  become("mallory");
  EXPECT_THAT(SegmentKept(id).status, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(ReleaseVolume(id), StatusIs(absl::StatusCode::kNotFound));
  become("alice");  // with a new certificate
  NNSEG_EXPECT_OK(SegmentKept(id).status);
  NNSEG_EXPECT_OK(ReleaseVolume(id));
}

TEST_F(TlsTest, NewCertificateIsServedWithoutARestart) {
  StartServer(TlsConfigText(/*mutual=*/false));
  NNSEG_ASSERT_OK(Connect(Trusting(server_authority_)));
  TestAuthority next("next authority");
  WriteIdentity(next.Issue());
  EXPECT_TRUE(WaitFor([&] { return Connect(Trusting(next)).ok(); }));
  EXPECT_THAT(Connect(Trusting(server_authority_)), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(TlsTest, BadFileKeepsTheOldCertificate) {
  StartServer(TlsConfigText(/*mutual=*/false));
  Replace("tls.crt", "half a certifi");
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  NNSEG_EXPECT_OK(Connect(Trusting(server_authority_)));
}

TEST_F(TlsTest, MissingFileIsNamedAtTheStart) {
  ServerConfig config;
  config.set_model_repository(folder_.path());
  config.set_listen("127.0.0.1:0");
  config.set_http("127.0.0.1:0");
  NNSEG_ASSERT_OK(MergeConfigText(TlsConfigText(/*mutual=*/false), config));
  config.mutable_tls()->set_private_key_file("missing.key");
  EXPECT_THAT(Server::Start(config, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tls.private_key_file")));
}

}  // namespace
}  // namespace nnseg
