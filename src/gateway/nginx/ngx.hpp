#pragma once

// nginx's headers, and the few conversions that every file of this folder needs. Nothing outside this folder
// includes nginx.

extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_http.h>
}

#include <cstring>
#include <string>
#include <string_view>

namespace gibbon::nginx {

inline std::string_view view(const ngx_str_t& s) { return {reinterpret_cast<const char*>(s.data), s.len}; }

/// nginx wants writable pointers even where it only reads.
inline ngx_str_t str(std::string_view s) {
  return {s.size(), reinterpret_cast<u_char*>(const_cast<char*>(s.data()))};
}

/// A copy in the pool; empty where there is no memory.
inline ngx_str_t copy_to_pool(ngx_pool_t* pool, std::string_view s) {
  auto* data = static_cast<u_char*>(ngx_pnalloc(pool, s.size() + 1));
  if (data == nullptr) return {0, nullptr};
  if (!s.empty()) std::memcpy(data, s.data(), s.size());
  data[s.size()] = '\0';
  return {s.size(), data};
}

/// Calls `visit(ngx_table_elt_t&)` for each header of a list.
template <typename Visit>
void each_header(ngx_list_t& list, Visit visit) {
  for (ngx_list_part_t* part = &list.part; part != nullptr; part = part->next) {
    auto* elements = static_cast<ngx_table_elt_t*>(part->elts);
    for (ngx_uint_t i = 0; i < part->nelts; ++i) visit(elements[i]);
  }
}

inline bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         ngx_strncasecmp(reinterpret_cast<u_char*>(const_cast<char*>(a.data())),
                         reinterpret_cast<u_char*>(const_cast<char*>(b.data())), a.size()) == 0;
}

/// Milliseconds since the epoch, from nginx's cached clock: no system call.
inline std::int64_t now_ms() {
  const ngx_time_t* t = ngx_timeofday();
  return static_cast<std::int64_t>(t->sec) * 1000 + t->msec;
}

inline std::int64_t started_ms(const ngx_http_request_t* r) {
  return static_cast<std::int64_t>(r->start_sec) * 1000 + static_cast<std::int64_t>(r->start_msec);
}

}  // namespace gibbon::nginx

extern "C" {
extern __attribute__((visibility("default"))) ngx_module_t ngx_http_gibbon_module;
}
