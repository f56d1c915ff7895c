#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "http/server.hpp"
#include "logs/store/store.hpp"

namespace gibbon::logs {

/// Server-sent events: each client has a position in the store, and one thread moves them all on when something new
/// is there. A client that falls too far behind is moved ahead and told how much it missed; what it asked for when it
/// came (a resumed stream) it gets in full. Without clients the thread sleeps.
class Tail {
 public:
  /// The store must outlive this. Errors: the store cannot be read.
  static Result<std::unique_ptr<Tail>> start(Store& store);
  /// The server whose streams these are must have stopped.
  ~Tail();

  /// Begins behind entry number `since`, or with the next new one. Threads: any.
  void subscribe(http::Responder responder, std::optional<std::uint64_t> since);
  /// Something was stored. Threads: any.
  void notify();
  [[nodiscard]] std::size_t clients() const { return count_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t skipped() const { return skipped_.load(std::memory_order_relaxed); }

 private:
  struct Client {
    std::shared_ptr<http::Stream> stream;
    std::uint64_t position = 0;  ///< The last entry that was sent or skipped.
    std::uint64_t promised = 0;  ///< Up to here nothing is skipped.
    std::atomic<bool> blocked{false}, closed{false};
  };
  struct Event {
    std::uint64_t seq;
    std::string text;
  };

  Tail(Store& store, std::unique_ptr<StoreReader> reader);
  void run();
  void wake();
  void advance(Client& client, std::uint64_t newest);
  const Event* event_after(std::uint64_t seq);
  static bool send(Client& client, std::string text);

  Store& store_;
  std::unique_ptr<StoreReader> reader_;
  std::vector<Event> events_;  ///< What was read last, in order: clients at the same place share it.
  std::atomic<std::size_t> count_{0};
  std::atomic<std::uint64_t> skipped_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::shared_ptr<Client>> clients_;
  bool work_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace gibbon::logs
