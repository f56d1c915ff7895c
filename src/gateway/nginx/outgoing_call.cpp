#include "gateway/nginx/outgoing_call.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

namespace gibbon::nginx {
namespace {

/// A status line longer than that is none.
constexpr std::size_t kMostStatusLine = 1024;

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

/// The certificate and those that follow it. False where the text holds none.
bool use_certificate(SSL_CTX* ctx, const std::string& pem, const std::string& key_pem) {
  const std::unique_ptr<BIO, BioFree> chain(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const std::unique_ptr<BIO, BioFree> secret(
      BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
  if (chain == nullptr || secret == nullptr) return false;
  X509* leaf = PEM_read_bio_X509_AUX(chain.get(), nullptr, nullptr, nullptr);
  bool ok = leaf != nullptr && SSL_CTX_use_certificate(ctx, leaf) == 1;
  X509_free(leaf);
  while (X509* next = ok ? PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr) : nullptr) {
    if (SSL_CTX_add0_chain_cert(ctx, next) == 1) continue;
    X509_free(next);
    ok = false;
  }
  EVP_PKEY* key = PEM_read_bio_PrivateKey(secret.get(), nullptr, nullptr, nullptr);
  ok = ok && key != nullptr && SSL_CTX_use_PrivateKey(ctx, key) == 1;
  EVP_PKEY_free(key);
  ERR_clear_error();
  return ok;
}

/// The number of "HTTP/1.1 200 OK"; 0 where the line is something else.
int status_of(std::string_view line) {
  if (!line.starts_with("HTTP/")) return 0;
  std::size_t at = 5;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < line.size() && line[at] >= '0' && line[at] <= '9') ++at;
    return line.substr(from, at - from);
  };
  if (digits().empty() || at >= line.size() || line[at] != '.') return 0;
  ++at;
  if (digits().empty()) return 0;
  const std::size_t blanks = at;
  while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
  const std::string_view status = blanks == at ? std::string_view() : digits();
  return status.empty() || status.size() > 4 ? 0 : std::stoi(std::string(status));
}

}  // namespace

std::unique_ptr<OutgoingTls> OutgoingTls::make(const std::string& trusted_file,
                                               const std::string& certificate, const std::string& key,
                                               ngx_log_t* log) {
  std::unique_ptr<OutgoingTls> tls(new OutgoingTls);
  tls->ssl_.log = log;
  const ngx_uint_t protocols = NGX_SSL_TLSv1 | NGX_SSL_TLSv1_1 | NGX_SSL_TLSv1_2 | NGX_SSL_TLSv1_3;
  if (ngx_ssl_create(&tls->ssl_, protocols, nullptr) != NGX_OK) return nullptr;
  if (!trusted_file.empty() &&
      SSL_CTX_load_verify_locations(tls->ssl_.ctx, trusted_file.c_str(), nullptr) != 1)
    ngx_ssl_error(NGX_LOG_ERR, log, 0, const_cast<char*>("cannot read the authorities in \"%s\""),
                  trusted_file.c_str());
  if (!certificate.empty() && !use_certificate(tls->ssl_.ctx, certificate, key))
    ngx_log_error(NGX_LOG_ERR, log, 0, "gibbon: a client certificate for health checks cannot be used");
  return tls;
}

OutgoingTls::~OutgoingTls() {
  if (ssl_.ctx != nullptr) SSL_CTX_free(ssl_.ctx);
}

OutgoingCall::OutgoingCall(Plan plan, Done done, ngx_log_t* log)
    : plan_(std::move(plan)), done_(std::move(done)), log_(log) {
  timer_.handler = on_timeout;
  end_.handler = on_end;
  for (ngx_event_t* event : {&timer_, &end_}) {
    event->data = this;
    event->log = log;
  }
  timer_.cancelable = 1;  // A worker that shuts down does not wait for it.
  begin();
}

OutgoingCall::~OutgoingCall() {
  close();
  if (end_.posted) {
    ngx_delete_posted_event(&end_);
  }
}

template <OutgoingCall::Step step>
void OutgoingCall::on_event(ngx_event_t* event) noexcept {
  auto* call = static_cast<OutgoingCall*>(static_cast<ngx_connection_t*>(event->data)->data);
  (call->*step)();
}

void OutgoingCall::on_timeout(ngx_event_t* event) noexcept {
  static_cast<OutgoingCall*>(event->data)->finish({Outcome::End::kTimedOut, 0, "no answer in time"});
}

void OutgoingCall::on_end(ngx_event_t* event) noexcept {
  auto& call = *static_cast<OutgoingCall*>(event->data);
  const Done done = std::move(call.done_);
  const Outcome outcome = std::move(call.outcome_);
  done(outcome);  // The call may be gone now.
}

void OutgoingCall::on_handshake(ngx_connection_t* connection) noexcept {
  static_cast<OutgoingCall*>(connection->data)->shaken();
}

