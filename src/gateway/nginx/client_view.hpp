#pragma once

#include "gateway/nginx/context.hpp"

// What the client sent and what it received: nginx keeps both in several places, and rewrites some of them.
namespace gibbon::nginx {

/// "http" or "https".
std::string_view client_scheme(const ngx_http_request_t* r);

/// The host that the client asked for: of the request line, or the Host header, without port and in lower case; of
/// neither, the server's name. As nginx's $host.
std::string_view client_host(const ngx_http_request_t* r);

/// The name that the client asked for in its TLS handshake, in lower case; empty without.
std::string_view client_sni(const ngx_http_request_t* r);

/// The port that the client connected to, or the one that the setting port_maps has for it; without a system call.
std::uint16_t client_port(const ngx_http_request_t* r);

/// The first line of a request that nginx could not parse, or of one that it could.
std::string_view raw_request_line(const ngx_http_request_t* r);

/// The status that the client received; for a client that went away, nginx's 499.
int answered_status(const ngx_http_request_t* r);

/// Calls `visit(name, value)` for the headers that the client sent; the names in lower case.
template <typename Visit>
void each_client_header(Context& ctx, Visit&& visit) {
  each_header(ctx.headers_replaced ? ctx.client_headers : ctx.r->headers_in.headers, [&](ngx_table_elt_t& h) {
    visit(std::string_view(reinterpret_cast<char*>(h.lowcase_key != nullptr ? h.lowcase_key : h.key.data), h.key.len),
          view(h.value));
  });
}

/// The headers that nginx writes of its own accord when it sends the head: those that stand in no list. While plugins
/// look at a head that was not sent so far, those of them that say what the body is.
struct ImplicitHeaders {
  explicit ImplicitHeaders(const Context& ctx);
  struct Line { std::string_view name, value; };
  Line lines[8];
  std::size_t count = 0;

 private:
  void add(std::string_view name, std::string_view value) { lines[count++] = {name, value}; }
  char length_[24], date_[32], type_[160];
};

/// Calls `visit(name, value)` for the headers that the client received, in the order of the wire.
template <typename Visit>
void each_answer_header(Context& ctx, Visit&& visit) {
  const ImplicitHeaders implicit(ctx);
  for (std::size_t i = 0; i < implicit.count; ++i) visit(implicit.lines[i].name, implicit.lines[i].value);
  each_header(ctx.r->headers_out.headers, [&](ngx_table_elt_t& h) {
    if (h.hash != 0) visit(view(h.key), view(h.value));
  });
}

}  // namespace gibbon::nginx
