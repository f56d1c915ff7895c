#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "gibbon/request.hpp"

/// The gateway's other side: what goes to the upstream, and what comes from it.
namespace gibbon {

/// Kong's kong.service.request: the request on its way to the upstream, with what plugins have changed so far.
/// Phases: rewrite, access; reading: all later ones too. Names and values are copied.
class ServiceRequest {
 public:
  [[nodiscard]] virtual std::string_view method() const = 0;
  /// The path that is asked for, percent-encoded, without its query. Empty before the route is known.
  [[nodiscard]] virtual std::string_view path() const = 0;
  [[nodiscard]] virtual std::string_view query() const = 0;
  /// Headers of the client that no plugin took out, and those that plugins set. Not yet those that the gateway adds
  /// (Host, X-Forwarded-*). The first value, or empty.
  [[nodiscard]] virtual std::string_view header(std::string_view name) const = 0;
  virtual void each_header(HeaderVisitor visit) const = 0;
  /// Phases: access, of a handler whose reads_body() asked for the body.
  [[nodiscard]] virtual Body body() const = 0;

  /// "GET", and every other that HTTP knows.
  virtual void set_method(std::string_view method) = 0;
  /// Begins with '/'; what is no character of a path is percent-encoded. Phase: access.
  virtual void set_path(std::string_view path) = 0;
  /// As it goes on the wire, without the '?'; empty: none. Phase: access.
  virtual void set_query(std::string_view query) = 0;
  /// Replaces every header of that name; '_' and '-' in names are the same. "Host" is what the upstream is told.
  virtual void set_header(std::string_view name, std::string_view value) = 0;
  /// One more header beside those of that name.
  virtual void add_header(std::string_view name, std::string_view value) = 0;
  virtual void clear_header(std::string_view name) = 0;
  /// Takes every argument of that name out of the query. Phase: access.
  virtual void clear_query_argument(std::string_view name) = 0;
  /// Takes a field out of the body: see Request::find_body_field(). Phase: access.
  virtual void clear_body_field(std::string_view name) = 0;
  /// Another body; Content-Length follows. Phase: access, of a handler whose reads_body() asked for the body.
  virtual void set_body(std::string_view bytes) = 0;

 protected:
  ~ServiceRequest() = default;
};

/// Kong's kong.service: where the request goes. Phase: access.
class Service {
 public:
  /// Another upstream, by its name. False where there is none of that name.
  virtual bool set_upstream(std::string_view name) = 0;
  /// Another host, by name or address, or the name of an upstream.
  virtual void set_target(std::string_view host, std::uint16_t port) = 0;
  /// How many more peers are tried after the first: 0 to 32767.
  virtual void set_retries(std::uint32_t retries) = 0;
  virtual void set_timeouts(std::chrono::milliseconds connect, std::chrono::milliseconds write,
                            std::chrono::milliseconds read) = 0;

 protected:
  ~Service() = default;
};

/// Kong's kong.service.response: the answer as the upstream gave it. Phases: response and later.
class ServiceResponse {
 public:
  /// 0 where no upstream answered.
  [[nodiscard]] virtual int status() const = 0;
  [[nodiscard]] virtual std::string_view header(std::string_view name) const = 0;
  virtual void each_header(HeaderVisitor visit) const = 0;

 protected:
  ~ServiceResponse() = default;
};

/// Kong's kong.router: what matched. Views live until the exchange ends.
struct RouteView {
  std::string_view id, name;  ///< name: empty where null.
};
struct ServiceView {
  std::string_view id, name, protocol, host, path;
  std::uint16_t port = 0;
};

class Router {
 public:
  /// Null before the route is known, and where none matched. Phases: rewrite and later.
  [[nodiscard]] virtual const RouteView* route() const = 0;
  /// Null as well where the route has no service.
  [[nodiscard]] virtual const ServiceView* service() const = 0;

 protected:
  ~Router() = default;
};

}  // namespace gibbon
