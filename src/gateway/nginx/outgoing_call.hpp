#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gateway/nginx/ngx.hpp"

namespace gibbon::nginx {

/// The client side of TLS: trusted authorities, and a certificate of its own where it has one. Made once,
/// used by many calls at a time; must outlive them. Event thread.
class OutgoingTls {
 public:
  /// `trusted_file`: PEM, empty: nobody is trusted. `certificate`, `key`: PEM, empty: none. What cannot be
  /// read is told in `log` and left out. Null where OpenSSL has no memory.
  static std::unique_ptr<OutgoingTls> make(const std::string& trusted_file, const std::string& certificate,
                                           const std::string& key, ngx_log_t* log);
  ~OutgoingTls();
  OutgoingTls(const OutgoingTls&) = delete;
  OutgoingTls& operator=(const OutgoingTls&) = delete;
  ngx_ssl_t* context() { return &ssl_; }

 private:
  OutgoingTls() = default;
  ngx_ssl_t ssl_{};
};

/// One exchange over a connection of its own, on nginx's event loop: connect, shake hands, send a request,
/// read the status line. It goes as far as its goal and ends with one call of `done`. Event thread.
class OutgoingCall {
 public:
  enum class Goal : std::uint8_t { kConnection, kHandshake, kStatus };
  enum class Verify : std::uint8_t { kNothing, kChainAndName };
  struct Plan {
    sockaddr_storage address{};
    socklen_t address_length = 0;
    std::string name;  ///< Of the other end, for the log.
    Goal goal = Goal::kStatus;
    OutgoingTls* tls = nullptr;  ///< Null: in clear.
    std::string server_name;     ///< For SNI, and for the certificate's check.
    Verify verify = Verify::kNothing;
    std::string request;           ///< Bytes to send, where the goal is the status.
    ngx_msec_t timeout_ms = 1000;  ///< Of each step: connection, handshake, sending, reading.
  };
  struct Outcome {
    enum class End : std::uint8_t { kReached, kTimedOut, kFailed };
    End end = End::kFailed;
    int status = 0;       ///< Where the status line was read: 0 where it was none.
    std::string problem;  ///< What went wrong, for the log.
  };
  using Done = std::function<void(const Outcome&)>;

  /// `done` is called from the event loop, never from within this constructor; it may destroy the call.
  OutgoingCall(Plan plan, Done done, ngx_log_t* log);
  /// Ends the call where it stands, without `done`.
  ~OutgoingCall();
  OutgoingCall(const OutgoingCall&) = delete;
  OutgoingCall& operator=(const OutgoingCall&) = delete;

 private:
  using Step = void (OutgoingCall::*)();
  template <Step step>
  static void on_event(ngx_event_t* event) noexcept;
  static void on_timeout(ngx_event_t* event) noexcept;
  static void on_end(ngx_event_t* event) noexcept;
  static void on_handshake(ngx_connection_t* connection) noexcept;

  void begin();
  void wait_for(ngx_event_t* event, ngx_event_handler_pt handler);
  void connected();
  void start_handshake();
  void shaken();
  void send();
  void receive();
  void finish(Outcome outcome);
  void fail(std::string problem) { finish({Outcome::End::kFailed, 0, std::move(problem)}); }
  void close();

  Plan plan_;
  Done done_;
  ngx_log_t* log_;
  ngx_str_t name_{};
  ngx_pool_t* pool_ = nullptr;
  ngx_connection_t* connection_ = nullptr;
  ngx_event_t timer_{}, end_{};
  std::size_t sent_ = 0;
  std::string line_;
  Outcome outcome_;
  bool finished_ = false;
};

}  // namespace gibbon::nginx
