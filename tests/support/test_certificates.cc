#include "support/test_certificates.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>

namespace swarm {
namespace {

EVP_PKEY* NewKey() { return EVP_EC_gen("P-256"); }

void AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* NewCertificate(EVP_PKEY* key, std::string_view common_name, int serial, bool expired) {
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  constexpr long kHour = 3600;
  X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * kHour);
  X509_gmtime_adj(X509_getm_notAfter(certificate), expired ? -kHour : kHour);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
  return certificate;
}

}  // namespace

struct TestAuthority::State {
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
};

TestAuthority::TestAuthority(std::string_view common_name) : state_(new State) {
  std::string name = testing::TempDir() + "swarm-certificates-XXXXXX";
  directory_ = mkdtemp(name.data());
  state_->key = NewKey();
  state_->certificate = NewCertificate(state_->key, common_name, serial_++, false);
  X509_set_issuer_name(state_->certificate, X509_get_subject_name(state_->certificate));
  AddExtension(state_->certificate, state_->certificate, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(state_->certificate, state_->certificate, NID_key_usage,
               "critical,keyCertSign,cRLSign");
  X509_sign(state_->certificate, state_->key, EVP_sha256());
  ca_file_ = Write("ca.pem", "");
  std::FILE* file = std::fopen(ca_file_.c_str(), "w");
  PEM_write_X509(file, state_->certificate);
  std::fclose(file);
}

TestAuthority::~TestAuthority() {
  for (const std::string& path : written_) unlink(path.c_str());
  rmdir(directory_.c_str());
  X509_free(state_->certificate);
  EVP_PKEY_free(state_->key);
  delete state_;
}

TestAuthority::Files TestAuthority::Issue(std::string_view common_name,
                                          std::string_view alternative_names, bool expired) {
  EVP_PKEY* key = NewKey();
  X509* certificate = NewCertificate(key, common_name, serial_, expired);
  X509_set_issuer_name(certificate, X509_get_subject_name(state_->certificate));
  AddExtension(certificate, state_->certificate, NID_ext_key_usage, "serverAuth,clientAuth");
  if (!alternative_names.empty()) {
    AddExtension(certificate, state_->certificate, NID_subject_alt_name,
                 std::string(alternative_names));
  }
  X509_sign(certificate, state_->key, EVP_sha256());
  const std::string stem = std::to_string(serial_++);
  Files files{Write(stem + "-cert.pem", ""), Write(stem + "-key.pem", "")};
  std::FILE* file = std::fopen(files.certificate.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  file = std::fopen(files.key.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

std::string TestAuthority::Write(std::string_view name, std::string_view text) {
  const std::string path = directory_ + "/" + std::string(name);
  std::FILE* file = std::fopen(path.c_str(), "w");
  std::fwrite(text.data(), 1, text.size(), file);
  std::fclose(file);
  written_.push_back(path);
  return path;
}

TlsConfig TestAuthority::Config(const Files& files, bool verify) const {
  TlsConfig config;
  config.enabled = true;
  config.verify = verify;
  if (verify) config.ca_file = ca_file_;
  config.certificate_file = files.certificate;
  config.key_file = files.key;
  return config;
}

}  // namespace swarm
