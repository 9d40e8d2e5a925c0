#include "common/net/byte_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace candor::net {

// What a BIO of ours points to. OpenSSL's own socket BIO writes without MSG_NOSIGNAL, and a peer
// that resets would end the process by SIGPIPE.
struct ByteStream::Tls {
  SSL* ssl = nullptr;
  bool client = false;
  std::shared_ptr<TlsSession> session;
};

void ByteStream::TlsDeleter::operator()(Tls* tls) const {
  SSL_free(tls->ssl);
  delete tls;
}

namespace {

struct BioTarget {
  int fd;
  std::uint64_t* bytes_written;
};

int BioWrite(BIO* bio, const char* data, int size) {
  auto* target = static_cast<BioTarget*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t n = ::send(target->fd, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (n > 0) *target->bytes_written += static_cast<std::uint64_t>(n);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int BioRead(BIO* bio, char* data, int size) {
  auto* target = static_cast<BioTarget*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t n = ::recv(target->fd, data, static_cast<std::size_t>(size), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(n);
}

long BioControl(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_EOF:
      return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    default:
      return 0;
  }
}

int BioDestroy(BIO* bio) {
  delete static_cast<BioTarget*>(BIO_get_data(bio));
  BIO_set_data(bio, nullptr);
  return 1;
}

BIO_METHOD* SocketMethod() {
  // Lives as long as the process.
  static BIO_METHOD* method = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "candor socket");
    BIO_meth_set_write(m, BioWrite);
    BIO_meth_set_read(m, BioRead);
    BIO_meth_set_ctrl(m, BioControl);
    BIO_meth_set_destroy(m, BioDestroy);
    return m;
  }();
  return method;
}

bool IsIpAddress(const std::string& host) {
  unsigned char buffer[16];
  return inet_pton(AF_INET, host.c_str(), buffer) == 1 ||
         inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

}  // namespace

void ByteStream::Prepare() {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
}

void ByteStream::StartTls(SSL_CTX* context, const std::string& host,
                          std::shared_ptr<TlsSession> session) {
  tls_.reset(new Tls);
  tls_->client = !host.empty();
  tls_->session = std::move(session);
  tls_->ssl = SSL_new(context);
  BIO* bio = BIO_new(SocketMethod());
  BIO_set_data(bio, new BioTarget{socket_.native_handle(), &bytes_written_});
  BIO_set_init(bio, 1);
  SSL_set_bio(tls_->ssl, bio, bio);
  if (!tls_->client) {
    SSL_set_accept_state(tls_->ssl);
    return;
  }
  SSL_set_connect_state(tls_->ssl);
  X509_VERIFY_PARAM* parameters = SSL_get0_param(tls_->ssl);
  if (IsIpAddress(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str());
  } else {
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(tls_->ssl, host.c_str());
    SSL_set_tlsext_host_name(tls_->ssl, host.c_str());
  }
  if (tls_->session != nullptr) tls_->session->Attach(tls_->ssl);
}

bool ByteStream::resumed() const { return tls_ != nullptr && SSL_session_reused(tls_->ssl) == 1; }

IoResult ByteStream::Handshake() {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_do_handshake(tls_->ssl);
  if (result == 1) {
    if (tls_->session != nullptr) tls_->session->Finished(tls_->ssl);
    return {IoStatus::kOk};
  }
  IoResult status = FromTls(result, "handshake");
  const bool failed = status.status == IoStatus::kEof || status.status == IoStatus::kError;
  if (failed && tls_->session != nullptr) tls_->session->Failed();
  if (status.status == IoStatus::kEof) {
    error_ = "the peer closed the connection during the handshake";
    return {IoStatus::kError};
  }
  const long verified = SSL_get_verify_result(tls_->ssl);
  if (status.status == IoStatus::kError && tls_->client && verified != X509_V_OK) {
    error_ = X509_verify_cert_error_string(verified);
  }
  return status;
}

IoResult ByteStream::Read(char* data, std::size_t size) {
  if (tls_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    const int n = SSL_read(tls_->ssl, data, static_cast<int>(size));
    if (n > 0) return {IoStatus::kOk, static_cast<std::size_t>(n)};
    const IoResult result = FromTls(n, "read");
    // Session tickets make OpenSSL set up a buffer for writing as well, which would wait with us.
    if (result.status == IoStatus::kWantRead) SSL_free_buffers(tls_->ssl);
    return result;
  }
  const ssize_t n = ::recv(socket_.native_handle(), data, size, 0);
  if (n > 0) return {IoStatus::kOk, static_cast<std::size_t>(n)};
  if (n == 0) return {IoStatus::kEof};
  if (errno == EAGAIN || errno == EINTR) return {IoStatus::kWantRead};
  return FromErrno("read");
}

IoResult ByteStream::Write(std::string_view first, std::string_view second) {
  if (tls_ != nullptr) {
    const std::string_view part = first.empty() ? second : first;
    ERR_clear_error();
    errno = 0;
    const int n = SSL_write(tls_->ssl, part.data(), static_cast<int>(part.size()));
    if (n > 0) return {IoStatus::kOk, static_cast<std::size_t>(n)};
    return FromTls(n, "write");
  }
  // sendmsg only reads what the pieces point to.
  iovec pieces[2] = {{const_cast<char*>(first.data()), first.size()},
                     {const_cast<char*>(second.data()), second.size()}};
  msghdr message{};
  message.msg_iov = first.empty() ? pieces + 1 : pieces;
  message.msg_iovlen = first.empty() || second.empty() ? 1 : 2;
  const ssize_t n = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
  if (n >= 0) {
    bytes_written_ += static_cast<std::uint64_t>(n);
    return {IoStatus::kOk, static_cast<std::size_t>(n)};
  }
  if (errno == EAGAIN || errno == EINTR) return {IoStatus::kWantWrite};
  return FromErrno("write");
}

bool ByteStream::HasBuffered() const { return tls_ != nullptr && SSL_has_pending(tls_->ssl) == 1; }

IoResult ByteStream::Peek() {
  char byte;
  if (tls_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    const int n = SSL_peek(tls_->ssl, &byte, 1);
    if (n > 0) return {IoStatus::kOk, 1};
    return FromTls(n, "read");
  }
  const ssize_t n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n > 0) return {IoStatus::kOk, 1};
  if (n == 0) return {IoStatus::kEof};
  if (errno == EAGAIN || errno == EINTR) return {IoStatus::kWantRead};
  return FromErrno("read");
}

