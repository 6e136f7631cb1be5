#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "net/address.h"
#include "swarmlib/status.h"

namespace swarm::net {
namespace {

using FileHandle = Handle<std::FILE, std::fclose>;
using CertificateHandle = Handle<X509, X509_free>;
using KeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;

constexpr unsigned char kSessionIdContext[] = "swarm";

absl::StatusOr<FileHandle> OpenFile(std::string_view flag, const std::string& path) {
  FileHandle file(std::fopen(path.c_str(), "re"));
  if (!file) {
    return InvalidArgument(std::string(flag) + " " + path + ": " + std::strerror(errno));
  }
  return file;
}

absl::StatusOr<CertificateHandle> ReadCertificate(std::string_view flag, const std::string& path) {
  absl::StatusOr<FileHandle> file = OpenFile(flag, path);
  if (!file.ok()) return file.status();
  CertificateHandle certificate(PEM_read_X509(file->get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!certificate)
    return InvalidArgument(std::string(flag) + " " + path + ": holds no certificate in PEM form");
  return certificate;
}

int NoPassphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

absl::StatusOr<KeyHandle> ReadKey(const std::string& path) {
  absl::StatusOr<FileHandle> file = OpenFile("--tlskey", path);
  if (!file.ok()) return file.status();
  bool encrypted = false;
  KeyHandle key(PEM_read_PrivateKey(file->get(), nullptr, NoPassphrase, &encrypted));
  ERR_clear_error();
  if (encrypted) {
    return InvalidArgument("--tlskey " + path + ": is encrypted; give a key without a passphrase");
  }
  if (!key) return InvalidArgument("--tlskey " + path + ": holds no private key in PEM form");
  return key;
}

std::string FirstReason() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "unknown error";
}

// Whether a certificate has alternative names, of that kind or of any.
bool HasAlternativeNames(const X509* certificate, std::optional<int> kind) {
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  bool found = names != nullptr && !kind;
  for (int i = 0; kind && i < sk_GENERAL_NAME_num(names); ++i)
    found = found || sk_GENERAL_NAME_value(names, i)->type == *kind;
  GENERAL_NAMES_free(names);
  return found;
}

// Tells a certificate without names from one with others, for ExplainVerification.
int NoteMissingNames(int verified, X509_STORE_CTX* store) {
  if (verified == 1) return 1;
  const int error = X509_STORE_CTX_get_error(store);
  const bool is_ip = error == X509_V_ERR_IP_ADDRESS_MISMATCH;
  if (!is_ip && error != X509_V_ERR_HOSTNAME_MISMATCH) return 0;
  const std::optional<int> kind = is_ip ? std::optional<int>(GEN_IPADD) : std::nullopt;
  if (!HasAlternativeNames(X509_STORE_CTX_get0_cert(store), kind))
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

absl::StatusOr<Handle<SSL_CTX, SSL_CTX_free>> MakeContext(const TlsConfig& config, bool is_server) {
  if (absl::Status status = CheckTls(config); !status.ok()) return status;
  ERR_clear_error();
  Handle<SSL_CTX, SSL_CTX_free> context(
      SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method()));
  if (!context) return Internal("cannot make a TLS context: " + FirstReason());
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // What clients send may be credentials.
  if (is_server) SSL_CTX_set_options(raw, SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(raw, config.certificate_file.c_str()) != 1) {
    return InvalidArgument("--tlscert " + config.certificate_file +
                           ": cannot be used: " + FirstReason());
  }
  if (SSL_CTX_use_PrivateKey_file(raw, config.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return InvalidArgument("--tlskey " + config.key_file + ": cannot be used: " + FirstReason());
  }
  if (!config.verify) return context;
  if (SSL_CTX_load_verify_file(raw, config.ca_file.c_str()) != 1) {
    return InvalidArgument("--tlscacert " + config.ca_file + ": cannot be used: " + FirstReason());
  }
  if (is_server) {
    SSL_CTX_set_client_CA_list(raw, SSL_load_client_CA_file(config.ca_file.c_str()));
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  } else {
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, NoteMissingNames);
  }
  return context;
}

std::string ExplainMissingNames(std::string_view host) {
  const std::string remedy = "; make one with that name or address as subject alternative name";
  if (!IsNumericHost(host))
    return "its certificate relies on legacy Common Name field, use SANs instead" + remedy;
  return "cannot validate certificate for " + std::string(host) +
         " because it doesn't contain any IP SANs" + remedy;
}

std::string ExplainVerification(long result, bool is_server, std::string_view host) {
  switch (result) {
    case X509_V_ERR_APPLICATION_VERIFICATION: return ExplainMissingNames(host);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "its certificate is not signed by the CA of --tlscacert";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "its certificate does not name " + std::string(host) +
             "; make one with that name or address as subject alternative name";
    case X509_V_ERR_CERT_HAS_EXPIRED: return "its certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is not valid yet; are the clocks right?";
    case X509_V_ERR_INVALID_PURPOSE:
      return is_server ? "its certificate is not made for clients (extended key usage clientAuth)"
                       : "its certificate is not made for servers (extended key usage serverAuth)";
    default:
      return std::string("its certificate is refused: ") + X509_verify_cert_error_string(result);
  }
}

}  // namespace

SslContext::SslContext(bool is_server, bool verify, Handle<SSL_CTX, SSL_CTX_free> context)
    : verify_(verify), context_(std::move(context)) {
  if (is_server) {
    SSL_CTX_set_session_id_context(context_.get(), kSessionIdContext, sizeof kSessionIdContext - 1);
  } else {
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  }
}

void SslContext::KeepSession(const std::string& endpoint, SSL_SESSION* session) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (sessions_.size() >= kMaxSessions) sessions_.erase(sessions_.begin());
  sessions_[endpoint].reset(session);
}

