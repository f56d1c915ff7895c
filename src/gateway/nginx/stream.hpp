#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gateway/nginx/ngx.hpp"
#include "gateway/nginx/outgoing_call.hpp"
#include "gibbon/async.hpp"

namespace gibbon::nginx {

/// A connection to another host, in clear or over TLS, on nginx's event loop. One operation at a time; each ends with
/// one call of its `done`, from the event loop and never from within the call that began it. `done` may destroy the
/// stream. No timer of it keeps a worker that shuts down. Event thread.
class Stream {
 public:
  using Verify = OutgoingCall::Verify;
  using Done = std::function<void()>;
  struct Failure {
    WaitError::Kind kind;
    std::string what;
  };

  Stream();
  /// Closes it. An operation that is under way ends without its `done`.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// `name`: "127.0.0.1:80", for texts. What was asked for before, and failed, is forgotten.
  void open(const sockaddr_storage& address, socklen_t length, std::string name, ngx_msec_t timeout, Done done);
  /// `tls` must outlive the stream. `server_name`: a name or an address, for SNI and for the certificate's check.
  void shake_hands(OutgoingTls& tls, std::string server_name, Verify verify, ngx_msec_t timeout, Done done);
  /// All of it.
  void write(std::string bytes, ngx_msec_t timeout, Done done);
  /// received() is then what was there: at most 16 KiB, empty where the other end has closed.
  void read(ngx_msec_t timeout, Done done);
  /// At rest for at most `idle`: `done` once that is over, or the other end has closed or said something.
  void rest(ngx_msec_t idle, Done done);
  /// Ends rest() without its `done`. False where it is over already.
  bool wake();

  /// Ends the operation under way without its `done`: the stream is closed, since nobody knows what was done of it.
  void stop();
  [[nodiscard]] bool busy() const { return static_cast<bool>(done_); }
  [[nodiscard]] bool is_open() const { return connection_ != nullptr; }
  /// Why the last operation failed; the stream is closed then.
  [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }
  std::string& received() { return received_; }

 private:
  using Step = void (Stream::*)();
  template <Step step>
  static void on_event(ngx_event_t* event) noexcept;
  static void on_timeout(ngx_event_t* event) noexcept;
  static void on_end(ngx_event_t* event) noexcept;
  static void on_handshake(ngx_connection_t* connection) noexcept;

  /// Throws where another operation is under way, or the stream is not open.
  void begin(const char* what, ngx_msec_t timeout, Done done);
  void connect(const sockaddr_storage& address, socklen_t length);
  void connected();
  void shaken();
  void go_on_writing();
  void go_on_reading();
  void disturbed();
  void listen_to_nothing();
  void wait_for(ngx_event_t* event, ngx_event_handler_pt handler);
  void finish();
  void fail(WaitError::Kind kind, std::string what);
  void close();

  std::string name_;
  ngx_pool_t* pool_ = nullptr;
  ngx_connection_t* connection_ = nullptr;
  ngx_event_t timer_{}, end_{};
  ngx_msec_t timeout_ = 0;
  const char* doing_ = "";
  Done done_;
  std::optional<Failure> failure_;

  std::string server_name_;
  Verify verify_ = Verify::kNothing;
  std::string to_write_, received_;
  std::size_t written_ = 0;
};

}  // namespace gibbon::nginx