std::uint64_t ByteStream::bytes_written() const { return bytes_written_; }

void ByteStream::Close() {
  if (tls_ != nullptr && socket_.is_open()) {
    // Says goodbye without waiting for the peer's; a second attempt is not worth a wait.
    ERR_clear_error();
    SSL_shutdown(tls_->ssl);
    ERR_clear_error();
  }
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void ByteStream::Abort() {
  boost::system::error_code ignored;
  socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

IoResult ByteStream::FromErrno(std::string_view what) {
  const int error = errno;
  error_ = std::string(what) + ": " + std::generic_category().message(error);
  return {IoStatus::kError};
}

IoResult ByteStream::FromTls(int result, std::string_view what) {
  const int system_error = errno;
  switch (SSL_get_error(tls_->ssl, result)) {
    case SSL_ERROR_WANT_READ:
      return {IoStatus::kWantRead};
    case SSL_ERROR_WANT_WRITE:
      return {IoStatus::kWantWrite};
    case SSL_ERROR_ZERO_RETURN:
      return {IoStatus::kEof};
    case SSL_ERROR_SYSCALL:
      if (system_error != 0) {
        errno = system_error;
        return FromErrno(what);
      }
      [[fallthrough]];
    default:
      error_ = std::string(what) + ": " + TakeTlsError("the connection broke");
      return {IoStatus::kError};
  }
}

}  // namespace candor::net