void SslContext::Resume(const std::string& endpoint, SSL* ssl) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto found = sessions_.find(endpoint); found != sessions_.end()) {
    SSL_set_session(ssl, found->second.get());
  }
}

absl::Status CheckTls(const TlsConfig& config) {
  if (!config.enabled && !config.verify) {
    if (config.ca_file.empty() && config.certificate_file.empty() && config.key_file.empty()) {
      return absl::OkStatus();
    }
    return InvalidArgument(
        "--tlscacert, --tlscert and --tlskey do nothing alone; add --tls or --tlsverify");
  }
  const std::string mode = config.verify ? "--tlsverify" : "--tls";
  if (config.certificate_file.empty()) {
    return InvalidArgument(mode + " needs a certificate; add --tlscert FILE");
  }
  if (config.key_file.empty())
    return InvalidArgument(mode + " needs a private key; add --tlskey FILE");
  if (config.verify && config.ca_file.empty()) {
    return InvalidArgument("--tlsverify needs the CA's certificate; add --tlscacert FILE");
  }
  const absl::StatusOr<CertificateHandle> certificate =
      ReadCertificate("--tlscert", config.certificate_file);
  if (!certificate.ok()) return certificate.status();
  const absl::StatusOr<KeyHandle> key = ReadKey(config.key_file);
  if (!key.ok()) return key.status();
  if (X509_check_private_key(certificate->get(), key->get()) != 1) {
    ERR_clear_error();
    return InvalidArgument("--tlskey " + config.key_file +
                           " does not belong to the certificate --tlscert " +
                           config.certificate_file);
  }
  if (config.ca_file.empty()) return absl::OkStatus();
  return ReadCertificate("--tlscacert", config.ca_file).status();
}

absl::StatusOr<std::shared_ptr<TlsContext>> MakeServerContext(const TlsConfig& config) {
  auto context = MakeContext(config, true);
  if (!context.ok()) return context.status();
  return std::make_shared<SslContext>(true, config.verify, *std::move(context));
}

absl::StatusOr<std::shared_ptr<TlsContext>> MakeClientContext(const TlsConfig& config) {
  auto context = MakeContext(config, false);
  if (!context.ok()) return context.status();
  return std::make_shared<SslContext>(false, config.verify, *std::move(context));
}

std::string ExplainTls(SSL* ssl, int code, bool is_server, std::string_view host) {
  const int system_error = errno;
  const unsigned long error = ERR_peek_last_error();
  const int reason = ERR_GET_REASON(error);
  const char* text = ERR_reason_error_string(error);
  const std::string words = text != nullptr ? text : "unknown error";
  ERR_clear_error();
  if (code == SSL_ERROR_SYSCALL && error == 0) {
    return system_error != 0 ? std::strerror(system_error) : "the connection ended";
  }
  const std::string other = is_server ? "it" : "the engine";
  switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return ExplainVerification(SSL_get_verify_result(ssl), is_server, host);
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "it showed no certificate; with --tlsverify clients must show one of the CA";
    case SSL_R_HTTP_REQUEST: return "it speaks plain HTTP on a TLS port";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
      return other + " does not speak TLS here" +
             (is_server ? ""
                        : " (plain HTTP?); drop --tls and --tlsverify, or give the engine TLS");
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_VERSION_TOO_LOW: return other + " speaks no TLS 1.2 or later";
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return "the connection ended without the end of its TLS session";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return other + " refused our certificate (--tlscert): " + words;
    default: return "TLS: " + words;
  }
}

}  // namespace swarm::net
