#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "agent/delivery/endpoint.hpp"
#include "agent/delivery/ring_source.hpp"
#include "base/json.hpp"

namespace gibbon::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto kMaxUnsafeAge = 500ms;
constexpr auto kMaxUnsafeAgePressed = 50ms;
constexpr auto kDiskRetryInterval = 500ms;
constexpr auto kSlowLogInterval = 60s;
constexpr std::size_t kReadAheadBytes = 2 << 20;
constexpr std::uint64_t kMinSegmentBytes = 64 << 10, kMaxSegmentBytes = 16 << 20;

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

json::object queue_meta(const Queue& q) {
  json::object meta{{"max_batch_size", q.max_batch_size},
                    {"max_coalescing_delay", q.max_coalescing_delay},
                    {"max_entries", q.max_entries},
                    {"max_retry_time", q.max_retry_time},
                    {"initial_retry_delay", q.initial_retry_delay},
                    {"max_retry_delay", q.max_retry_delay},
                    {"concurrency_limit", q.concurrency_limit}};
  if (q.max_bytes) meta["max_bytes"] = *q.max_bytes;
  return meta;
}

/// Throws where it is damaged.
Queue read_queue(const json::object& meta) {
  Queue q;
  q.max_batch_size = meta.at("max_batch_size").to_number<std::uint32_t>();
  q.max_coalescing_delay = meta.at("max_coalescing_delay").to_number<double>();
  q.max_entries = meta.at("max_entries").to_number<std::uint32_t>();
  q.max_retry_time = meta.at("max_retry_time").to_number<double>();
  q.initial_retry_delay = meta.at("initial_retry_delay").to_number<double>();
  q.max_retry_delay = meta.at("max_retry_delay").to_number<double>();
  q.concurrency_limit = meta.at("concurrency_limit").to_number<std::int32_t>();
  if (const json::value* bytes = meta.if_contains("max_bytes")) q.max_bytes = bytes->to_number<std::uint64_t>();
  return q;
}

std::string meta_text(const Destination& d) {
  json::object meta{{"version", 1},
                    {"url", d.url},
                    {"timeout_ms", d.timeout_ms},
                    {"keepalive_ms", d.keepalive_ms},
                    {"content_type", d.content_type}};
  if (!d.headers.empty()) {
    json::object& headers = meta["headers"].emplace_object();
    for (const auto& [name, value] : d.headers) headers[name] = value;
  }
  // What most destinations do not have, so that these keep their names.
  if (d.kind == Destination::Kind::kFile) meta["kind"] = "file";
  if (d.reopen) meta["reopen"] = true;
  if (d.method != "POST") meta["method"] = d.method;
  if (!d.ssl_verify) meta["ssl_verify"] = false;
  if (d.queue) meta["queue"] = queue_meta(*d.queue);
  return json::serialize(meta) + "\n";
}

}  // namespace

std::string Endpoint::directory_name(const Destination& destination) {
  char name[20];
  std::snprintf(name, sizeof name, "%016llx", static_cast<unsigned long long>(fnv1a(meta_text(destination))));
  return name;
}

Result<Destination> Endpoint::read_meta(FileSystem& files, const std::string& directory) {
  Result<std::string> text = files.read(directory + "/meta.json");
  if (!text) return text.error();
  const Error damaged{directory + "/meta.json is damaged", {}};
  boost::system::error_code code;
  const json::value value = json::parse(*text, code);
  if (code || !value.is_object()) return damaged;
  const json::object& object = value.get_object();
  const auto string = [&](const char* key) { return object.if_contains(key) ? object.at(key).if_string() : nullptr; };
  const auto number = [&](const char* key, std::uint32_t fallback) {
    const json::value* v = object.if_contains(key);
    return v != nullptr && v->is_int64() ? static_cast<std::uint32_t>(v->get_int64()) : fallback;
  };
  if (string("url") == nullptr || string("content_type") == nullptr) return damaged;
  Destination destination;
  destination.url = std::string(*string("url"));
  destination.content_type = std::string(*string("content_type"));
  destination.timeout_ms = number("timeout_ms", destination.timeout_ms);
  destination.keepalive_ms = number("keepalive_ms", destination.keepalive_ms);
  try {
    if (string("kind") != nullptr) {
      if (*string("kind") != "file") return damaged;
      destination.kind = Destination::Kind::kFile;
    }
    if (string("method") != nullptr) destination.method = std::string(*string("method"));
    if (const json::value* reopen = object.if_contains("reopen")) destination.reopen = reopen->as_bool();
    if (const json::value* verify = object.if_contains("ssl_verify")) destination.ssl_verify = verify->as_bool();
    if (const json::value* queue = object.if_contains("queue")) destination.queue = read_queue(queue->as_object());
  } catch (const std::exception&) {
    return damaged;
  }
  if (const json::value* headers = object.if_contains("headers")) {
    if (!headers->is_object()) return damaged;
    for (const auto& header : headers->get_object()) {
      if (!header.value().is_string()) return damaged;
      destination.headers.emplace_back(header.key(), std::string(header.value().get_string()));
    }
  }
  return destination;
}

