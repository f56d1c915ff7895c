#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gibbon/client.hpp"
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

/// The request as the client sent it, whatever plugins change for the upstream. Every phase. Views live until
/// the exchange ends.
class Request {
 public:
  [[nodiscard]] virtual std::string_view method() const = 0;
  /// "http" or "https".
  [[nodiscard]] virtual std::string_view scheme() const = 0;
  /// The Host header without its port, in lower case; for HTTP/2 the authority.
  [[nodiscard]] virtual std::string_view host() const = 0;
  /// The port that the client connected to.
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  /// The request target as it was sent, with its query.
  [[nodiscard]] virtual std::string_view target() const = 0;
  /// The first value of a header; empty where there is none. `name` in lower case.
  [[nodiscard]] virtual std::string_view header(std::string_view name) const = 0;
  virtual void each_header(HeaderVisitor visit) const = 0;
  /// A header by its name in any case; '_' and '-' are the same.
  [[nodiscard]] virtual Parameter find_header(std::string_view name) const = 0;
  /// An argument of the query, decoded; names are compared as they are after decoding.
  [[nodiscard]] virtual Parameter find_query_argument(std::string_view name) const = 0;
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

/// The request on its way to the upstream. Phase: access. Names and values are copied.
class ServiceRequest {
 public:
  /// Replaces every header of that name; '_' and '-' in names are the same.
  virtual void set_header(std::string_view name, std::string_view value) = 0;
  virtual void clear_header(std::string_view name) = 0;
  /// Takes every argument of that name out of the query.
  virtual void clear_query_argument(std::string_view name) = 0;
  /// Takes a field out of the body: see Request::find_body_field().
  virtual void clear_body_field(std::string_view name) = 0;

 protected:
  ~ServiceRequest() = default;
};

/// The response as the client receives it. Phases: header_filter, body_filter, log.
class Response {
 public:
  [[nodiscard]] virtual int status() const = 0;
  [[nodiscard]] virtual std::string_view header(std::string_view name) const = 0;
  virtual void each_header(HeaderVisitor visit) const = 0;
  /// Phases: access, header_filter. Copies name and value.
  virtual void set_header(std::string_view name, std::string_view value) = 0;
  /// As Request::capture_body. Phases: rewrite, access, header_filter.
  virtual void capture_body(std::size_t limit_bytes) = 0;

 protected:
  ~Response() = default;
};

/// One request and its answer, from the first phase that sees it to the log phase.
/// Threads: the event thread of the worker that owns it; nothing may keep it beyond the phase's return.
class Exchange {
 public:
  virtual Request& request() = 0;
  virtual ServiceRequest& service_request() = 0;
  virtual Response& response() = 0;
  virtual Client& client() = 0;
  virtual Entities& entities() = 0;

  /// Answers the client at once and skips what would have come after. Phases: rewrite, access.
  /// `body` is copied. An empty `content_type` means JSON.
  virtual void exit(int status, std::string_view body, std::string_view content_type = {}) = 0;
  /// The same with Kong's error body: the message and the request's id, as JSON, HTML, XML or plain text,
  /// whichever the client's Accept header prefers; for gRPC a status.
  virtual void error(int status, std::string_view message) = 0;

  struct RecordLimits {
    std::optional<std::size_t>
        request_body_bytes;  ///< How much of a captured body goes along; unset: no body.
    std::optional<std::size_t> response_body_bytes;  ///< 0 records the size alone.
  };
  /// Hands the exchange to this plugin's delivery half in the agent: the bytes are copied into the worker's
  /// ring, without a system call, a lock or an allocation. A full ring drops the record and counts it. Phase:
  /// log, once for each plugin.
  virtual void record(const RecordLimits& limits) = 0;

  /// Writes a line to the gateway's error log, prefixed with the plugin's name.
  virtual void log_error(std::string_view message) = 0;

 protected:
  ~Exchange() = default;
};

/// A piece of the response body on its way to the client. Phase: body_filter.
struct BodyChunk {
  std::string_view bytes;  ///< Empty where the piece lies in a file.
  bool last = false;
};

}  // namespace gibbon
