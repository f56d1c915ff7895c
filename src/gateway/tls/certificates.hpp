#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "config/snapshot.hpp"
#include "gateway/tls/certificate.hpp"
#include "gateway/tls/trust_store.hpp"

/// One generation's certificates, trust stores and server names, parsed before its first handshake.
namespace gibbon::gateway::tls {

/// What was parsed for the generations that still live, found by its content: one whose entity did not change
/// is not parsed again. Threads: one at a time (the loader's).
class Cache {
 public:
  Result<std::shared_ptr<const Certificate>> certificate(const config::Certificate& entity);
  Result<std::shared_ptr<const TrustStore>> trust_store(
      std::span<const config::CaCertificate* const> authorities);
  /// Forgets what no generation has any more.
  void prune();
  [[nodiscard]] std::size_t size() const { return certificates_.size() + trust_stores_.size(); }

 private:
  std::unordered_map<std::string, std::weak_ptr<const Certificate>> certificates_;
  std::unordered_map<std::string, std::weak_ptr<const TrustStore>> trust_stores_;
};

/// How a service's connections are secured, beyond its own fields. Empty for services without TLS.
struct UpstreamSecurity {
  std::shared_ptr<const Certificate> client;  ///< Null: the gateway's own client certificate, or none.
  std::shared_ptr<const TrustStore> trust;    ///< Null: the gateway's authorities.
  /// Changes whenever a text behind the two does; part of what connections are told apart by.
  std::string digest;
};

/// Immutable; threads: any.
class Certificates {
 public:
  /// What cannot be used is left out, with a line in `problems`. A service whose authorities cannot be used
  /// trusts nobody, rather than everybody.
  static std::unique_ptr<const Certificates> build(const config::Snapshot& snapshot, Cache& cache,
                                                   std::vector<Error>* problems);

  /// The certificate for a name that a client asked for: the name itself, `*.` and its parent (below a name
  /// of at least two labels), the name with `*` for its last label, or `*`, in this order, without regard to
  /// case. Null: the gateway's own, which also stands for clients without a name. No allocation, no parsing.
  [[nodiscard]] const Certificate* for_server_name(std::string_view name) const noexcept;

  /// By the service's place in the snapshot.
  [[nodiscard]] const UpstreamSecurity& upstream(std::size_t service) const noexcept {
    return upstreams_[service];
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  using ById = std::unordered_map<std::string_view, std::shared_ptr<const Certificate>>;

  void add_names(const config::Snapshot& snapshot, const ById& certificates);
  void add_upstreams(const config::Snapshot& snapshot, const ById& certificates, Cache& cache,
                     std::vector<Error>* problems);

  std::unordered_map<std::string, std::shared_ptr<const Certificate>, Hash, std::equal_to<>> names_;
  std::vector<UpstreamSecurity> upstreams_;
};

}  // namespace gibbon::gateway::tls
