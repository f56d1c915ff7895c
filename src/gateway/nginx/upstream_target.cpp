#include "gateway/nginx/upstream_target.hpp"

#include <cstring>
#include <map>

namespace gibbon::nginx {
namespace {

/// Connections may be shared only by services that would have opened the same one. 0: plain HTTP/1.1.
std::uint32_t intern_identity(const config::Service& service, bool tls) {
  const bool grpc = service.protocol == "grpc" || service.protocol == "grpcs";
  if (!tls && !grpc) return 0;
  std::string key = service.protocol + '\n' + service.host + '\n' + service.client_certificate_id;
  key += service.tls_verify ? (*service.tls_verify ? "\nverify" : "\nno verify") : "\ndefault";
  key += '\n' + std::to_string(service.tls_verify_depth.value_or(0));
  for (const std::string& id : service.ca_certificates) key += '\n' + id;
  // One per worker process, on the event thread; identities are few and never taken back.
  static auto& interned = *new std::map<std::string, std::uint32_t>;
  return interned.emplace(std::move(key), static_cast<std::uint32_t>(interned.size() + 1)).first->second;
}

}  // namespace

UpstreamTarget::UpstreamTarget(config::Service service, std::shared_ptr<BalancedHost> host)
    : service_(std::move(service)),
      host_(std::move(host)),
      tls_(service_.protocol == "https" || service_.protocol == "grpcs"),
      identity_(intern_identity(service_, tls_)) {}

UpstreamTarget::~UpstreamTarget() {
  if (session_ != nullptr) SSL_SESSION_free(session_);
}

void UpstreamTarget::prepare_handshake(SSL* ssl) const {
  // Kong's depth is the number of certificates above the leaf, as OpenSSL's is.
  if (service_.tls_verify_depth) SSL_set_verify_depth(ssl, static_cast<int>(*service_.tls_verify_depth));
  if (session_ != nullptr) SSL_set_session(ssl, session_);
}

void UpstreamTarget::keep_session(SSL_SESSION* session) {
  if (session == nullptr) return;
  if (session_ != nullptr) SSL_SESSION_free(session_);
  session_ = session;
}

std::uint32_t UpstreamTarget::identity(const std::string& host_name) {
  if (!tls_ || host_name == service_.host) return identity_;
  const auto found = other_identities_.find(host_name);
  if (found != other_identities_.end()) return found->second;
  config::Service named = service_;
  named.host = host_name;
  return other_identities_.emplace(host_name, intern_identity(named, tls_)).first->second;
}

PeerAddress UpstreamTarget::address(const gateway::Peer& peer) {
  PeerAddress made;
  sockaddr_storage storage;
  made.socklen = peer.address.to_sockaddr(peer.port, &storage);
  std::memcpy(made.bytes, &storage, made.socklen);
  if (const std::uint32_t number = identity(peer.host_name); number != 0) {
    std::memcpy(made.bytes + made.socklen, &number, sizeof number);
    made.socklen += sizeof number;
  }
  return made;
}

ngx_http_upstream_conf_t* UpstreamTarget::settings(const ngx_http_upstream_conf_t& base) {
  if (settings_base_ != &base) {
    settings_ = std::make_unique<ngx_http_upstream_conf_t>(base);
    settings_base_ = &base;
    settings_->connect_timeout = service_.connect_timeout_ms;
    settings_->send_timeout = service_.write_timeout_ms;
    settings_->read_timeout = service_.read_timeout_ms;
#if (NGX_HTTP_SSL)
    settings_->ssl_verify = service_.tls_verify.value_or(false) ? 1 : 0;
#endif
  }
  return settings_.get();
}

}  // namespace gibbon::nginx
