#include "agent/delivery/endpoint.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "agent/delivery/ring_source.hpp"
#include "schema/formats.hpp"

namespace gibbon::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxConnections = 10;
constexpr std::size_t kMaxBatchesInFlight = 4;
constexpr std::size_t kMaxUnlimitedSends = 100;
// A second batch starts while one is under way only when it is worth a request of its own.
constexpr std::size_t kWorthwhileEntries = 64;
constexpr std::size_t kWorthwhileBytes = 128 << 10;
constexpr std::size_t kMaxQueuedEntries = 10'000;
constexpr std::size_t kMaxQueuedBytes = 8 << 20;
constexpr auto kFirstBackOff = 10ms;
constexpr std::chrono::milliseconds kMaxBackOff = 5s;
constexpr auto kLogInterval = 10s;

std::string uuid_text(const std::array<std::uint8_t, 16>& id) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHex[id[i] >> 4];
    text += kHex[id[i] & 15];
  }
  return text;
}

/// The destination as it is sent to: with what its references refer to.
Destination with_secrets(Destination destination, const EndpointContext& context) {
  const auto replace = [&](std::string& text) {
    if (!context.secret || !schema::is_vault_reference(text)) return;
    auto value = context.secret(text);
    if (!value) spdlog::error("a log endpoint's secret is missing: {}", value.error().message);
    text = value ? std::move(*value) : std::string();
  };
  replace(destination.url);
  for (auto& [name, value] : destination.headers) replace(value);
  return destination;
}

}  // namespace

Endpoint::Endpoint(EndpointContext context, Destination destination)
    : context_(std::move(context)),
      destination_(std::move(destination)),
      shown_url_(without_userinfo(destination_.url)),
      sink_(make_sink(context_.sender, with_secrets(destination_, context_))) {}

std::size_t Endpoint::queued_entries() const {
  std::size_t count = 0;
  for (const BatchPtr& batch : ready_) count += batch->entries.size();
  return ready_.empty() ? 0 : count - next_;
}

std::size_t Endpoint::queued_bytes() const {
  std::size_t bytes = 0;
  for (const BatchPtr& batch : ready_) bytes += batch->bytes.size();
  if (next_ > 0) bytes -= ready_.front()->entries[next_ - 1].offset + ready_.front()->entries[next_ - 1].length + 1;
  return bytes;
}

bool Endpoint::queue_full() const {
  if (const auto& queue = destination_.queue) {
    if (queued_entries() >= queue->max_entries || (queue->max_bytes && queued_bytes() >= *queue->max_bytes)) return true;
  }
  return queued_entries() >= kMaxQueuedEntries || queued_bytes() >= kMaxQueuedBytes;
}

bool Endpoint::has_room(Clock::time_point now) {
  if (!spooling_ && destination_.queue && queue_full()) protect(now);
  if (!spooling_) return !queue_full();
  if (intake_ && intake_->full()) flush(now);
  return !spooling_ || !intake_ || !intake_->full();
}

Batch& Endpoint::open_batch(Clock::time_point now) {
  const auto fresh = [now] {
    auto batch = std::make_shared<Batch>();
    batch->created = now;
    return batch;
  };
  if (spooling_) {
    if (!intake_) intake_ = fresh();
    if (intake_->entries.empty()) intake_->created = now;
    return *intake_;
  }
  const std::size_t most = coalesced();
  if (ready_.empty() || ready_.back()->full() || (most > 0 && ready_.back()->entries.size() >= most))
    ready_.push_back(fresh());
  if (ready_.back()->entries.empty()) ready_.back()->created = now;
  return *ready_.back();
}

void Endpoint::added() {
  if (!spooling_) ++unsafe_;
}

bool Endpoint::empty() const {
  return in_flight_.empty() && retry_.empty() && ready_.empty() && (!intake_ || intake_->entries.empty()) &&
         (!spool_ || spool_->pending() == 0);
}

bool Endpoint::may_send(Clock::time_point now) const {
  if (failures_ > 0) return now >= not_before_ && in_flight_.empty();  // one at a time until one succeeds
  if (const auto& queue = destination_.queue) {
    const std::size_t most =
        queue->concurrency_limit < 0 ? kMaxUnlimitedSends : static_cast<std::size_t>(queue->concurrency_limit);
    return in_flight_.size() < most && (!retry_.empty() || batch_is_due(now));
  }
  if (in_flight_.empty()) return true;
  if (sink_->most_entries() == 1) return in_flight_.size() < kMaxConnections;
  if (in_flight_.size() >= kMaxBatchesInFlight) return false;
  return !retry_.empty() || queued_entries() >= kWorthwhileEntries || queued_bytes() >= kWorthwhileBytes;
}

