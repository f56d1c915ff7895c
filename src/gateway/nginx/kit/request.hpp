#pragma once

#include "gateway/nginx/kit/caller.hpp"

namespace gibbon::nginx {

class Context;

/// The plugin kit's view of nginx's request. See include/gibbon/request.hpp.
class RequestAdapter final : public Request {
 public:
  explicit RequestAdapter(Context& ctx) : ctx_(ctx) {}
  [[nodiscard]] std::string_view method() const override;
  [[nodiscard]] std::string_view scheme() const override;
  [[nodiscard]] std::string_view host() const override;
  [[nodiscard]] std::uint16_t port() const override;
  [[nodiscard]] std::string_view protocol() const override;
  [[nodiscard]] std::string_view target() const override;
  [[nodiscard]] std::string_view path() const override;
  [[nodiscard]] std::string_view query() const override;
  [[nodiscard]] std::int64_t started_ms() const override;
  [[nodiscard]] std::string_view id() const override;
  [[nodiscard]] TlsView tls() const override;
  [[nodiscard]] ConnectionView connection() const override;
  [[nodiscard]] std::string_view forwarded_scheme() const override;
  [[nodiscard]] std::string_view forwarded_host() const override;
  [[nodiscard]] std::uint16_t forwarded_port() const override;
  [[nodiscard]] std::string_view header(std::string_view name) const override;
  void each_header(HeaderVisitor visit) const override;
  [[nodiscard]] Parameter find_header(std::string_view name) const override;
  [[nodiscard]] Parameter find_query_argument(std::string_view name) const override;
  void each_query_argument(ArgumentVisitor visit) const override;
  [[nodiscard]] std::string_view uri_capture(std::string_view name) const override;
  [[nodiscard]] std::int64_t content_length() const override;
  [[nodiscard]] Body body() const override;
  [[nodiscard]] Parameter find_body_field(std::string_view name) const override;
  void capture_body(std::size_t limit_bytes) override;
  void hide_body_field(std::string_view name) override;

 private:
  Context& ctx_;
  mutable std::string_view path_;  ///< Once it was asked for.
};

}  // namespace gibbon::nginx
