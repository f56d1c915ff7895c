#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"

namespace gibbon::gateway {

/// An element of a route's `hosts`, taken apart.
struct HostPattern {
  enum class Kind : std::uint8_t { kPlain, kSuffix /* *.example.com */, kPrefix /* example.* */ };
  Kind kind = Kind::kPlain;
  std::string text;        ///< Lower case, without wildcard and port: "example.com", ".example.com", "example.".
  std::uint16_t port = 0;  ///< 0: any.

  /// Errors: a wildcard that is neither the leftmost nor the rightmost label; a port that is no number.
  static Result<HostPattern> parse(std::string_view host);
};

/// From host patterns to numbers. Immutable once filled.
class HostTable {
 public:
  /// The number of `pattern`: `next` where it is new.
  std::uint32_t insert(const HostPattern& pattern, std::uint32_t next);

  /// Calls `visit(number)` for every pattern that matches; the plain ones first. `host`: lower case, without port.
  template <typename Visit>
  void each(std::string_view host, std::uint16_t port, Visit&& visit) const noexcept {
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    look_up(plain_, host, port, visit);
    // A wildcard stands for at least one character.
    if (!suffixes_.empty()) {
      for (std::size_t dot = host.find('.', 1); dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
        look_up(suffixes_, host.substr(dot), port, visit);
      }
    }
    if (!prefixes_.empty() && !host.empty()) {
      for (std::size_t dot = host.find('.'); dot < host.size() - 1; dot = host.find('.', dot + 1)) {
        look_up(prefixes_, host.substr(0, dot + 1), port, visit);
      }
    }
  }

 private:
  struct View {
    std::string_view host;
    std::uint16_t port;
  };
  struct Key {
    std::string host;
    std::uint16_t port;
    operator View() const { return {host, port}; }  // NOLINT: a key is looked up as a view
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(View key) const noexcept {
      return std::hash<std::string_view>()(key.host) ^ key.port * 0x9E3779B97F4A7C15U;
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(View a, View b) const noexcept { return a.port == b.port && a.host == b.host; }
  };
  using Map = std::unordered_map<Key, std::uint32_t, Hash, Equal>;

  template <typename Visit>
  void look_up(const Map& map, std::string_view host, std::uint16_t port, Visit& visit) const noexcept {
    if (has_ports_) {
      if (const auto found = map.find(View{host, port}); found != map.end()) visit(found->second);
    }
    if (const auto found = map.find(View{host, 0}); found != map.end()) visit(found->second);
  }

  Map plain_, suffixes_, prefixes_;
  bool has_ports_ = false;
};

}  // namespace gibbon::gateway
