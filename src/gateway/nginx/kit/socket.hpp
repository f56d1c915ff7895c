#pragma once

#include "gateway/nginx/kit/operations.hpp"
#include "gateway/nginx/sockets.hpp"

namespace gibbon::nginx {

/// A plugin's connection: see Socket in include/gibbon/async.hpp. The caller must outlive it.
class SocketAdapter final : public Socket {
 public:
  SocketAdapter(Caller& caller, std::shared_ptr<Stream> stream, const ConnectOptions& options, bool reused);
  ~SocketAdapter() override;
  Wait<void> write(std::string bytes) override;
  Wait<std::string> read() override;
  void set_timeout(std::chrono::milliseconds timeout) override;
  [[nodiscard]] bool reused() const override { return reused_; }
  void keep(std::chrono::milliseconds idle) override;

 private:
  Caller& caller_;
  std::shared_ptr<Stream> stream_;  ///< Null once it was kept.
  std::string key_;
  std::size_t pool_size_;
  ngx_msec_t timeout_;
  bool reused_;
};

enum class Reuse : std::uint8_t { kKept, kNever };

/// Connects: a kept one where there is one, else name, connection and handshake, all within options.timeout. Throws
/// WaitError.
Task<std::unique_ptr<Socket>> connect_socket(Caller& caller, ConnectOptions options, Reuse reuse);

/// The addresses of a name or an address. Throws WaitError.
Task<std::vector<gateway::HostAnswer::Endpoint>> resolve_host(Caller& caller, std::string host,
                                                              std::chrono::milliseconds timeout);

}  // namespace gibbon::nginx
