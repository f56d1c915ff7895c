#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_set>

#include "agent/delivery/window.hpp"
#include "record/ring.hpp"

namespace gibbon::agent {

/// One ring as the delivery sees it: what was read of it and is not released yet, and what of it is in the spool
/// already since an agent before this one was killed. Threads: the delivery thread.
class RingSource {
 public:
  RingSource(record::RingConsumer consumer, ino_t file) : consumer_(std::move(consumer)), file_(file) { reset(); }

  /// The next record that needs an entry; null when there is none. The same one until taken().
  const record::RingConsumer::Item* peek() {
    while (!has_item_) {
      if (!consumer_.next(&item_)) return nullptr;
      if (item_.type == record::kDamagedRecord) {
        for (std::uint64_t i = 0; i < item_.records; ++i) push(lost(record::LossReason::kDamaged));
      } else if (already_spooled_.erase(item_.seq) > 0) {
        push(Fate::kSpooled);
      } else {
        has_item_ = true;
      }
    }
    return &item_;
  }
  /// The record that peek() gave is taken up: settle() will be called for its seq.
  void taken() {
    push(Fate::kOpen);
    has_item_ = false;
  }
  void settle(std::uint64_t seq, Fate fate) { window_.settle(seq, fate); }

  /// Lets the ring have back what is finished.
  void release() {
    if (!window_.front_finished()) return;
    record::Outcomes outcomes;
    std::uint64_t count = window_.take_finished(outcomes), end = 0;
    for (; count > 0; --count) {
      end = ends_.front();
      ends_.pop_front();
    }
    consumer_.release(end, outcomes);
  }

  /// Goes on with the ring that has taken the place of this one, which was empty.
  void replace(record::RingConsumer consumer, ino_t file) {
    consumer_ = std::move(consumer);
    file_ = file;
    reset();
  }

  /// At start: a record that recovery found in the spool.
  void note_spooled(std::uint64_t seq) {
    if (seq > consumer_.ledger().records) already_spooled_.insert(seq);
  }

  [[nodiscard]] const record::RingConsumer& consumer() const { return consumer_; }
  [[nodiscard]] std::uint64_t id() const { return consumer_.header().id; }
  [[nodiscard]] ino_t file() const { return file_; }
  [[nodiscard]] const Window& window() const { return window_; }
  [[nodiscard]] std::uint64_t already_spooled() const { return already_spooled_.size(); }
  [[nodiscard]] std::uint64_t released_seq() const { return window_.first() - 1; }
  [[nodiscard]] bool pressed() const { return consumer_.unreleased_bytes() > consumer_.header().capacity / 4; }
  [[nodiscard]] bool nearly_full() const {
    return consumer_.unreleased_bytes() > consumer_.header().capacity / 4 * 3;
  }

 private:
  void reset() {
    window_ = Window(consumer_.ledger().records + 1);
    ends_.clear();
    has_item_ = false;
  }
  void push(Fate fate) {
    window_.push(fate);
    ends_.push_back(item_.end);
  }

  record::RingConsumer consumer_;
  ino_t file_;
  Window window_;
  std::deque<std::uint64_t> ends_;
  std::unordered_set<std::uint64_t> already_spooled_;
  record::RingConsumer::Item item_;
  bool has_item_ = false;
};

}  // namespace gibbon::agent
