#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/entities.hpp"

/// Which route serves a request: the order of Kong's `traditional` router.
///
/// A route must match in every kind of attribute that it names (hosts, headers, paths, methods, snis). Of several
/// that do, the first in this order wins: more kinds; the kinds themselves (host, header, path, method, sni); a plain
/// host that names the port, a wildcard host that does, plain hosts only, a regex path; more headers; regex_priority;
/// the longer path; the older route.
///
/// Structure: every pair of a route and one of its paths gets its rank in that order, once. Requests find candidates
/// through a hash of hosts and, in it, a radix tree of paths (a regex stands where its literal beginning ends); the
/// lowest rank that matches wins. The cost depends on the request, not on the number of routes.
namespace gibbon::gateway {

inline constexpr std::uint32_t kNone = UINT32_MAX;

/// How the router asks for a request's headers: a plain pair, so that asking costs no allocation.
struct HeaderSource {
  /// Calls `visit(argument, value)` for every value of the header `name` (lower case, with hyphens), until one
  /// call returns false.
  using Visit = bool (*)(void* argument, std::string_view value);
  void (*each)(const void* context, std::string_view name, Visit visit, void* argument) = nullptr;
  const void* context = nullptr;
};

/// What is matched. Views need to live for the call alone.
struct MatchInput {
  std::string_view method;
  std::string_view scheme = "http";    ///< "http" or "https": how the request reached the gateway.
  std::string_view host;               ///< Lower case, without a port.
  std::uint16_t port = 0;              ///< The port in the Host header; 0: it has none, so the scheme's own.
  std::string_view path;               ///< Normalised: see normalize_path().
  std::string_view sni;                ///< Lower case; empty without TLS.
  HeaderSource headers;
  const sockaddr* source = nullptr;    ///< The client's address.
  const sockaddr* destination = nullptr;
  std::string_view forwarded_scheme;   ///< X-Forwarded-Proto of a trusted client; empty: `scheme` counts.
  std::uint8_t http_major = 1;
  bool grpc = false;                   ///< The content type begins with "application/grpc".
};

/// What to do with a request that matched.
enum class Outcome : std::uint8_t {
  kServe,
  kHttpsRequired,   ///< Answer with the route's https_redirect_status_code: 426, or a redirect to https.
  kHttp2Required,   ///< 426 "Please use HTTP2 protocol"
  kGrpcRequired,    ///< 415 "Non-gRPC request matched gRPC route"
  kGrpcsRequired,   ///< gRPC status 1 "gRPC request matched gRPCs route"
};

struct Match {
  static constexpr std::size_t kMaxCaptures = 16;
  struct Capture { std::uint32_t begin, length; };  ///< Of the path; begin is kNone where the group took no part.

  std::uint32_t route = kNone;         ///< Index into the routes the router was built from.
  std::uint32_t service = kNone;       ///< Index into the services; kNone: the route has none (503).
  Outcome outcome = Outcome::kServe;
  std::uint32_t matched_length = 0;    ///< Bytes of the path that strip_path takes away; 0: none (it has no paths).
  std::uint32_t pattern = kNone;       ///< Of a regex path: for capture_name().
  std::uint32_t capture_count = 0;     ///< Groups of a regex path, without the whole.
  std::array<Capture, kMaxCaptures> captures;  ///< The first capture_count are set.

  /// What X-Forwarded-Prefix says: the part of the path that strip_path removes.
  [[nodiscard]] std::string_view prefix(std::string_view path) const { return path.substr(0, matched_length); }
};

/// Immutable once built. Threads: match() from one thread at a time (patterns share their scratch memory).
class Router {
 public:
  /// Builds from the entities of one snapshot; keeps nothing of them. Routes of disabled services do not count. A route that cannot be compiled (a pattern that
  /// is no regex, a host with a wildcard in its middle) is left out with a line in `problems`, the others serve on.
  static Router build(std::span<const config::Route> routes, std::span<const config::Service> services,
                      std::vector<Error>* problems);
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;
  ~Router();

  /// Fills `match` with the route that serves the request. False: none does (404). Allocates nothing.
  bool match(const MatchInput& input, Match* match) const noexcept;

  /// Matches a regex path again, for what its groups hold: `pattern` is a Match's, `path` the one that it matched. Fills
  /// the captures of `match` and its pattern; `whole` is what the expression itself covers. False: it has no groups.
  bool find_captures(std::uint32_t pattern, std::string_view path, Match* match, Match::Capture* whole) const noexcept;

  /// The name of group `index` (from 0) of a regex path; empty where it has none.
  [[nodiscard]] std::string_view capture_name(const Match& match, std::uint32_t index) const noexcept;

 private:
  struct Tables;
  explicit Router(std::unique_ptr<Tables> tables);
  std::unique_ptr<Tables> tables_;
};

}  // namespace gibbon::gateway
