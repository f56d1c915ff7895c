#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gibbon/visitor.hpp"

namespace gibbon {

/// Called with a header's name and value.
using HeaderVisitor = Visitor<std::string_view, std::string_view>;

/// What a request holds under a name: among its headers, in its query or in its body.
struct Parameter {
  enum class Kind {
    kMissing,
    kFlag,  ///< A name without a value, or a value that is no text (JSON's true, 1 or null).
    kText,
    kRepeated,  ///< More than one value; JSON's arrays and objects too.
  } kind = Kind::kMissing;
  std::string_view text{};  ///< kText: the value, decoded.
};

/// Called with an argument's name and value, both decoded, and whether it has a value ("a" and "a=" differ).
using ArgumentVisitor = Visitor<std::string_view, std::string_view, bool>;

/// A body that was read.
struct Body {
  std::string_view bytes{};  ///< Empty where it is on disk.
  std::uint64_t size = 0;
  bool on_disk = false;  ///< Larger than client_body_buffer_size.
};

/// The connection's TLS. Empty where the client speaks plain HTTP.
struct TlsView {
  std::string_view version, cipher;  ///< "TLSv1.3", "TLS_AES_256_GCM_SHA384"
  std::string_view client_verify;    ///< "SUCCESS", "NONE" or "FAILED:reason".
};

/// The client's connection, as the gateway sees it.
struct ConnectionView {
  std::string_view server_address{};  ///< The gateway's own, that the client connected to: "192.0.2.1".
  std::uint64_t number = 0;           ///< nginx's $connection: unique among the workers, until they are restarted.
  std::uint64_t requests = 0;         ///< How many it has brought so far, this one included.
};

/// Kong's kong.request: the request as the client sent it, whatever plugins change for the upstream (what they changed
/// is in ServiceRequest). Phases: rewrite and later. Views live until the exchange ends.
class Request {
 public:
  [[nodiscard]] virtual std::string_view method() const = 0;
  /// "http" or "https".
  [[nodiscard]] virtual std::string_view scheme() const = 0;
  /// The Host header without its port, in lower case; for HTTP/2 the authority.
  [[nodiscard]] virtual std::string_view host() const = 0;
  /// The port that the client connected to.
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  /// "HTTP/1.1"
  [[nodiscard]] virtual std::string_view protocol() const = 0;
  /// The request target as it was sent, with its query.
  [[nodiscard]] virtual std::string_view target() const = 0;
  /// The target's path, normalized as for the router (dots resolved, unreserved characters decoded), without its query.
  [[nodiscard]] virtual std::string_view path() const = 0;
  /// What stands behind the '?', as it was sent; empty where there is none.
  [[nodiscard]] virtual std::string_view query() const = 0;
  /// Milliseconds since the epoch.
  [[nodiscard]] virtual std::int64_t started_ms() const = 0;
  /// 32 hexadecimal digits, as in X-Kong-Request-Id.
  [[nodiscard]] virtual std::string_view id() const = 0;
  [[nodiscard]] virtual TlsView tls() const = 0;
  [[nodiscard]] virtual ConnectionView connection() const { return {}; }

  // What a trusted proxy in front says (trusted_ips), or else the values above.
  [[nodiscard]] virtual std::string_view forwarded_scheme() const = 0;
  [[nodiscard]] virtual std::string_view forwarded_host() const = 0;
  [[nodiscard]] virtual std::uint16_t forwarded_port() const = 0;

  /// The first value of a header; empty where there is none. `name` in lower case.
  [[nodiscard]] virtual std::string_view header(std::string_view name) const = 0;
  virtual void each_header(HeaderVisitor visit) const = 0;
  /// A header by its name in any case; '_' and '-' are the same.
  [[nodiscard]] virtual Parameter find_header(std::string_view name) const = 0;
  /// An argument of the query, decoded; names are compared as they are after decoding.
  [[nodiscard]] virtual Parameter find_query_argument(std::string_view name) const = 0;
  /// In the order of the query.
  virtual void each_query_argument(ArgumentVisitor visit) const = 0;
  /// A named group of the route's regular path; empty where it has no such group. "0", "1", … stand for the whole match
  /// and for groups by their numbers. Phases: access and later.
  [[nodiscard]] virtual std::string_view uri_capture(std::string_view name) const = 0;

  /// What the client declared by Content-Length; -1 where it declared nothing.
  [[nodiscard]] virtual std::int64_t content_length() const = 0;
  /// The whole body. Phases: access and later, of a handler whose reads_body() asked for it.
  [[nodiscard]] virtual Body body() const = 0;
  /// A field of the body: application/x-www-form-urlencoded, multipart/form-data, or a member of the JSON
  /// object. Another type, a body that is not what its type says, and one larger than client_body_buffer_size
  /// have none. Phase: access, of a handler whose reads_body() asked for the body.
  [[nodiscard]] virtual Parameter find_body_field(std::string_view name) const = 0;
  /// Keeps the first `limit_bytes` of the body as it passes; it is never held, and never read for this alone.
  /// Phases: rewrite, access. The largest limit of all plugins counts.
  virtual void capture_body(std::size_t limit_bytes) = 0;
  /// No record shows the value of this field of the body: what was captured of it is overwritten with '*'.
  /// Phase: as find_body_field(). For headers and query arguments a handler has secrets().
  virtual void hide_body_field(std::string_view name) = 0;

 protected:
  ~Request() = default;
};

}  // namespace gibbon
