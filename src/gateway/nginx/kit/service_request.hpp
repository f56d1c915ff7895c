#pragma once

#include "gateway/nginx/kit/caller.hpp"

namespace gibbon::nginx {

class Context;

/// A header that a plugin sets for the upstream, or takes away. Lives in the request's pool.
struct HeaderChange {
  std::string_view name, value;
  bool clears;
  HeaderChange* next;
};

/// What plugins change of the request on its way to the upstream: see include/gibbon/exchange.hpp. Headers
/// are noted here and applied when the request is forwarded; the query and the body are changed at once.
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
  void add_header(std::string_view name, std::string_view value) override;
  void set_body(std::string_view bytes) override;
  void set_header(std::string_view name, std::string_view value) override {
    change({name, value, false, nullptr});
  }
  void clear_header(std::string_view name) override { change({name, {}, true, nullptr}); }
  void clear_query_argument(std::string_view name) override;
  void clear_body_field(std::string_view name) override;

  /// Gives nginx a list of headers with the changes; the client's own is kept for the record. False without
  /// memory.
  bool apply_headers();

 private:
  void change(const HeaderChange& wanted);
  Context& ctx_;
  HeaderChange* changes_ = nullptr;
};

/// Whether two names of headers are one: in any case, and with '_' for '-'.
bool same_header(std::string_view a, std::string_view b);

/// The request's whole body, where access has read it (see PluginDescriptor::reads_body) and it lies in
/// memory; empty otherwise. It lives until the request ends or the body is replaced.
std::string_view request_body(Context& ctx);

/// A body that was read before anybody asked for its beginning: captures it now, but for what is hidden.
void capture_read_body(Context& ctx);

/// Reads the whole body and runs the phases again. The result is for nginx.
ngx_int_t read_request_body(Context& ctx);

}  // namespace gibbon::nginx