Status Endpoint::recover(const Spool::Seen& seen) {
  const std::string directory = context_.spool_directory + "/" + directory_name(destination_);
  if (Status made = context_.files.make_directory(directory); !made) return made;
  if (Status written = context_.files.replace(directory + "/meta.json", meta_text(destination_)); !written)
    return written;
  const std::uint64_t segment = std::clamp(context_.budget.max_bytes / 16, kMinSegmentBytes, kMaxSegmentBytes);
  Result<std::unique_ptr<Spool>> spool = Spool::open(context_.files, context_.budget, {directory, segment}, seen);
  if (!spool) return spool.error();
  spool_ = std::move(*spool);
  if (spool_->pending() > 0) {
    spooling_ = true;
    spdlog::info("{} entries for log endpoint {} wait in the spool", spool_->pending(), shown_url_);
  }
  return {};
}

bool Endpoint::ensure_spool(Clock::time_point now) {
  if (now < spool_retry_at_) return false;
  if (spool_) return true;
  Status opened = recover([](std::uint64_t, std::uint64_t) {});
  if (opened.ok()) return true;
  spool_retry_at_ = now + kDiskRetryInterval;
  if (!spool_error_logged_) spdlog::error("the spool fails, entries stay in memory: {}", opened.error().message);
  spool_error_logged_ = true;
  return false;
}

bool Endpoint::store(Batch& batch, std::size_t first, std::size_t count) {
  storing_.clear();
  for (std::size_t i = first; i < first + count; ++i)
    if (batch.entries[i].unsafe()) storing_.push_back(&batch.entries[i]);
  std::size_t done = 0;
  const Spool::Appended appended = spool_->append(batch, storing_.data(), storing_.size(), &done);
  for (std::size_t i = 0; i < done; ++i) storing_[i]->ring->settle(storing_[i]->ring_seq, Fate::kSpooled);
  if (appended == Spool::Appended::kFailed) {
    spool_retry_at_ = Clock::now() + kDiskRetryInterval;
    if (!spool_error_logged_)
      spdlog::error("the spool fails, entries stay in memory: {}", spool_->last_error());
    spool_error_logged_ = true;
    return false;
  }
  if (appended == Spool::Appended::kFull) {
    if (!spool_full_logged_)
      spdlog::error("the spool is full ({} bytes): new entries for log endpoint {} are dropped",
                    context_.budget.max_bytes, shown_url_);
    for (std::size_t i = done; i < storing_.size(); ++i) {
      storing_[i]->ring->settle(storing_[i]->ring_seq, lost(record::LossReason::kSpoolFull));
      storing_[i]->ring = nullptr;
    }
  }
  spool_full_logged_ = appended == Spool::Appended::kFull;
  if (done > 0) spool_error_logged_ = false;
  return true;
}

/// The entries that are in memory, in the order in which they came, as ranges of batches.
template <typename Visit>
void Endpoint::each_in_memory(Visit visit) {
  for (Send& send : in_flight_)
    if (!visit(*send.batch, send.first, send.count)) return;
  for (Send& send : retry_)
    if (!visit(*send.batch, send.first, send.count)) return;
  for (std::size_t i = 0; i < ready_.size(); ++i) {
    const std::size_t first = i == 0 ? next_ : 0;
    if (!visit(*ready_[i], first, ready_[i]->entries.size() - first)) return;
  }
}