std::size_t Endpoint::coalesced() const {
  const auto& queue = destination_.queue;
  return queue && queue->concurrency_limit > 0 && queue->max_batch_size > 1 ? queue->max_batch_size : 0;
}

bool Endpoint::batch_is_due(Clock::time_point now) const {
  const std::size_t most = coalesced();
  if (most == 0 || hurried_ || ready_.empty()) return true;
  // One that is sealed has waited: in memory, or in the spool.
  const Batch& batch = *ready_.front();
  return batch.sealed || batch.entries.size() - next_ >= most || ready_.size() > 1 ||
         now - batch.created >= std::chrono::duration<double>(destination_.queue->max_coalescing_delay);
}

/// Takes what goes out next: everything that a batch has, or one entry where the endpoint takes no batches.
bool Endpoint::next_send(Send* send) {
  const auto trim = [](Send& s) {  // entries that were given up meanwhile stand at the end
    while (s.count > 0 && s.batch->entries[s.first + s.count - 1].settled()) --s.count;
    while (s.count > 0 && s.batch->entries[s.first].settled()) ++s.first, --s.count;
  };
  while (!retry_.empty()) {
    Send& front = retry_.front();
    trim(front);
    if (front.count == 0) {
      retry_.pop_front();
      continue;
    }
    *send = front;
    send->count = std::min(send->count, sink_->most_entries());
    front.first += send->count;
    front.count -= send->count;
    if (front.count == 0) retry_.pop_front();
    return true;
  }
  while (!ready_.empty()) {
    *send = Send{ready_.front(), next_, ready_.front()->entries.size() - next_};
    trim(*send);
    if (send->count == 0) {
      ready_.pop_front();
      next_ = 0;
      continue;
    }
    send->count = std::min(send->count, sink_->most_entries());
    send->batch->sealed = true;
    next_ = send->first + send->count;
    if (next_ == send->batch->entries.size()) {
      ready_.pop_front();
      next_ = 0;
    }
    return true;
  }
  return false;
}

void Endpoint::start(Send send, Clock::time_point now) {
  send.started = now;
  in_flight_.push_back(std::move(send));
  const auto sent = std::prev(in_flight_.end());
  const Batch& batch = *sent->batch;
  const EntryRef& first = batch.entries[sent->first];
  const EntryRef& last = batch.entries[sent->first + sent->count - 1];
  ++activity_;
  SinkLoad load{std::string_view(batch.bytes).substr(first.offset, last.offset + last.length + 1 - first.offset),
                sent->count, {}};
  if (load.count == 1) load.key = uuid_text(first.id);
  // Last: it may be done at once.
  sink_->send(std::move(load), [this, sent](const SinkAnswer& answer) { finished(sent, answer); });
}

void Endpoint::pump(Clock::time_point now) {
  if (spooling_) {
    flush(now);
    refill();
    return_to_direct(now);
  }
  Send send;
  while (may_send(now) && next_send(&send)) {
    start(std::move(send), now);
    if (spooling_) refill();
  }
}

void Endpoint::settle(EntryRef& entry, Fate fate) {
  if (entry.spool_seq != 0) {
    spool_->settle(entry.spool_seq, fate);
  } else if (entry.ring != nullptr) {
    entry.ring->settle(entry.ring_seq, fate);
    --unsafe_;
  }
  entry.ring = nullptr;
  entry.spool_seq = 0;
}

void Endpoint::finished(std::list<Send>::iterator sent, const SinkAnswer& answer) {
  Send send = std::move(*sent);
  in_flight_.erase(sent);
  ++activity_;
  switch (answer.outcome) {
    case SinkAnswer::Outcome::kDelivered:
      delivered_ += send.count;
      for (std::size_t i = 0; i < send.count; ++i) settle(send.batch->entries[send.first + i], Fate::kDelivered);
      succeeded();
      break;
    case SinkAnswer::Outcome::kAway:
      failed(send, answer.reason, answer.retry_after);
      retry_.push_front(std::move(send));
      protect(Clock::now());
      break;
    case SinkAnswer::Outcome::kRefused: refused(std::move(send), answer); break;
  }
}

