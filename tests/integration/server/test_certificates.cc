#include "tests/integration/server/test_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/base/check.h"

namespace nnseg {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

template <typename Write>
std::string Pem(Write write) {
  const std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_mem()));
  NNSEG_CHECK(write(bio.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string ToPem(X509* certificate) {
  return Pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

void AddExtension(X509* certificate, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Free> extension(
      X509V3_EXT_conf_nid(nullptr, &context, id, value));
  NNSEG_CHECK(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

Certificate MakeCertificate(EVP_PKEY* key, const std::string& name, long serial, bool authority) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24 * 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  AddExtension(certificate.get(), NID_basic_constraints,
               authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (!authority) AddExtension(certificate.get(), NID_subject_alt_name, ("DNS:" + name).c_str());
  return certificate;
}

}  // namespace

struct TestAuthority::State {
  Key key;
  Certificate certificate;
  long last_serial = 1;
};

TestAuthority::TestAuthority(const std::string& name) : state_(std::make_unique<State>()) {
  state_->key.reset(EVP_EC_gen("P-256"));
  state_->certificate = MakeCertificate(state_->key.get(), name, 1, /*authority=*/true);
  X509* const own = state_->certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  NNSEG_CHECK(X509_sign(own, state_->key.get(), EVP_sha256()) > 0);
  certificate_ = ToPem(own);
}

TestAuthority::~TestAuthority() = default;

KeyAndCertificate TestAuthority::Issue(const std::string& name) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate =
      MakeCertificate(key.get(), name, ++state_->last_serial, /*authority=*/false);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(state_->certificate.get()));
  NNSEG_CHECK(X509_sign(certificate.get(), state_->key.get(), EVP_sha256()) > 0);
  return {Pem([&](BIO* bio) {
            return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          }),
          ToPem(certificate.get())};
}

}  // namespace nnseg
