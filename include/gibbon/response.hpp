#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "gibbon/request.hpp"

namespace gibbon {

/// Kong's kong.response: the answer that the client receives. Reading: response and later.
class Response {
 public:
  /// Who made it: a plugin's exit() or error(), the gateway itself, or the upstream.
  enum class Source : std::uint8_t { kExit, kError, kService };
  [[nodiscard]] virtual Source source() const = 0;
  [[nodiscard]] virtual int status() const = 0;
  /// The first value of a header; empty where there is none. `name` in lower case.
  [[nodiscard]] virtual std::string_view header(std::string_view name) const = 0;
  virtual void each_header(HeaderVisitor visit) const = 0;

  /// Phases: response, header_filter.
  virtual void set_status(int status) = 0;
  // Phases: rewrite, access, response, header_filter. Names and values are copied. What rewrite and access set stays,
  // whether the upstream answers or a plugin.
  virtual void set_header(std::string_view name, std::string_view value) = 0;  ///< Replaces every one of that name.
  virtual void add_header(std::string_view name, std::string_view value) = 0;
  virtual void clear_header(std::string_view name) = 0;

  /// As Request::capture_body. Phases: rewrite, access, response, header_filter.
  virtual void capture_body(std::size_t limit_bytes) = 0;
  /// body_filter gets the whole body as one piece, the last. Nothing streams then. Phase: header_filter, where it
  /// takes Content-Length out as well.
  virtual void hold_body() = 0;
  /// The upstream's whole body. Phase: response.
  [[nodiscard]] virtual std::string_view body() const = 0;
  /// Another body; Content-Length follows. Phase: response, once for each handler.
  virtual void set_body(std::string_view bytes) = 0;

 protected:
  ~Response() = default;
};

/// A piece of the response body on its way to the client. Phase: body_filter.
class BodyChunk {
 public:
  std::string_view bytes;  ///< Empty where the piece lies in a file.
  bool last = false;

  /// Sends other bytes in its place, which are copied; once for each handler. The handlers that follow see these.
  /// Content-Length, where the answer has one, must have been cleared in header_filter.
  virtual void replace(std::string_view bytes) = 0;

 protected:
  ~BodyChunk() = default;
};

}  // namespace gibbon
