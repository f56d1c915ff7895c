#pragma once

#include <cstdint>
#include <deque>

#include "record/ring.hpp"

namespace gibbon::agent {

/// How an entry ended, or that it has not yet.
enum class Fate : std::uint8_t { kOpen, kDelivered, kSpooled, kLost /* + record::LossReason */ };

constexpr Fate lost(record::LossReason reason) {
  return static_cast<Fate>(static_cast<std::uint8_t>(Fate::kLost) + static_cast<std::uint8_t>(reason));
}

/// The numbered entries that were taken up and are not all finished: a ring's or a spool's. They finish in any
/// order, and leave in theirs: only a prefix in which nothing is open can be taken out. Threads: one.
class Window {
 public:
  /// The next number is `next`.
  explicit Window(std::uint64_t next = 1) : first_(next) {}

  void push(Fate fate = Fate::kOpen) {
    fates_.push_back(fate);
    if (fate == Fate::kSpooled) ++spooled_;
  }
  /// Takes up everything below `next`.
  void extend_to(std::uint64_t next) {
    while (first_ + fates_.size() < next) push();
  }
  /// Ends an entry that is open; a second end changes nothing.
  void settle(std::uint64_t seq, Fate fate) {
    if (seq < first_ || seq - first_ >= fates_.size()) return;
    Fate& now = fates_[seq - first_];
    if (now != Fate::kOpen) return;
    now = fate;
    if (fate == Fate::kSpooled) ++spooled_;
  }
  /// Takes out the finished prefix and adds it to `outcomes`. Returns how many they were.
  std::uint64_t take_finished(record::Outcomes& outcomes) {
    std::uint64_t count = 0;
    for (; !fates_.empty() && fates_.front() != Fate::kOpen; ++count) {
      const Fate fate = fates_.front();
      fates_.pop_front();
      if (fate == Fate::kDelivered) {
        ++outcomes.delivered;
      } else if (fate == Fate::kSpooled) {
        ++outcomes.spooled;
        --spooled_;
      } else {
        ++outcomes.lost[static_cast<std::size_t>(fate) - static_cast<std::size_t>(Fate::kLost)];
      }
    }
    first_ += count;
    return count;
  }

  [[nodiscard]] std::uint64_t first() const { return first_; }
  [[nodiscard]] std::uint64_t next() const { return first_ + fates_.size(); }
  [[nodiscard]] std::uint64_t size() const { return fates_.size(); }
  /// Of these, how many are in the spool already.
  [[nodiscard]] std::uint64_t spooled() const { return spooled_; }
  [[nodiscard]] bool front_finished() const { return !fates_.empty() && fates_.front() != Fate::kOpen; }

 private:
  std::deque<Fate> fates_;
  std::uint64_t first_, spooled_ = 0;
};

}  // namespace gibbon::agent
