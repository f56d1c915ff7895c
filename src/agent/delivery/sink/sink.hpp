#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gibbon/delivery.hpp"

namespace gibbon::agent {

class HttpSender;

/// Entries on their way out.
struct SinkLoad {
  std::string_view lines;  ///< The entries, each with a newline behind it.
  std::size_t count = 0;
  std::string key;         ///< Of a single one: its id.
};

struct SinkAnswer {
  enum class Outcome {
    kDelivered,
    kAway,     ///< Nothing was taken now; another try may succeed.
    kRefused,  ///< Nothing was taken, and the entries may be to blame.
  } outcome = Outcome::kAway;
  std::string reason{};  ///< Where nothing was taken: "it answered 503".
  std::chrono::milliseconds retry_after{0};  ///< As the other end asked for.
};

/// The other end of an endpoint: what becomes of loads is the endpoint's business alone. Threads: the delivery thread.
class Sink {
 public:
  using Done = std::function<void(const SinkAnswer&)>;
  /// Breaks off what is under way: its `done` is not called any more.
  virtual ~Sink() = default;
  /// How many entries the next load may have at most.
  [[nodiscard]] virtual std::size_t most_entries() const = 0;
  /// Sends; `done` is called once, from here or later, and `lines` must live until then.
  virtual void send(SinkLoad load, Done done) = 0;
  /// Lets go of files that may have been moved away meanwhile.
  virtual void reopen() {}
};

/// `sender` must outlive it.
std::unique_ptr<Sink> make_sink(HttpSender& sender, const Destination& destination);

}  // namespace gibbon::agent
