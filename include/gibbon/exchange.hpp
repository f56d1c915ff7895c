#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace gibbon {

/// Calls `visit(name, value)`; a plain pair of pointers, so that a visit costs no allocation.
class HeaderVisitor {
 public:
  template <typename F>
  HeaderVisitor(F& visit)  // NOLINT: implicit by design
      : context_(&visit),
        call_([](void* f, std::string_view n, std::string_view v) { (*static_cast<F*>(f))(n, v); }) {}
  void operator()(std::string_view name, std::string_view value) const { call_(context_, name, value); }

 private:
  void* context_;
  void (*call_)(void*, std::string_view, std::string_view);
};

/// The request as the client sent it. Every phase. Views live until the exchange ends.
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
  /// Keeps the first `limit_bytes` of the body as it passes; it is never held, and never read for this alone.
  /// Phases: rewrite, access. The largest limit of all plugins counts.
  virtual void capture_body(std::size_t limit_bytes) = 0;

 protected:
  ~Request() = default;
};

/// The response as the client receives it. Phases: header_filter, body_filter, log.
class Response {
 public:
  [[nodiscard]] virtual int status() const = 0;
  [[nodiscard]] virtual std::string_view header(std::string_view name) const = 0;
  virtual void each_header(HeaderVisitor visit) const = 0;
  /// Phase: header_filter. Copies name and value.
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
  virtual Response& response() = 0;

  /// Answers the client at once and skips what would have come after. Phases: rewrite, access.
  /// `body` is copied. An empty `content_type` means JSON.
  virtual void exit(int status, std::string_view body, std::string_view content_type = {}) = 0;

  struct RecordLimits {
    std::optional<std::size_t> request_body_bytes;   ///< How much of a captured body goes along; unset: no body.
    std::optional<std::size_t> response_body_bytes;  ///< 0 records the size alone.
  };
  /// Hands the exchange to this plugin's delivery half in the agent: the bytes are copied into the worker's ring,
  /// without a system call, a lock or an allocation. A full ring drops the record and counts it.
  /// Phase: log, once for each plugin.
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
