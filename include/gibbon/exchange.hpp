#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gibbon/async.hpp"
#include "gibbon/client.hpp"
#include "gibbon/ctx.hpp"
#include "gibbon/node.hpp"
#include "gibbon/phase.hpp"
#include "gibbon/request.hpp"
#include "gibbon/response.hpp"
#include "gibbon/service.hpp"

namespace gibbon {

/// How long an exchange took, and how much went over the wire.
struct Timings {
  std::int64_t request_ms = 0;   ///< From its first byte to now.
  std::int64_t gateway_ms = 0;   ///< Of it, what the gateway took before it asked the upstream, or to answer itself.
  std::int64_t upstream_ms = -1; ///< From there to the head of the upstream's answer; -1: no upstream was asked.
  std::uint64_t bytes_received = 0, bytes_sent = 0;  ///< With head and body, of this request alone.
};

/// What a configuration of a plugin was made for: ids, each empty where it is for all of them.
struct PluginScope {
  std::string_view plugin_id;  ///< Of the configuration itself: never empty.
  std::string_view service_id, route_id, consumer_id;
};

/// One request and its answer, from the first phase that sees it to the log phase: Kong's `kong`.
/// A function that is called in a phase for which it is not meant throws PhaseError and does nothing.
/// Threads: the event thread of the worker that owns it; nothing may keep it beyond the handler's end.
class Exchange : public Async {
 public:
  [[nodiscard]] virtual Phase phase() const = 0;
  virtual Request& request() = 0;
  virtual ServiceRequest& service_request() = 0;
  virtual Service& service() = 0;
  virtual ServiceResponse& service_response() = 0;
  virtual Response& response() = 0;
  virtual Router& router() = 0;
  virtual Client& client() = 0;
  virtual Entities& entities() = 0;
  virtual Ctx& ctx() = 0;
  virtual Node& node() = 0;
  virtual Log& log() = 0;

  /// Answers the client and skips what would have come after: the access phase of the plugins that follow, and the
  /// upstream. Phases: rewrite, access, response; header_filter without a body. Once: a second answer throws.
  /// `body` is copied. An empty `content_type` means JSON.
  virtual void exit(int status, std::string_view body = {}, std::string_view content_type = {}) = 0;
  /// The same with Kong's error body: the message and the request's id, as JSON, HTML, XML or plain text,
  /// whichever the client's Accept header prefers; for gRPC a status.
  virtual void error(int status, std::string_view message) = 0;

  /// Of the configuration that the running handler was given. Phases: rewrite and later.
  [[nodiscard]] virtual PluginScope scope() const = 0;
  /// Phase: log.
  [[nodiscard]] virtual Timings timings() const = 0;

  struct RecordLimits {
    std::optional<std::size_t>
        request_body_bytes;  ///< How much of a captured body goes along; unset: no body.
    std::optional<std::size_t> response_body_bytes;  ///< 0 records the size alone.
  };
  /// Hands the exchange to this plugin's delivery half in the agent: the bytes are copied into the worker's
  /// ring, without a system call, a lock or an allocation. A full ring drops the record and counts it. Phase:
  /// log, once for each plugin.
  virtual void record(const RecordLimits& limits) = 0;
  /// A field of what record() hands over: Kong's kong.log.set_serialize_value(). `path` is dotted ("request.tenant"),
  /// `json` a JSON value, empty: the field is taken out. Phases: rewrite and later.
  virtual void set_serialize_value(std::string_view path, std::string_view json) = 0;
  /// Puts an entry into this plugin's queue: the bytes travel through the ring to encode_entry() and on to
  /// destination(), as records do. Phases: all with an exchange. A full ring drops it and counts it.
  virtual void enqueue(std::string_view entry) = 0;

 protected:
  ~Exchange() = default;
};

}  // namespace gibbon
