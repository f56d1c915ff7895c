#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "config/snapshot.hpp"
#include "gateway/balancer/balancer.hpp"
#include "gateway/chain/chain.hpp"
#include "gateway/consumers/entity_index.hpp"
#include "gateway/router/router.hpp"
#include "gateway/tls/certificates.hpp"

namespace gibbon::gateway {

/// A place where the nginx adapter keeps what it made for a service. `destroy` runs with the runtime's destructor,
/// on its thread; it must not touch what belongs to the event thread.
struct AdapterSlot {
  void* data = nullptr;
  void (*destroy)(void*) = nullptr;
};

/// Everything a worker needs for one generation of the configuration. Built, and destroyed, on a background thread;
/// immutable in between, and used by the event thread alone.
class Runtime {
 public:
  /// Never a dead gateway: what a snapshot has wrong is left out and told by warnings(). Errors: out of memory.
  /// `cache`: what earlier generations have parsed; null: everything is parsed anew.
  static Result<std::unique_ptr<Runtime>> build(config::Snapshot snapshot, const plugin::Registry& registry,
                                                tls::Cache* cache = nullptr);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  [[nodiscard]] std::uint64_t generation() const noexcept { return snapshot_.generation; }
  [[nodiscard]] const config::Snapshot& snapshot() const noexcept { return snapshot_; }
  /// Routes and plugin configurations that were left out, and why: for the error log.
  [[nodiscard]] const std::vector<Error>& warnings() const noexcept { return warnings_; }

  /// As Router::match(). Event thread.
  bool match(const MatchInput& input, Match* match) const noexcept { return router_->match(input, match); }
  [[nodiscard]] const Router& router() const noexcept { return *router_; }
  [[nodiscard]] const config::Route& route(const Match& match) const noexcept { return snapshot_.routes[match.route]; }
  /// Null where the route has no service.
  [[nodiscard]] const config::Service* service(const Match& match) const noexcept {
    return match.service == kNone ? nullptr : &snapshot_.services[match.service];
  }
  [[nodiscard]] const std::vector<UpstreamPlan>& upstreams() const noexcept { return upstreams_; }
  /// Of all of them together: what changed is told by it alone.
  [[nodiscard]] std::uint64_t upstreams_fingerprint() const noexcept { return upstreams_fingerprint_; }
  /// The upstream that bears the name of the service's host; null where none does. `service` as in Match.
  [[nodiscard]] const UpstreamPlan* upstream_of(std::uint32_t service) const noexcept {
    const std::uint32_t index = service_upstreams_[service];
    return index == kNone ? nullptr : &upstreams_[index];
  }
  /// The upstream of that name; null where there is none.
  [[nodiscard]] const UpstreamPlan* find_upstream(std::string_view name) const noexcept {
    const auto found = upstream_names_.find(name);
    return found == upstream_names_.end() ? nullptr : &upstreams_[found->second];
  }
  [[nodiscard]] const Chain& chain(const Match& match) const noexcept { return chains_->route(match.route); }
  /// For `certificate`, `rewrite` and requests that match no route.
  [[nodiscard]] const Chain& global_chain() const noexcept { return chains_->global(); }
  [[nodiscard]] const Chains& chains() const noexcept { return *chains_; }
  /// For handshakes in both directions. Any thread.
  [[nodiscard]] const tls::Certificates& certificates() const noexcept { return *certificates_; }
  /// The consumers, and what plugins brought.
  [[nodiscard]] const EntityIndex& entities() const noexcept { return *entities_; }
  /// The adapter's own, one per service: `service` as in Match. Event thread.
  [[nodiscard]] AdapterSlot& adapter_slot(std::uint32_t service) const noexcept { return slots_[service]; }

  // A request holds a reference from its first phase to its log phase. Not atomic: event thread only.
  void retain() const noexcept { ++references_; }
  /// The references that are left. Where none is and the runtime is no longer current, it can be handed to the
  /// loader's thread, to be destroyed there.
  std::uint32_t release() const noexcept { return --references_; }
  [[nodiscard]] std::uint32_t references() const noexcept { return references_; }

 private:
  explicit Runtime(config::Snapshot snapshot) : snapshot_(std::move(snapshot)) {}
  config::Snapshot snapshot_;
  std::optional<Router> router_;
  std::unique_ptr<Chains> chains_;
  std::vector<UpstreamPlan> upstreams_;
  std::uint64_t upstreams_fingerprint_ = 0;
  std::unordered_map<std::string_view, std::uint32_t> upstream_names_;  ///< Of upstreams_.
  std::vector<std::uint32_t> service_upstreams_;
  std::unique_ptr<const tls::Certificates> certificates_;
  std::unique_ptr<const EntityIndex> entities_;
  mutable std::vector<AdapterSlot> slots_;
  std::vector<Error> warnings_;
  mutable std::uint32_t references_ = 0;
};

}  // namespace gibbon::gateway
