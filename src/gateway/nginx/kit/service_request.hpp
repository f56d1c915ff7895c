#pragma once

#include "gateway/nginx/kit/caller.hpp"

namespace gibbon::nginx {

class Context;

/// A header that a plugin sets or adds for the upstream, or takes away. Lives in the request's pool.
struct HeaderChange {
  enum class Kind : std::uint8_t { kClear, kSet, kAdd } kind;
  bool placed;  ///< While headers are gone through: the value stands in the place of the one that it replaces.
  std::string_view name, lower_name, value;
  HeaderChange* next;
};

/// What plugins change of the request on its way to the upstream: see include/gibbon/service.hpp. Headers are noted here
/// and applied when the request is forwarded; so is the method. The path, the query and the body are changed at once.
class ServiceRequestAdapter final : public ServiceRequest {
 public:
  explicit ServiceRequestAdapter(Context& ctx) : ctx_(ctx) {}
  [[nodiscard]] std::string_view method() const override;
  [[nodiscard]] std::string_view path() const override;
  [[nodiscard]] std::string_view query() const override;
  [[nodiscard]] std::string_view header(std::string_view name) const override;
  void each_header(HeaderVisitor visit) const override;
  [[nodiscard]] Body body() const override;
  void set_method(std::string_view method) override;
  void set_path(std::string_view path) override;
  void set_query(std::string_view query) override;
  void set_header(std::string_view name, std::string_view value) override;
  void add_header(std::string_view name, std::string_view value) override;
  void clear_header(std::string_view name) override;
  void clear_query_argument(std::string_view name) override;
  void clear_body_field(std::string_view name) override;
  void set_body(std::string_view bytes) override;

  /// The Host header that plugins want the upstream to get; empty: none does.
  [[nodiscard]] std::string_view host() const { return host_; }
  /// As set_header("Host"), but no header: a copy of it is made.
  void tell_host(std::string_view host);

  /// Gives nginx a list of headers with the changes; the client's own is kept for the record. Once. False without
  /// memory.
  bool apply_headers();

 private:
  void note(HeaderChange::Kind kind, std::string_view name, std::string_view value);
  void set_target(std::string_view path, std::string_view query);
  template <typename Client, typename Own>
  void go_through(ngx_list_t& list, Client client, Own own) const;

  Context& ctx_;
  HeaderChange *first_ = nullptr, *last_ = nullptr;  ///< In the order in which they were made.
  std::string_view host_;
  bool applied_ = false;
};

}  // namespace gibbon::nginx
