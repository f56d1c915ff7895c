#include "gateway/nginx/kit/header_text.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>

#include "base/ascii.hpp"

namespace gibbon::nginx {
namespace {

bool is_token(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kMarks.find(c) != kMarks.npos;
  });
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

ngx_str_t copied(ngx_pool_t* pool, std::string_view text) {
  const ngx_str_t copy = copy_to_pool(pool, text);
  if (copy.data == nullptr) throw std::bad_alloc();
  return copy;
}

}  // namespace

ngx_str_t copy_header_name(ngx_pool_t* pool, std::string_view name) {
  if (!is_token(name)) throw std::invalid_argument("'" + std::string(name) + "' is no name of a header");
  return copied(pool, name);
}

ngx_str_t copy_header_value(ngx_pool_t* pool, std::string_view value) {
  if (std::none_of(value.begin(), value.end(), is_control)) return copied(pool, value);
  std::string text;
  for (const char c : value) {
    if (!is_control(c)) {
      text += c;
      continue;
    }
    text += '%';
    text += "0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4];
    text += "0123456789ABCDEF"[static_cast<unsigned char>(c) & 15];
  }
  return copied(pool, text);
}

bool same_header(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char x = a[i] == '_' ? '-' : ascii_lower(a[i]), y = b[i] == '_' ? '-' : ascii_lower(b[i]);
    if (x != y) return false;
  }
  return true;
}

}  // namespace gibbon::nginx
