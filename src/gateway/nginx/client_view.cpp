#include "gateway/nginx/client_view.hpp"

#include <charconv>

#include "gateway/nginx/conf.hpp"

namespace gibbon::nginx {

std::string_view client_scheme([[maybe_unused]] const ngx_http_request_t* r) {
#if (NGX_HTTP_SSL)
  if (r->connection->ssl != nullptr) return "https";
#endif
  return "http";
}

std::string_view client_host(const ngx_http_request_t* r) {
  if (r->headers_in.server.len > 0) return view(r->headers_in.server);
  return view(static_cast<ngx_http_core_srv_conf_t*>(ngx_http_get_module_srv_conf(r, ngx_http_core_module))->server_name);
}

std::string_view client_sni([[maybe_unused]] const ngx_http_request_t* r) {
#if (NGX_HTTP_SSL)
  if (r->connection->ssl != nullptr) {
    const char* name = SSL_get_servername(r->connection->ssl->connection, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return {};
    const ngx_str_t copy = copy_to_pool(r->pool, name);
    ngx_strlow(copy.data, copy.data, copy.len);
    return view(copy);
  }
#endif
  return {};
}

std::uint16_t client_port(const ngx_http_request_t* r) {
  const std::uint16_t port = ngx_inet_get_port(r->connection->local_sockaddr);
  for (const auto& [inside, outside] : main_conf(r)->port_maps)
    if (inside == port) return outside;
  return port;
}

std::string_view raw_request_line(const ngx_http_request_t* r) {
  if (r->request_line.len > 0) return view(r->request_line);
  if (r->request_start == nullptr || r->header_in == nullptr) return {};
  const u_char* end = r->request_start;
  while (end < r->header_in->last && *end != CR && *end != LF) ++end;
  return {reinterpret_cast<const char*>(r->request_start), static_cast<std::size_t>(end - r->request_start)};
}

int answered_status(const ngx_http_request_t* r) {
  if (r->err_status != 0) return static_cast<int>(r->err_status);
  if (r->headers_out.status != 0) return static_cast<int>(r->headers_out.status);
  return r->http_version == NGX_HTTP_VERSION_9 ? 9 : 0;
}

ImplicitHeaders::ImplicitHeaders(const Context& ctx) {
  const ngx_http_request_t* r = ctx.r;
  const bool in_hand = ctx.phase() == Phase::kResponse || ctx.phase() == Phase::kHeaderFilter;
  if (!r->header_sent && !in_hand) return;  // The client never got a head.
  const auto& out = r->headers_out;
  if (r->header_sent && out.server == nullptr) add("Server", "nginx");
  if (r->header_sent && out.date == nullptr) add("Date", view(*const_cast<ngx_str_t*>(&ngx_cached_http_time)));
  if (out.content_type.len > 0) {
    std::string_view type = view(out.content_type);
    if (out.content_type_len == out.content_type.len && out.charset.len > 0 &&
        type.size() + out.charset.len + 10 < sizeof type_) {
      // HTTP/2 appends the charset only while it writes; HTTP/1 has put it into content_type already.
      char* p = type_;
      p = static_cast<char*>(std::memcpy(p, type.data(), type.size())) + type.size();
      p = static_cast<char*>(std::memcpy(p, "; charset=", 10)) + 10;
      p = static_cast<char*>(std::memcpy(p, out.charset.data, out.charset.len)) + out.charset.len;
      type = {type_, static_cast<std::size_t>(p - type_)};
    }
    add("Content-Type", type);
  }
  if (out.content_length == nullptr && out.content_length_n >= 0) {
    const auto end = std::to_chars(length_, length_ + sizeof length_, out.content_length_n);
    add("Content-Length", {length_, static_cast<std::size_t>(end.ptr - length_)});
  }
  if (out.last_modified == nullptr && out.last_modified_time != -1) {
    u_char* end = ngx_http_time(reinterpret_cast<u_char*>(date_), out.last_modified_time);
    add("Last-Modified", {date_, static_cast<std::size_t>(reinterpret_cast<char*>(end) - date_)});
  }
  if (!r->header_sent || r->http_version >= NGX_HTTP_VERSION_20) return;
  if (r->chunked) add("Transfer-Encoding", "chunked");
  add("Connection", out.status == NGX_HTTP_SWITCHING_PROTOCOLS ? "upgrade" : ctx.kept_alive ? "keep-alive" : "close");
}

}  // namespace gibbon::nginx
