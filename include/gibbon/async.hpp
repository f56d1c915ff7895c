#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gibbon/task.hpp"

namespace gibbon {

/// Why something that was waited for did not come. Thrown by co_await.
class WaitError : public std::runtime_error {
 public:
  enum class Kind : std::uint8_t {
    kTimeout,     ///< The time that was allowed is over.
    kName,        ///< The name has no address, or no name server answered.
    kConnection,  ///< Refused, reset, or closed before the end.
    kTls,         ///< The handshake failed, or the certificate is not trusted.
    kProtocol,    ///< What came is no HTTP.
    kTooLarge,    ///< The answer exceeds its limit.
  };
  WaitError(Kind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
  [[nodiscard]] Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string url{};  ///< http or https, with a host and, where needed, a port, path and query.
  std::string method = "GET";
  HeaderList headers{};  ///< Host, Content-Length and Connection are the host's.
  std::string body{};
  std::chrono::milliseconds timeout{10000};  ///< Of all of it: name, connection, handshake, answer.
  std::size_t max_body_bytes = 1 << 20;      ///< Of the answer; more is kTooLarge.
  bool ssl_verify = true;                    ///< Against the gateway's lua_ssl_trusted_certificate.
};

struct HttpResponse {
  int status = 0;
  HeaderList headers{};
  std::string body{};
  /// The first value of a header, its name in any case; empty where there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// A TCP or TLS connection. One operation at a time. Its destruction closes it, unless it was kept. It must not outlive
/// the request, or the task, that connected.
class Socket {
 public:
  virtual ~Socket() = default;
  /// All of it.
  virtual Wait<void> write(std::string bytes) = 0;
  /// What is there, at least one byte and at most 16 KiB. Empty: the other end has closed.
  virtual Wait<std::string> read() = 0;
  /// How long write() and read() may take each. Default: the time of the connection.
  virtual void set_timeout(std::chrono::milliseconds timeout) = 0;
  /// Whether it was kept by an earlier user.
  [[nodiscard]] virtual bool reused() const = 0;
  /// Leaves it to the next connect() of equal options in this worker, for at most `idle`. It must be at rest. No use
  /// of it afterwards.
  virtual void keep(std::chrono::milliseconds idle) = 0;
};

struct ConnectOptions {
  std::string host{};  ///< A name or an address.
  std::uint16_t port = 0;
  std::chrono::milliseconds timeout{2000};
  bool tls = false;
  bool ssl_verify = true;
  std::string server_name{};  ///< For TLS; empty: the host.
  std::string pool{};         ///< Sockets are reused only by connect() with the same pool: a database, a user.
  std::size_t pool_size = 30; ///< How many idle ones are kept.
};

/// What a coroutine can wait for. Threads: the worker's event thread. Phases: rewrite, access, response, timer,
/// init_worker.
class Async {
 public:
  virtual Wait<void> sleep(std::chrono::milliseconds time) = 0;
  /// Throws WaitError; an answer of any status is an answer.
  virtual Wait<HttpResponse> http(HttpRequest request) = 0;
  /// The addresses of a name, as text, by the gateway's resolver. Throws WaitError.
  virtual Wait<std::vector<std::string>> resolve(std::string name) = 0;
  /// Throws WaitError.
  virtual Wait<std::unique_ptr<Socket>> connect(ConnectOptions options) = 0;

 protected:
  ~Async() = default;
};

inline std::string_view HttpResponse::header(std::string_view name) const {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  for (const auto& [key, value] : headers) {
    bool same = key.size() == name.size();
    for (std::size_t i = 0; same && i < name.size(); ++i) same = lower(key[i]) == lower(name[i]);
    if (same) return value;
  }
  return {};
}

}  // namespace gibbon
