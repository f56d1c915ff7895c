#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/message.hpp"

/// A small HTTP/1.1 server for the agent's Admin API and the log service.
///
/// A fixed number of threads, each with its own event loop; a connection stays on the loop that it was given (with more
/// than one, a further thread accepts). A handler that blocks holds up the clients of its own loop. Requests
/// are read whole, one at a time per connection, and handed to one handler on the connection's own thread; pipelined
/// ones wait in the order in which they came. Nothing polls: a server without traffic sleeps.
///
/// The server itself answers, in JSON (`{"message":"..."}`): 400 malformed request, 408 request not complete in time,
/// 413 body too large, 417 unknown expectation, 431 header too large, 503 too many connections, 505 unknown version.
/// HEAD is handed to the handler as it came; the body of the answer is left out, its Content-Length kept.
namespace gibbon::http {

/// One address to listen on.
struct Listen {
  std::string host = "127.0.0.1";  ///< An IPv4 or IPv6 address, without brackets. "::" listens on IPv6 alone.
  std::uint16_t port = 0;          ///< 0: any free port; Server::listening() tells which.
  std::string certificate_file;    ///< PEM, with its chain. Set together with the key: this listener speaks TLS.
  std::string key_file;
  /// PEM: authorities. Where it is set, a client without a certificate of theirs is refused in the handshake.
  std::string client_authorities_file;
  [[nodiscard]] bool tls() const { return !certificate_file.empty(); }
};

/// Whether the certificate, the key and the authorities of an address could be used, without listening there.
Status check_tls(const Listen& listen);

/// "127.0.0.1:8001", "[::1]:8001", "localhost:8001", or a port alone (which means 127.0.0.1).
/// Errors: says what is wrong with `text` and shows the form that would be right.
Result<Listen> parse_listen(std::string_view text);

struct ServerOptions {
  std::vector<Listen> listen;
  unsigned threads = 1;
  std::string server_header = "gibbon/" GIBBON_VERSION;  ///< Of answers that have no Server header; "": none.
  std::size_t max_header_bytes = 64 * 1024;       ///< Request line and headers.
  std::uint64_t max_body_bytes = 16 * 1024 * 1024;
  std::size_t max_connections = 10'000;
  std::chrono::milliseconds idle_timeout{75'000};   ///< Between two requests of a connection.
  std::chrono::milliseconds read_timeout{60'000};   ///< Without a byte in the middle of a request, or of a handshake.
  std::chrono::milliseconds write_timeout{60'000};  ///< Without a byte taken by a client that has an answer to read.
};

/// What waits for a client whose answer is a stream.
enum class Push {
  kQueued,  ///< Will be sent.
  kFull,    ///< Not taken: the client is slow. on_drained tells when there is room again.
  kClosed   ///< Not taken: the client is gone, or the stream was ended.
};

/// An answer that is sent piece by piece: chunked, or until the connection closes for a client of HTTP/1.0.
/// Threads: any. Ownership: the stream is ended when the last copy of its handle goes.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Sends `piece` after those before it. A piece larger than the bound is taken when nothing else waits.
  virtual Push write(std::string piece) = 0;
  /// Ends the answer after what was written; the connection can take the next request then.
  virtual void end() = 0;
  /// Bytes written and not yet taken by the client's socket.
  [[nodiscard]] virtual std::size_t waiting_bytes() const = 0;
};

struct StreamOptions {
  std::size_t max_waiting_bytes = 1024 * 1024;
  /// The client is gone, or the server stops. Once, on the connection's thread; not after end(). Must not block.
  std::function<void()> on_closed;
  /// Everything that was written has gone to the socket after a kFull. On the connection's thread. Must not block.
  std::function<void()> on_drained;
};

class Exchange;

/// The right to answer one request, once, now or later.
/// Threads: any; the answer goes out on the connection's own thread. Ownership: movable; one that goes away unused
/// answers 500. It may outlive the server: then nothing happens.
class Responder {
 public:
  explicit Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  /// Sends a whole answer. Later calls do nothing.
  void send(Response response);
  /// Sends status and headers of `head` (and its body as the first piece), then what is written to the stream.
  /// For a HEAD request the stream is closed from the start.
  std::shared_ptr<Stream> start(Response head, StreamOptions options = {});

 private:
  std::shared_ptr<Exchange> exchange_;
};

/// Answers at once, on the connection's thread. What it throws becomes a 500.
using Handler = std::function<Response(const Request&)>;
/// Answers through the responder, at once or later. `request` may be moved from, and lives until the call returns.
using AsyncHandler = std::function<void(Request& request, Responder responder)>;

struct ServerStats {
  std::uint64_t accepted = 0;     ///< Connections, ever.
  std::uint64_t connections = 0;  ///< Open now.
  std::uint64_t requests = 0;     ///< Handed to the handler, ever.
  std::uint64_t refused = 0;      ///< Answered by the server itself: malformed, too large, too many.
};

/// A running server. Threads: any may call, but stop() and the destructor not from a handler.
class Server {
 public:
  /// Binds every address, then starts the threads.
  /// Errors: an address that cannot be bound (nothing listens then), a certificate or key that cannot be used.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);
  static Result<std::unique_ptr<Server>> start_async(ServerOptions options, AsyncHandler handler);
  /// stop() without grace, where it was not called.
  ~Server();

  /// The addresses of ServerOptions::listen with their real ports, in the same order.
  [[nodiscard]] const std::vector<Listen>& listening() const;
  [[nodiscard]] std::uint16_t port() const { return listening().front().port; }
  [[nodiscard]] ServerStats stats() const;

  /// Closes the listeners, idle connections and streams, gives requests under way `grace` to be answered (their
  /// answers say `Connection: close`), closes what is left, and joins the threads. Again: does nothing.
  void stop(std::chrono::milliseconds grace = std::chrono::seconds(5));

  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

/// `{"message": text}` with its content type; the shape of all errors.
Response error_response(int status, std::string_view message);
/// The standard reason phrase; "Unknown" where there is none.
std::string_view reason_phrase(int status);

}  // namespace gibbon::http
