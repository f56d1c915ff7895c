#include "http/stream_state.hpp"

#include "http/connection.hpp"

namespace gibbon::http {

Push StreamState::write(std::string piece) {
  if (piece.empty()) return Push::kQueued;
  const std::lock_guard lock(mutex_);
  if (ended_ || closed_) return Push::kClosed;
  if (waiting_.load() > 0 && waiting_.load() + piece.size() > options_.max_waiting_bytes) {
    wants_drain_.store(true);
    // Only the connection's thread lowers the count, and it looks at the wish after it did.
    if (waiting_.load() > 0) return Push::kFull;
    wants_drain_.store(false);
  }
  waiting_.fetch_add(piece.size());
  if (pending_.empty()) {
    pending_ = std::move(piece);
  } else {
    pending_ += piece;
  }
  schedule();
  return Push::kQueued;
}

void StreamState::end() {
  const std::lock_guard lock(mutex_);
  if (ended_ || closed_) return;
  ended_ = true;
  schedule();
}

void StreamState::schedule() {
  if (scheduled_) return;
  scheduled_ = true;
  loop_->post([self = shared_from_this()] {
    if (const auto connection = self->connection_.lock()) connection->pump_stream();
  });
}

StreamState::Taken StreamState::take() {
  const std::lock_guard lock(mutex_);
  scheduled_ = false;
  return {std::exchange(pending_, {}), ended_};
}

void StreamState::sent(std::size_t bytes) {
  if (waiting_.fetch_sub(bytes) == bytes && wants_drain_.exchange(false) && options_.on_drained) {
    options_.on_drained();
  }
}

void StreamState::close(Notice notice) {
  StreamOptions options;
  bool ended = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    ended = ended_;
    pending_.clear();
  }
  std::swap(options, options_);  // What the callbacks hold is let go of.
  if (notice == Notice::kTell && !ended && options.on_closed) options.on_closed();
}

}  // namespace gibbon::http
