#pragma once

#include <atomic>
#include <memory>

#include "http/connection.hpp"
#include "http/server.hpp"

namespace gibbon::http {

/// The one answer that a request can get.
class Exchange {
 public:
  explicit Exchange(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  /// Whether the caller is the first to answer. Threads: any.
  bool claim() { return !claimed_.exchange(true); }
  void send(Response response);
  void start(Response head, std::shared_ptr<StreamState> stream);
  [[nodiscard]] std::shared_ptr<StreamState> stream_state(StreamOptions options) const;

 private:
  std::shared_ptr<Connection> connection_;
  std::atomic<bool> claimed_{false};
};

}  // namespace gibbon::http