void Endpoint::succeeded() {
  if (away_logged_) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - away_since_).count();
    spdlog::info("log endpoint {} is back after {} s; {} entries waited", shown_url_, seconds,
                 spool_ ? spool_->pending() : 0);
    away_logged_ = false;
  }
  failures_ = 0;
}

/// How long to wait after the next failure in a row.
std::chrono::milliseconds Endpoint::back_off() {
  if (const auto& queue = destination_.queue) {
    const double seconds = std::min(queue->max_retry_delay, queue->initial_retry_delay * std::exp2(std::min(failures_, 60u)));
    return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
  }
  const auto delay = std::min(kMaxBackOff, kFirstBackOff * (1 << std::min(failures_, 10u)));
  const auto jitter = std::chrono::milliseconds(random_() % (static_cast<std::uint64_t>(delay.count()) / 2 + 1));
  return delay * 3 / 4 + jitter;
}

void Endpoint::failed(const Send& send, const std::string& reason, std::chrono::milliseconds retry_after) {
  const auto now = Clock::now();
  ++retries_;
  last_error_ = reason;
  if (failures_ == 0) away_since_ = now;
  // Sends that were under way together fail together: that is one failure.
  if (failures_ == 0 || send.started >= last_failure_) {
    not_before_ = now + back_off();
    ++failures_;
    last_failure_ = now;
  }
  not_before_ = std::max(not_before_, now + retry_after);
  if (!away_logged_ && now - away_logged_at_ > kLogInterval) {
    spdlog::warn("log endpoint {} is away: {}; entries wait in the spool", shown_url_, reason);
    away_logged_ = true;
    away_logged_at_ = now;
  }
}

/// The endpoint will not have it. Of a batch it may be one entry alone: halves find that one soon. A queue tries that
/// one again for a while, as Kong's do.
void Endpoint::refused(Send send, const SinkAnswer& answer) {
  const auto now = Clock::now();
  if (send.count > 1) {
    succeeded();
    last_error_ = answer.reason;
    const std::size_t half = send.count / 2;
    retry_.push_front(Send{send.batch, send.first + half, send.count - half});
    retry_.push_front(Send{send.batch, send.first, half});
    ++retries_;
    return;
  }
  if (destination_.queue) {
    if (send.refused_since == Clock::time_point{}) send.refused_since = now;
    if (now - send.refused_since <= std::chrono::duration<double>(destination_.queue->max_retry_time)) {
      failed(send, answer.reason, {});
      retry_.push_front(std::move(send));
      protect(now);
      return;
    }
  }
  succeeded();
  last_error_ = answer.reason;
  settle(send.batch->entries[send.first], lost(record::LossReason::kRejected));
  ++refused_unlogged_;
  if (now - refused_logged_at_ < kLogInterval) return;
  spdlog::warn("log endpoint {} refused {} entries for good, the last time {}", shown_url_, refused_unlogged_,
               answer.reason);
  refused_unlogged_ = 0;
  refused_logged_at_ = now;
}

EndpointMetrics Endpoint::metrics(std::uint64_t now_ms) const {
  EndpointMetrics m;
  m.url = shown_url_;
  m.state = failures_ > 0 ? EndpointMetrics::State::kAway
            : spooling_   ? EndpointMetrics::State::kSpooling
                          : EndpointMetrics::State::kDirect;
  m.in_flight = in_flight_.size();
  m.queued_entries = queued_entries();
  m.queued_bytes = queued_bytes();
  for (const Send& send : retry_) m.queued_entries += send.count;
  if (spool_) {
    m.spool_entries = spool_->pending();
    m.spool_bytes = spool_->bytes();
  }
  m.delivered = delivered_;
  m.retries = retries_;
  m.last_error = last_error_;
  std::uint64_t oldest = now_ms;
  const auto see = [&](const EntryRef& entry) {
    if (entry.captured_ms != 0) oldest = std::min(oldest, entry.captured_ms);
  };
  for (const Send& send : in_flight_) see(send.batch->entries[send.first]);
  for (const Send& send : retry_) see(send.batch->entries[send.first]);
  if (!ready_.empty() && next_ < ready_.front()->entries.size()) see(ready_.front()->entries[next_]);
  m.lag_ms = now_ms - oldest;
  return m;
}

}  // namespace gibbon::agent
