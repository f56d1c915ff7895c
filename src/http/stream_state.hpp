#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "http/loop.hpp"
#include "http/server.hpp"

namespace gibbon::http {

/// What the handle of a stream and its connection share.
class StreamState : public std::enable_shared_from_this<StreamState> {
 public:
  StreamState(std::weak_ptr<Connection> connection, std::shared_ptr<Loop> loop, StreamOptions options)
      : connection_(std::move(connection)), loop_(std::move(loop)), options_(std::move(options)) {}

  // Any thread.
  Push write(std::string piece);
  void end();
  [[nodiscard]] std::size_t waiting_bytes() const { return waiting_.load(); }

  // The connection's thread.
  struct Taken {
    std::string bytes;
    bool ended = false;
  };
  Taken take();
  void sent(std::size_t bytes);
  /// No more can be written. `Notice` says whether the owner has to learn of it.
  enum class Notice { kTell, kSilent };
  void close(Notice notice);

 private:
  void schedule();

  const std::weak_ptr<Connection> connection_;
  const std::shared_ptr<Loop> loop_;
  StreamOptions options_;
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> wants_drain_{false};
  std::mutex mutex_;
  std::string pending_;
  bool scheduled_ = false, ended_ = false, closed_ = false;
};

}  // namespace gibbon::http
