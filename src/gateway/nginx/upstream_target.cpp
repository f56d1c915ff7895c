#include "gateway/nginx/upstream_target.hpp"

#include <arpa/inet.h>

#include <cstring>
#include <map>

#include "gateway/balancer/hosts.hpp"

namespace gibbon::nginx {
namespace {

/// How long an answer from the hosts file is used before the file is looked at again, in seconds.
constexpr time_t kHostsFileValid = 1;

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

/// Kept by the process; in a worker, on the event thread: files are looked at again at most once a second.
gateway::HostsFile& hosts_file_at(const std::string& path) {
  static auto& files = *new std::map<std::string, gateway::HostsFile>;
  return files.try_emplace(path, path).first->second;
}

const gateway::ResolverConfig& resolver_config(const std::string& path) {
  static auto& configs = *new std::map<std::string, gateway::ResolverConfig>;
  auto found = configs.find(path);
  if (found == configs.end()) found = configs.emplace(path, gateway::ResolverConfig::load(path)).first;
  return found->second;
}

std::string host_header(const config::Service& service, bool tls) {
  const bool ipv6 = service.host.find(':') != std::string::npos && service.host.front() != '[';
  std::string host = ipv6 ? '[' + service.host + ']' : service.host;
  if (service.port != (tls ? 443 : 80)) host += ':' + std::to_string(service.port);
  return host;
}

}  // namespace

void read_resolver_files(const std::string& hosts_file, const std::string& resolv_conf) {
  hosts_file_at(hosts_file).refresh();
  resolver_config(resolv_conf);
}

UpstreamTarget::UpstreamTarget(const config::Service& service, const std::string& hosts_file,
                               const std::string& resolv_conf)
    : service_(service),
      hosts_file_(hosts_file),
      tls_(service.protocol == "https" || service.protocol == "grpcs"),
      identity_(intern_identity(service, tls_)),
      host_header_(nginx::host_header(service, tls_)) {
  if (const auto literal = gateway::Address::parse(service.host)) {
    literal_ = true;
    addresses_ = new AddressSet;
    sockaddr_storage address;
    literal->to_sockaddr(service.port, &address);
    add(reinterpret_cast<sockaddr*>(&address), *addresses_);
  } else {
    names_ = resolver_config(resolv_conf).candidates(service.host);
  }
}

UpstreamTarget::~UpstreamTarget() {
  if (addresses_ != nullptr) addresses_->release();
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

void UpstreamTarget::add(const sockaddr* address, AddressSet& set) const {
  PeerAddress peer;
  socklen_t length = 0;
  char text[INET6_ADDRSTRLEN];
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    v4.sin_port = htons(service_.port);
    length = sizeof v4;
    std::memcpy(peer.bytes, &v4, length);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    peer.name = std::string(text) + ':' + std::to_string(service_.port);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof v6);
    v6.sin6_port = htons(service_.port);
    length = sizeof v6;
    std::memcpy(peer.bytes, &v6, length);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    peer.name = '[' + std::string(text) + "]:" + std::to_string(service_.port);
  } else {
    return;
  }
  if (identity_ != 0) {
    std::memcpy(peer.bytes + length, &identity_, sizeof identity_);
    length += sizeof identity_;
  }
  peer.socklen = length;
  set.peers.push_back(std::move(peer));
}

void UpstreamTarget::look_up_hosts(time_t now) {
  gateway::HostsFile& file = hosts_file_at(hosts_file_);
  static time_t refreshed = 0;
  if (refreshed != now) file.refresh();
  refreshed = now;
  const auto* found = file.find(service_.host);
  if (found == nullptr) return;
  auto* set = new AddressSet;
  for (const gateway::Address& known : *found) {
    sockaddr_storage address;
    known.to_sockaddr(service_.port, &address);
    add(reinterpret_cast<sockaddr*>(&address), *set);
  }
  if (addresses_ != nullptr) addresses_->release();
  addresses_ = set;
  valid_until_ = now + kHostsFileValid;
}

AddressSet* UpstreamTarget::acquire(time_t now) {
  if (!literal_ && now >= valid_until_) look_up_hosts(now);
  if (!literal_ && now >= valid_until_) return nullptr;
  ++addresses_->references;
  return addresses_;
}

AddressSet* UpstreamTarget::acquire_stale() {
  if (addresses_ != nullptr) ++addresses_->references;
  return addresses_;
}

void UpstreamTarget::set_addresses(const ngx_resolver_addr_t* addresses, ngx_uint_t count, time_t valid_until) {
  auto* set = new AddressSet;
  for (ngx_uint_t i = 0; i < count; ++i) add(addresses[i].sockaddr, *set);
  if (set->peers.empty()) return set->release();
  if (addresses_ != nullptr) addresses_->release();
  addresses_ = set;
  valid_until_ = valid_until;
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