bool Endpoint::protect(Clock::time_point now) {
  spooling_ = true;
  if (unsafe_ == 0) return true;
  if (!ensure_spool(now)) return false;
  bool stored = true;
  each_in_memory([&](Batch& batch, std::size_t first, std::size_t count) {
    return stored = store(batch, first, count);
  });
  unsafe_ = 0;
  each_in_memory([&](Batch& batch, std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) unsafe_ += batch.entries[i].unsafe() ? 1 : 0;
    return true;
  });
  spool_->skip_to_end();
  return stored;
}

void Endpoint::protect_if_slow(Clock::time_point now, bool pressed) {
  if (unsafe_ == 0) return;
  Clock::time_point oldest = now;
  each_in_memory([&](Batch& batch, std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) {
      if (!batch.entries[i].unsafe()) continue;
      oldest = std::min(oldest, batch.created);
      break;
    }
    return oldest == now;
  });
  // A batch that waits for more entries is not slow: the ring has them.
  const auto waits = coalesced() > 0 && failures_ == 0
                         ? std::chrono::duration<double>(destination_.queue->max_coalescing_delay)
                         : std::chrono::duration<double>(0);
  const bool slow = now - oldest > kMaxUnsafeAge + waits || (pressed && (queue_full() || now - oldest > kMaxUnsafeAgePressed));
  if (!slow) return;
  if (!spooling_ && now - slow_logged_at_ > kSlowLogInterval) {
    spdlog::info("log endpoint {} does not keep up: entries go through the spool", shown_url_);
    slow_logged_at_ = now;
  }
  protect(now);
}

void Endpoint::give_up_unsafe() {
  const auto drop = [&](Batch& batch, std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) {
      EntryRef& entry = batch.entries[i];
      if (!entry.unsafe()) continue;
      entry.ring->settle(entry.ring_seq, lost(record::LossReason::kSpoolFailed));
      entry.ring = nullptr;
    }
    return true;
  };
  each_in_memory(drop);
  unsafe_ = 0;
  if (intake_) {
    drop(*intake_, 0, intake_->entries.size());
    intake_->clear();
  }
}

void Endpoint::flush(Clock::time_point now) {
  if (unsafe_ > 0 && !protect(now)) return;
  if (!intake_ || intake_->entries.empty()) return;
  const bool next_in_line = !(spool_ && spool_->unread()) && queued_bytes() < kReadAheadBytes;
  if (!ensure_spool(now) || !store(*intake_, 0, intake_->entries.size())) {
    // The disk fails: what is next in line goes straight out, if it can.
    const bool idle = ready_.empty() && retry_.empty() && in_flight_.empty();
    if (next_in_line && (failures_ == 0 || (idle && now >= not_before_))) send_from_memory();
    return;
  }
  if (next_in_line) {
    send_from_memory();
  } else {
    intake_->clear();
  }
}

void Endpoint::send_from_memory() {
  if (spool_) spool_->skip_to_end();
  for (const EntryRef& entry : intake_->entries) unsafe_ += entry.unsafe() ? 1 : 0;
  if (coalesced() > 0 && !ready_.empty() && !ready_.back()->full() &&
      ready_.back()->entries.size() + intake_->entries.size() <= coalesced()) {
    ready_.back()->append(*intake_);
    intake_->clear();
    return;
  }
  ready_.push_back(std::move(intake_));
  intake_.reset();
}

void Endpoint::refill() {
  while (spool_ && spool_->unread() && unsafe_ == 0 && queued_bytes() < kReadAheadBytes) {
    auto batch = std::make_shared<Batch>();
    Status read = spool_->read(*batch);
    if (batch->entries.empty()) return;
    batch->sealed = true;
    ready_.push_back(std::move(batch));
    if (!read) return;
  }
}

void Endpoint::return_to_direct(Clock::time_point now) {
  if (failures_ > 0 || unsafe_ > 0 || !ready_.empty() || !retry_.empty()) return;
  if ((spool_ && spool_->unread()) || (intake_ && !intake_->entries.empty())) return;
  const auto hangs = [&](const Send& send) { return now - send.started > kMaxUnsafeAge; };
  if (std::any_of(in_flight_.begin(), in_flight_.end(), hangs)) return;
  spooling_ = false;
}

void Endpoint::commit(const Spool::ReleasedSeq& released) {
  if (spool_) spool_->commit(released);
}

void Endpoint::sync() {
  if (spool_) spool_->sync();
}

}  // namespace gibbon::agent