void OutgoingCall::close() {
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

void OutgoingCall::finish(Outcome outcome) {
  if (finished_) return;
  finished_ = true;
  outcome_ = std::move(outcome);
  close();
  ngx_post_event(&end_, &ngx_posted_events);
}

void OutgoingCall::wait_for(ngx_event_t* event, ngx_event_handler_pt handler) {
  event->handler = handler;
  ngx_add_timer(&timer_, plan_.timeout_ms);
  const ngx_int_t rc = event->write ? ngx_handle_write_event(event, 0) : ngx_handle_read_event(event, 0);
  if (rc != NGX_OK) fail("the event cannot be waited for");
}

void OutgoingCall::begin() {
  pool_ = ngx_create_pool(1024, log_);
  if (pool_ == nullptr) return fail("no memory");
  name_ = str(plan_.name);
  ngx_peer_connection_t pc{};
  pc.sockaddr = reinterpret_cast<sockaddr*>(&plan_.address);
  pc.socklen = plan_.address_length;
  pc.name = &name_;
  pc.get = ngx_event_get_peer;
  pc.log = log_;
  pc.log_error =
      NGX_ERROR_INFO;  // A target that is down is no news each time; the caller says what it makes of it.
  const ngx_int_t rc = ngx_event_connect_peer(&pc);
  connection_ = pc.connection;
  if (rc != NGX_OK && rc != NGX_AGAIN) return fail("cannot connect");
  connection_->data = this;
  connection_->pool = pool_;
  connection_->log = log_;
  connection_->read->log = connection_->write->log = log_;
  connection_->read->handler = [](ngx_event_t*) {};
  if (rc == NGX_OK) return connected();
  wait_for(connection_->write, on_event<&OutgoingCall::connected>);
}

void OutgoingCall::connected() {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(connection_->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error != 0) return fail(std::string("cannot connect: ") + std::strerror(error));
  connection_->write->handler = [](ngx_event_t*) {};
  if (plan_.tls != nullptr && plan_.goal != Goal::kConnection) return start_handshake();
  if (plan_.goal != Goal::kStatus) return finish({Outcome::End::kReached, 0, {}});
  send();
}

void OutgoingCall::start_handshake() {
  if (ngx_ssl_create_connection(plan_.tls->context(), connection_, NGX_SSL_BUFFER | NGX_SSL_CLIENT) != NGX_OK)
    return fail("no TLS connection can be made");
  ngx_str_t name = str(plan_.server_name);
  const bool is_address =
      name.len == 0 || plan_.server_name.front() == '[' || ngx_inet_addr(name.data, name.len) != INADDR_NONE;
  if (!is_address) SSL_set_tlsext_host_name(connection_->ssl->connection, plan_.server_name.c_str());
  ngx_add_timer(&timer_, plan_.timeout_ms);
  if (ngx_ssl_handshake(connection_) != NGX_AGAIN) return shaken();
  connection_->ssl->handler = on_handshake;
}

void OutgoingCall::shaken() {
  if (!connection_->ssl->handshaked) return fail("the TLS handshake failed");
  if (plan_.verify == Verify::kChainAndName) {
    const long result = SSL_get_verify_result(connection_->ssl->connection);
    if (result != X509_V_OK)
      return fail(std::string("the certificate is not trusted: ") + X509_verify_cert_error_string(result));
    ngx_str_t name = str(plan_.server_name);
    if (ngx_ssl_check_host(connection_, &name) != NGX_OK) return fail("the certificate is for another name");
  }
  if (plan_.goal == Goal::kHandshake) return finish({Outcome::End::kReached, 0, {}});
  connection_->read->handler = [](ngx_event_t*) {};
  send();
}

void OutgoingCall::send() {
  while (sent_ < plan_.request.size()) {
    auto* from = reinterpret_cast<u_char*>(plan_.request.data()) + sent_;
    const ssize_t n = connection_->send(connection_, from, plan_.request.size() - sent_);
    if (n == NGX_AGAIN) return wait_for(connection_->write, on_event<&OutgoingCall::send>);
    if (n <= 0) return fail("the request cannot be sent");
    sent_ += static_cast<std::size_t>(n);
  }
  connection_->write->handler = [](ngx_event_t*) {};
  receive();
}

void OutgoingCall::receive() {
  for (;;) {
    u_char buffer[512];
    const ssize_t n = connection_->recv(connection_, buffer, sizeof buffer);
    if (n == NGX_AGAIN) return wait_for(connection_->read, on_event<&OutgoingCall::receive>);
    if (n <= 0) return fail("the connection was closed before an answer");
    line_.append(reinterpret_cast<char*>(buffer), static_cast<std::size_t>(n));
    const std::size_t end = line_.find('\n');
    if (end == std::string::npos && line_.size() < kMostStatusLine) continue;
    return finish({Outcome::End::kReached, status_of(std::string_view(line_).substr(0, end)), {}});
  }
}

}  // namespace gibbon::nginx
