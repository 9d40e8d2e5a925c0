#include "tests/unit/common/net/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdlib.h>

#include <cstdio>

namespace candor::net {

struct TestAuthority::Impl {
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
};

namespace {

X509* NewCertificate(EVP_PKEY* key, const char* subject, int serial, long seconds) {
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
  X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(subject), -1, -1, 0);
  return certificate;
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

TestAuthority::Files Save(const std::filesystem::path& directory, const std::string& name,
                          X509* certificate, EVP_PKEY* key) {
  TestAuthority::Files files{directory / (name + ".pem"), directory / (name + ".key")};
  std::FILE* file = std::fopen(files.certificate.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  file = std::fopen(files.key.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  return files;
}

}  // namespace

TestAuthority::TestAuthority() : impl_(std::make_unique<Impl>()) {
  std::string pattern = std::filesystem::temp_directory_path() / "candor-net-XXXXXX";
  directory_ = ::mkdtemp(pattern.data());
  impl_->key = EVP_EC_gen("P-256");
  impl_->certificate = NewCertificate(impl_->key, "Candor test authority", 1, 7200);
  X509* certificate = impl_->certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  AddExtension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate, impl_->key, EVP_sha256());
  ca_ = Save(directory_, "ca", certificate, impl_->key);
}

TestAuthority::~TestAuthority() {
  X509_free(impl_->certificate);
  EVP_PKEY_free(impl_->key);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

TestAuthority::Files TestAuthority::Issue(const std::string& names, long seconds) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = NewCertificate(key, "server", 2 + issued_, seconds);
  X509_set_issuer_name(certificate, X509_get_subject_name(impl_->certificate));
  AddExtension(certificate, impl_->certificate, NID_subject_alt_name, names);
  X509_sign(certificate, impl_->key, EVP_sha256());
  Files files = Save(directory_, "server" + std::to_string(issued_++), certificate, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

}  // namespace candor::net
