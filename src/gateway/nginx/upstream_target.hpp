#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/entities.hpp"
#include "gateway/balancer/peer.hpp"
#include "gateway/nginx/conf.hpp"
#include "gateway/nginx/ngx.hpp"
#include "gateway/nginx/upstreams.hpp"
#include "gateway/tls/certificates.hpp"

namespace gibbon::nginx {

/// One address of an upstream, ready for nginx.
///
/// nginx's keep-alive pool compares `socklen` bytes of the address and nothing else: a connection that was opened
/// for one service would be used for another at the same address, its TLS identity unchecked. An interned number
/// behind the socket address, counted in `socklen`, keeps identities apart; the kernel ignores what follows the
/// address itself. Where a client or a plugin chooses the name for TLS, the name's digest follows too.
struct PeerAddress {
  /// nginx has room for a path (sockaddr_un) where it keeps them: 110 bytes.
  alignas(8) unsigned char bytes[sizeof(sockaddr_in6) + sizeof(std::uint32_t) + 32];
  socklen_t socklen = 0;
};

/// What the nginx side keeps for a service, from its first request to the end of its generation.
/// Threads: the event thread; the destructor runs on the loader's thread, when no request is left.
class UpstreamTarget {
 public:
  /// Who says what its peers are called. Configured names are few, and each is kept for good; of those that requests
  /// choose there may be any number.
  enum class Names { kConfigured, kChosen };
  /// `service` and `security` must outlive its last use: they are of the same generation.
  UpstreamTarget(const config::Service& service, const gateway::tls::UpstreamSecurity& security, const MainConf& conf,
                 std::shared_ptr<BalancedHost> host, Names names);
  ~UpstreamTarget();
  UpstreamTarget(const UpstreamTarget&) = delete;
  UpstreamTarget& operator=(const UpstreamTarget&) = delete;

  [[nodiscard]] BalancedHost& host() const { return *host_; }
  /// A peer's address as a request to this service uses it, where TLS is spoken under `tls_name`.
  PeerAddress address(const gateway::Peer& peer, std::string_view tls_name);
  /// "host" or "host:port", as the Host header is sent to a peer. Lives as long as the peer.
  [[nodiscard]] const std::string& host_header(const gateway::Peer& peer) const {
    return peer.port == (tls_ ? 443 : 80) ? peer.host_name : peer.host_and_port;
  }
  [[nodiscard]] bool tls() const { return tls_; }

  /// Before a TLS handshake with the service under `name`: its client certificate, what it trusts and how deep, and
  /// the session of the last one, where that was under the same name. False: the handshake must not be begun.
  [[nodiscard]] bool prepare_handshake(SSL* ssl, std::string_view name) const noexcept;
  /// After one: keeps its session for the next. Takes over the reference; null is nothing.
  void keep_session(SSL_SESSION* session, std::string_view name) noexcept;

  /// nginx's upstream settings with this service's timeouts and TLS checks; `base` is the location's own.
  ngx_http_upstream_conf_t* settings(const ngx_http_upstream_conf_t& base);

 private:
  std::uint32_t identity(const std::string& host_name);

  const config::Service& service_;
  const gateway::tls::UpstreamSecurity& security_;
  std::shared_ptr<BalancedHost> host_;
  Names names_;
  bool tls_, verify_;
  bool reuse_sessions_ = true;
  std::uint32_t identity_;
  std::map<std::string, std::uint32_t> other_identities_;  ///< By name, of an upstream's targets.
  SSL_SESSION* session_ = nullptr;
  std::string session_name_;  ///< Under which the session was made: it stands for what was verified then.
  const ngx_http_upstream_conf_t* settings_base_ = nullptr;
  std::unique_ptr<ngx_http_upstream_conf_t> settings_;
};

}  // namespace gibbon::nginx
