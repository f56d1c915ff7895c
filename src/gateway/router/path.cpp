#include "gateway/router/path.hpp"

#include <algorithm>
#include <array>

namespace gibbon::gateway {
namespace {

constexpr std::string_view kReserved = "!*'();:@&=+$,/?%#[]";
constexpr char kHexDigits[] = "0123456789ABCDEF";

/// Bytes that stand in a path as they are; all others are percent-encoded on the way out.
constexpr std::array<bool, 256> make_plain_bytes() {
  std::array<bool, 256> plain{};
  for (int c = '0'; c <= '9'; ++c) plain[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) plain[c] = plain[c - 'a' + 'A'] = true;
  for (unsigned char c : kReserved) plain[c] = true;
  for (unsigned char c : std::string_view("-._~")) plain[c] = true;
  return plain;
}
constexpr std::array<bool, 256> kPlainBytes = make_plain_bytes();

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool needs_work(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '%') return true;
    // A segment that begins with a dot may be a dot segment, two slashes are to be one.
    if (path[i] == '/' && i + 1 < path.size() && (path[i + 1] == '/' || path[i + 1] == '.')) return true;
  }
  return !path.empty() && path[0] == '.';
}

void decode(std::string_view path, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < path.size(); ++i) {
    const int high = path[i] == '%' && i + 2 < path.size() ? hex_value(path[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(path[i + 2]) : -1;
    if (low < 0) {
      out += path[i];
      continue;
    }
    const auto byte = static_cast<char>(high * 16 + low);
    if (byte != '\0' && kReserved.find(byte) != std::string_view::npos) {
      out += '%';
      out += kHexDigits[high];
      out += kHexDigits[low];
    } else {
      out += byte;
    }
    i += 2;
  }
}

/// Resolves "." and ".." segments (RFC 3986, 5.2.4) and drops empty segments, in place.
void resolve_segments(std::string& path) {
  std::size_t read = 0, write = 0;
  bool trailing_slash = false;
  const bool absolute = !path.empty() && path[0] == '/';
  while (read < path.size()) {
    if (path[read] == '/') {
      trailing_slash = true;
      ++read;
      continue;
    }
    const std::size_t end = std::min(path.find('/', read), path.size());
    const std::string_view segment(path.data() + read, end - read);
    trailing_slash = false;
    if (segment == ".") {
      trailing_slash = true;
    } else if (segment == "..") {
      trailing_slash = true;
      while (write > 0 && path[--write] != '/') {
      }
    } else {
      // The output never overtakes the input: what is written is a part of what was read.
      if (absolute || write > 0) path[write++] = '/';
      std::copy(segment.begin(), segment.end(), path.begin() + static_cast<std::ptrdiff_t>(write));
      write += segment.size();
    }
    read = end;
  }
  if (trailing_slash && (absolute || write > 0)) path[write++] = '/';
  path.resize(write);
}

void append_escaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlainBytes[byte]) {
      out += c;
    } else {
      out += '%';
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 15];
    }
  }
}

/// A prefix may end within a segment. What is left of a segment must not become a dot segment of its own.
std::string_view without_leading_dots(std::string_view rest) {
  if (rest == "." || rest == "..") return {};
  if (rest.starts_with("./")) return rest.substr(2);
  if (rest.starts_with("../")) return rest.substr(3);
  return rest;
}

}  // namespace

std::string_view path_of(std::string_view target) noexcept {
  // A target that begins with '?' has no path to end: only a later '?' counts.
  const std::size_t query = target.find('?', 1);
  return query == std::string_view::npos ? target : target.substr(0, query);
}

std::string_view normalize_path(std::string_view path, std::string& buffer) {
  if (!needs_work(path)) return path;
  decode(path, buffer);
  if (needs_work(buffer)) resolve_segments(buffer);
  return buffer;
}

void append_upstream_path(const config::Route& route, std::string_view service_path, std::string_view path,
                          std::size_t matched_length, std::string& out) {
  const std::string_view base = service_path.empty() ? std::string_view("/") : service_path;
  const bool base_slash = base.back() == '/';
  const std::string_view base_bare = base_slash ? base.substr(0, base.size() - 1) : base;
  const std::string_view without_slash = path.empty() ? path : path.substr(1);
  const auto join = [&out](std::string_view head, std::string_view separator, std::string_view tail) {
    append_escaped(head, out);
    out += separator;
    append_escaped(tail, out);
  };

  if (!route.strip_path) {
    if (route.path_handling_v1 || base_slash) return join(base, "", without_slash);
    return join(base, "", path == "/" ? std::string_view() : path);
  }
  const std::string_view rest =
      matched_length > 0 ? without_leading_dots(path.substr(matched_length)) : without_slash;
  const bool rest_slash = rest.starts_with('/');
  if (base_slash && rest_slash) return join(base_bare, "", rest);
  if (route.path_handling_v1 || base_slash) {
    // v0 lets the upstream's path end as the request's does.
    const bool keeps_slash = route.path_handling_v1 || !rest.empty() || base == "/" || path.ends_with('/');
    return join(keeps_slash ? base : base_bare, "", rest);
  }
  if (rest.empty()) return join(base, path.size() > 1 && path.ends_with('/') ? "/" : "", {});
  return join(base, rest_slash ? "" : "/", rest);
}

}  // namespace gibbon::gateway
