#include "gateway/nginx/upstream_target.hpp"

#include <openssl/sha.h>

#include <cstring>
#include <map>
#include <new>

namespace gibbon::nginx {
namespace {

/// Connections may be shared only by services that would have opened the same one under the same name. 0: plain
/// HTTP/1.1. The security's digest changes with the content of certificates, so that nothing is reused that an earlier
/// one opened.
std::uint32_t intern_identity(const config::Service& service, const std::string& name,
                              const gateway::tls::UpstreamSecurity& security, bool tls, bool verify) {
  const bool grpc = service.protocol == "grpc" || service.protocol == "grpcs";
  if (!tls && !grpc) return 0;
  std::string key = service.protocol + '\n' + name + '\n';
  key += verify ? "verify\n" : "no verify\n";
  key += std::to_string(service.tls_verify_depth.value_or(UINT32_MAX)) + '\n' + security.digest;
  // One per worker process, on the event thread; identities are few and never taken back.
  static auto& interned = *new std::map<std::string, std::uint32_t>;
  return interned.emplace(std::move(key), static_cast<std::uint32_t>(interned.size() + 1)).first->second;
}

}  // namespace

UpstreamTarget::UpstreamTarget(const config::Service& service, const gateway::tls::UpstreamSecurity& security,
                               const MainConf& conf, std::shared_ptr<BalancedHost> host, Names names)
    : service_(service),
      security_(security),
      host_(std::move(host)),
      names_(names),
      tls_(service.protocol == "https" || service.protocol == "grpcs"),
      verify_(service.tls_verify.value_or(conf.tls_verify)),
      identity_(intern_identity(service, service.host, security, tls_, verify_)) {}

UpstreamTarget::~UpstreamTarget() {
  if (session_ != nullptr) SSL_SESSION_free(session_);
}

bool UpstreamTarget::prepare_handshake(SSL* ssl, std::string_view name) const noexcept {
  // Kong's depth is the number of certificates above the leaf, as OpenSSL's is.
  if (service_.tls_verify_depth) SSL_set_verify_depth(ssl, static_cast<int>(*service_.tls_verify_depth));
  if (security_.trust != nullptr && !security_.trust->use(ssl)) return false;
  if (security_.client != nullptr && !security_.client->use_first(ssl)) return false;
  if (session_ != nullptr && reuse_sessions_ && name == session_name_) SSL_set_session(ssl, session_);
  return true;
}

void UpstreamTarget::keep_session(SSL_SESSION* session, std::string_view name) noexcept {
  if (session == nullptr) return;
  try {
    session_name_ = name;
  } catch (const std::bad_alloc&) {
    return SSL_SESSION_free(session);
  }
  if (session_ != nullptr) SSL_SESSION_free(session_);
  session_ = session;
}

std::uint32_t UpstreamTarget::identity(const std::string& host_name) {
  if (!tls_ || host_name == service_.host) return identity_;
  const auto found = other_identities_.find(host_name);
  if (found != other_identities_.end()) return found->second;
  return other_identities_.emplace(host_name, intern_identity(service_, host_name, security_, tls_, verify_))
      .first->second;
}

PeerAddress UpstreamTarget::address(const gateway::Peer& peer, std::string_view tls_name) {
  PeerAddress made;
  sockaddr_storage storage;
  made.socklen = peer.address.to_sockaddr(peer.port, &storage);
  std::memcpy(made.bytes, &storage, made.socklen);
  const bool chosen = names_ == Names::kChosen;
  if (const std::uint32_t number = chosen ? identity_ : identity(peer.host_name); number != 0) {
    std::memcpy(made.bytes + made.socklen, &number, sizeof number);
    made.socklen += sizeof number;
  }
  if (tls_ && (chosen || tls_name != peer.host_name)) {
    // The client's choice (preserve_host), or a plugin's. Not interned: it could fill the memory with names.
    SHA256(reinterpret_cast<const unsigned char*>(tls_name.data()), tls_name.size(), made.bytes + made.socklen);
    made.socklen += SHA256_DIGEST_LENGTH;
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
    settings_->ssl_verify = verify_ ? 1 : 0;
    // nginx prepares a handshake only where it may reuse sessions; whether they are, this object decides.
    reuse_sessions_ = base.ssl_session_reuse != 0;
    settings_->ssl_session_reuse = 1;
#endif
  }
  return settings_.get();
}

}  // namespace gibbon::nginx
