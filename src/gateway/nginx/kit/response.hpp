#pragma once

#include "gateway/nginx/kit/caller.hpp"

namespace gibbon::nginx {

class Context;

/// The plugin kit's view of nginx's answer. See include/gibbon/response.hpp.
class ResponseAdapter final : public Response {
 public:
  explicit ResponseAdapter(Context& ctx) : ctx_(ctx) {}
  [[nodiscard]] Source source() const override;
  [[nodiscard]] int status() const override;
  [[nodiscard]] std::string_view header(std::string_view name) const override;
  void each_header(HeaderVisitor visit) const override;
  void set_status(int status) override;
  void set_header(std::string_view name, std::string_view value) override;
  void add_header(std::string_view name, std::string_view value) override;
  void clear_header(std::string_view name) override;
  void capture_body(std::size_t limit_bytes) override;
  void hold_body() override;
  [[nodiscard]] std::string_view body() const override;
  void set_body(std::string_view bytes) override;

 private:
  void append(ngx_str_t name, std::string_view value);
  Context& ctx_;
};

}  // namespace gibbon::nginx
