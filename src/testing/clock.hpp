#pragma once

#include <coroutine>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <utility>

#include "gibbon/task.hpp"

namespace gibbon::testing {

/// Virtual time, and the coroutines that wait for it.
class Clock {
 public:
  using Ticket = std::pair<std::int64_t, std::uint64_t>;  ///< When, and in which order.

  std::int64_t now_ms = 1'750'000'000'000;

  Ticket wait(std::int64_t delay_ms, std::coroutine_handle<> waiting) {
    const Ticket ticket{now_ms + (delay_ms > 0 ? delay_ms : 0), ++count_};
    waiting_.emplace(ticket, waiting);
    return ticket;
  }
  void forget(const Ticket& ticket) { waiting_.erase(ticket); }

  /// Runs a task to its end; time moves with what it waits for. Throws what the task throws, and std::logic_error where it
  /// waits for what never comes.
  void finish(Task<> task) {
    if (!task) return;
    task.start();
    while (!task.done()) {
      if (waiting_.empty()) throw std::logic_error("the handler waits for something that never comes");
      const auto first = waiting_.begin();
      const std::coroutine_handle<> next = first->second;
      if (first->first.first > now_ms) now_ms = first->first.first;
      waiting_.erase(first);
      next.resume();
    }
    task.result();
  }

 private:
  std::uint64_t count_ = 0;
  std::map<Ticket, std::coroutine_handle<>> waiting_;
};

/// An operation whose result is made when it is over, `delay_ms` after its start.
template <typename T, typename Make>
class Later final : public Operation<T> {
 public:
  Later(Clock& clock, std::int64_t delay_ms, Make make) : clock_(clock), delay_ms_(delay_ms), make_(std::move(make)) {}
  ~Later() override { clock_.forget(ticket_); }
  void start(std::coroutine_handle<> waiting) override { ticket_ = clock_.wait(delay_ms_, waiting); }
  T take() override { return make_(); }

 private:
  Clock& clock_;
  std::int64_t delay_ms_;
  Make make_;
  Clock::Ticket ticket_{};
};

template <typename T, typename Make>
Wait<T> later(Clock& clock, std::int64_t delay_ms, Make make) {
  return Wait<T>(std::make_unique<Later<T, Make>>(clock, delay_ms, std::move(make)));
}

}  // namespace gibbon::testing
