#ifndef NNSEG_TESTS_INTEGRATION_SERVER_TEST_CERTIFICATES_H_
#define NNSEG_TESTS_INTEGRATION_SERVER_TEST_CERTIFICATES_H_

#include <memory>
#include <string>

namespace nnseg {

/// A key and its certificate, in PEM.
struct KeyAndCertificate {
  std::string key;
  std::string certificate;
};

/// A certificate authority made for one test.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);
  ~TestAuthority();

  const std::string& certificate() const { return certificate_; }
  /// A certificate of this authority with its own serial number, for a host named `name`.
  KeyAndCertificate Issue(const std::string& name = "localhost");

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::string certificate_;
};

}  // namespace nnseg

#endif  // NNSEG_TESTS_INTEGRATION_SERVER_TEST_CERTIFICATES_H_
