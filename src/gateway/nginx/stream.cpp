#include "gateway/nginx/stream.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "gateway/balancer/hosts.hpp"

namespace gibbon::nginx {
namespace {

constexpr std::size_t kMostRead = 16 * 1024;

void ignore(ngx_event_t*) {}

using Kind = WaitError::Kind;

/// "[::1]" as "::1".
std::string_view without_brackets(std::string_view host) {
  return host.size() > 2 && host.front() == '[' && host.back() == ']' ? host.substr(1, host.size() - 2) : host;
}

/// The certificate is for that name, or address.
bool is_for(ngx_connection_t* connection, const std::string& name) {
  if (!gateway::Address::parse(name)) {
    ngx_str_t text = str(name);
    return ngx_ssl_check_host(connection, &text) == NGX_OK;
  }
  X509* certificate = SSL_get_peer_certificate(connection->ssl->connection);
  const std::string address(without_brackets(name));
  const bool matches = certificate != nullptr && X509_check_ip_asc(certificate, address.c_str(), 0) == 1;
  X509_free(certificate);
  return matches;
}

}  // namespace

Stream::Stream() {
  timer_.handler = on_timeout;
  end_.handler = on_end;
  for (ngx_event_t* event : {&timer_, &end_}) {
    event->data = this;
    event->log = ngx_cycle->log;
  }
  timer_.cancelable = 1;  // A worker that shuts down does not wait for it.
}

Stream::~Stream() { stop(); }

template <Stream::Step step>
void Stream::on_event(ngx_event_t* event) noexcept {
  (static_cast<Stream*>(static_cast<ngx_connection_t*>(event->data)->data)->*step)();
}

void Stream::on_timeout(ngx_event_t* event) noexcept {
  auto& self = *static_cast<Stream*>(event->data);
  self.fail(Kind::kTimeout, std::string(self.doing_) + " " + self.name_ + ": timeout after " + std::to_string(self.timeout_) + " ms");
}

void Stream::on_end(ngx_event_t* event) noexcept {
  auto& self = *static_cast<Stream*>(event->data);
  const Done done = std::move(self.done_);
  self.done_ = nullptr;
  done();  // The stream may be gone now.
}

void Stream::on_handshake(ngx_connection_t* connection) noexcept { static_cast<Stream*>(connection->data)->shaken(); }

void Stream::begin(const char* what, ngx_msec_t timeout, Done done) {
  if (busy()) throw std::logic_error("a socket can do one thing at a time");
  if (!is_open() && pool_ == nullptr) throw std::logic_error("the socket is closed");
  failure_.reset();
  doing_ = what;
  timeout_ = timeout;
  done_ = std::move(done);
  ngx_add_timer(&timer_, timeout);
}

void Stream::close() {
  if (timer_.timer_set) ngx_del_timer(&timer_);
  if (connection_ != nullptr) {
    if (connection_->ssl != nullptr) {
      connection_->ssl->no_wait_shutdown = 1;
      connection_->ssl->no_send_shutdown = 1;
      ngx_ssl_shutdown(connection_);
    }
    ngx_close_connection(connection_);
    connection_ = nullptr;
  }
  if (pool_ != nullptr) ngx_destroy_pool(pool_);
  pool_ = nullptr;
}

void Stream::stop() {
  close();
  if (end_.posted) {
    ngx_delete_posted_event(&end_);
  }
  done_ = nullptr;
}

void Stream::listen_to_nothing() { connection_->read->handler = connection_->write->handler = ignore; }

void Stream::finish() {
  if (timer_.timer_set) ngx_del_timer(&timer_);
  if (connection_ != nullptr) listen_to_nothing();
  if (!end_.posted) {
    ngx_post_event(&end_, &ngx_posted_events);
  }
}

void Stream::fail(Kind kind, std::string what) {
  failure_ = Failure{kind, std::move(what)};
  close();
  finish();
}

void Stream::wait_for(ngx_event_t* event, ngx_event_handler_pt handler) {
  event->handler = handler;
  const ngx_int_t rc = event->write ? ngx_handle_write_event(event, 0) : ngx_handle_read_event(event, 0);
  if (rc != NGX_OK) fail(Kind::kConnection, name_ + ": the socket cannot be waited for");
}

void Stream::open(const sockaddr_storage& address, socklen_t length, std::string name, ngx_msec_t timeout, Done done) {
  stop();
  name_ = std::move(name);
  pool_ = ngx_create_pool(1024, ngx_cycle->log);
  if (pool_ == nullptr) throw std::bad_alloc();
  begin("connecting to", timeout, std::move(done));
  connect(address, length);
}

void Stream::connect(const sockaddr_storage& address, socklen_t length) {
  ngx_str_t name = str(name_);
  sockaddr_storage to = address;
  ngx_peer_connection_t pc{};
  pc.sockaddr = reinterpret_cast<sockaddr*>(&to);
  pc.socklen = length;
  pc.name = &name;
  pc.get = ngx_event_get_peer;
  pc.log = ngx_cycle->log;
  pc.log_error = NGX_ERROR_INFO;  // The plugin says what it makes of it.
  const ngx_int_t rc = ngx_event_connect_peer(&pc);
  connection_ = pc.connection;
  if (rc != NGX_OK && rc != NGX_AGAIN) {
    const int error = ngx_errno;
    return fail(Kind::kConnection, "cannot connect to " + name_ + (error != 0 ? std::string(": ") + std::strerror(error) : ""));
  }
  connection_->data = this;
  connection_->pool = pool_;
  connection_->log = connection_->read->log = connection_->write->log = ngx_cycle->log;
  listen_to_nothing();
  if (rc == NGX_OK) return connected();
  wait_for(connection_->write, on_event<&Stream::connected>);
}

void Stream::connected() {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(connection_->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error != 0) return fail(Kind::kConnection, "cannot connect to " + name_ + ": " + std::strerror(error));
  const int on = 1;  // What is written is meant to go out: answers depend on it.
  setsockopt(connection_->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  finish();
}

void Stream::shake_hands(OutgoingTls& tls, std::string server_name, Verify verify, ngx_msec_t timeout, Done done) {
  begin("the TLS handshake with", timeout, std::move(done));
  server_name_ = std::move(server_name);
  verify_ = verify;
  if (ngx_ssl_create_connection(tls.context(), connection_, NGX_SSL_BUFFER | NGX_SSL_CLIENT) != NGX_OK)
    return fail(Kind::kTls, name_ + ": no TLS connection can be made");
  if (!server_name_.empty() && !gateway::Address::parse(server_name_))
    SSL_set_tlsext_host_name(connection_->ssl->connection, server_name_.c_str());
  const ngx_int_t rc = ngx_ssl_handshake(connection_);
  if (rc != NGX_AGAIN) return shaken();
  connection_->ssl->handler = on_handshake;
}

void Stream::shaken() {
  if (!connection_->ssl->handshaked) return fail(Kind::kTls, "the TLS handshake with " + name_ + " failed");
  if (verify_ == Verify::kChainAndName) {
    const long result = SSL_get_verify_result(connection_->ssl->connection);
    if (result != X509_V_OK)
      return fail(Kind::kTls, "the certificate of " + name_ + " is not trusted: " + X509_verify_cert_error_string(result));
    if (!is_for(connection_, server_name_))
      return fail(Kind::kTls, "the certificate of " + name_ + " is not for " + server_name_);
  }
  finish();
}

void Stream::write(std::string bytes, ngx_msec_t timeout, Done done) {
  begin("writing to", timeout, std::move(done));
  to_write_ = std::move(bytes);
  written_ = 0;
  go_on_writing();
}

void Stream::go_on_writing() {
  while (written_ < to_write_.size()) {
    auto* from = reinterpret_cast<u_char*>(to_write_.data()) + written_;
    const ssize_t n = connection_->send(connection_, from, to_write_.size() - written_);
    if (n == NGX_AGAIN) return wait_for(connection_->write, on_event<&Stream::go_on_writing>);
    if (n <= 0) return fail(Kind::kConnection, name_ + " has closed the connection");
    written_ += static_cast<std::size_t>(n);
  }
  finish();
}

void Stream::read(ngx_msec_t timeout, Done done) {
  begin("reading from", timeout, std::move(done));
  go_on_reading();
}

void Stream::go_on_reading() {
  received_.resize(kMostRead);
  const ssize_t n = connection_->recv(connection_, reinterpret_cast<u_char*>(received_.data()), kMostRead);
  received_.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  if (n == NGX_AGAIN) return wait_for(connection_->read, on_event<&Stream::go_on_reading>);
  if (n < 0) return fail(Kind::kConnection, name_ + " has reset the connection");
  finish();
}

void Stream::rest(ngx_msec_t idle, Done done) {
  begin("resting with", idle, std::move(done));
  connection_->idle = 1;  // A worker that shuts down tells it.
  disturbed();
}

/// What TLS says by itself is no disturbance.
void Stream::disturbed() {
  u_char byte = 0;
  if (!connection_->close && connection_->recv(connection_, &byte, 1) == NGX_AGAIN)
    return wait_for(connection_->read, on_event<&Stream::disturbed>);
  fail(Kind::kConnection, name_ + " has closed the connection");
}

bool Stream::wake() {
  if (!is_open() || !busy()) return false;
  if (timer_.timer_set) ngx_del_timer(&timer_);
  connection_->idle = 0;
  listen_to_nothing();
  done_ = nullptr;
  return true;
}

}  // namespace gibbon::nginx
