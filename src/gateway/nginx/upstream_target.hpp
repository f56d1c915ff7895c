#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/entities.hpp"
#include "gateway/nginx/ngx.hpp"

namespace gibbon::nginx {

/// One address of an upstream, ready for nginx.
///
/// nginx's keep-alive pool compares `socklen` bytes of the address and nothing else: a connection that was opened
/// for one service would be used for another at the same address, its TLS identity unchecked. An interned number
/// behind the socket address, counted in `socklen`, keeps identities apart; the kernel ignores what follows the
/// address itself.
struct PeerAddress {
  alignas(8) unsigned char bytes[sizeof(sockaddr_in6) + sizeof(std::uint32_t)];
  socklen_t socklen = 0;
  std::string name;  ///< "address:port"
  [[nodiscard]] sockaddr* address() { return reinterpret_cast<sockaddr*>(bytes); }
};

/// The addresses that a name had at one moment. Counted, since requests outlive a new answer. Event thread.
struct AddressSet {
  std::vector<PeerAddress> peers;
  std::size_t references = 1;
  void release() { if (--references == 0) delete this; }
};

/// Reads both files. The master calls it before it forks, since workers may not be allowed to.
void read_resolver_files(const std::string& hosts_file, const std::string& resolv_conf);

/// What the nginx side keeps for a service, from its first request to the end of its generation.
/// Threads: the event thread; the destructor runs on the loader's thread, when no request is left.
class UpstreamTarget {
 public:
  UpstreamTarget(const config::Service& service, const std::string& hosts_file, const std::string& resolv_conf);
  ~UpstreamTarget();
  UpstreamTarget(const UpstreamTarget&) = delete;
  UpstreamTarget& operator=(const UpstreamTarget&) = delete;

  /// The addresses, with a reference for the caller; null while they are not known or no longer valid.
  AddressSet* acquire(time_t now);
  /// The last known addresses, however old: better than none while a resolver is down.
  AddressSet* acquire_stale();
  /// Uses the last known addresses until then, without asking again.
  void keep_stale(time_t until) { valid_until_ = until; }
  /// Takes over what a resolver answered. `valid_until` in seconds since the epoch.
  void set_addresses(const ngx_resolver_addr_t* addresses, ngx_uint_t count, time_t valid_until);

  /// The names to ask a resolver for, in this order (search domains).
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool tls() const { return tls_; }
  /// Where a request begins in the address list: round robin.
  std::size_t next_start() { return turn_++; }
  /// "host" or "host:port", as the Host header is sent.
  [[nodiscard]] const std::string& host_header() const { return host_header_; }

  /// Before a TLS handshake with the service: its verification depth, and the session of the last one.
  void prepare_handshake(SSL* ssl) const;
  /// After one: keeps its session for the next. Takes over the reference; null is nothing.
  void keep_session(SSL_SESSION* session);

  /// nginx's upstream settings with this service's timeouts and TLS checks; `base` is the location's own.
  ngx_http_upstream_conf_t* settings(const ngx_http_upstream_conf_t& base);

 private:
  void add(const sockaddr* address, AddressSet& set) const;
  void look_up_hosts(time_t now);

  const config::Service& service_;
  std::string hosts_file_;
  bool tls_;
  std::uint32_t identity_;
  std::string host_header_;
  std::vector<std::string> names_;
  AddressSet* addresses_ = nullptr;
  bool literal_ = false;
  time_t valid_until_ = 0;
  std::size_t turn_ = 0;
  SSL_SESSION* session_ = nullptr;
  const ngx_http_upstream_conf_t* settings_base_ = nullptr;
  std::unique_ptr<ngx_http_upstream_conf_t> settings_;
};

}  // namespace gibbon::nginx
