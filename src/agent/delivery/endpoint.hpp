#pragma once

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <random>
#include <string>

#include "agent/delivery/batch.hpp"
#include "agent/delivery/metrics.hpp"
#include "agent/delivery/sink/http_sender.hpp"
#include "agent/delivery/sink/sink.hpp"
#include "agent/delivery/spool/spool.hpp"

namespace gibbon::agent {

/// What all endpoints of a delivery share.
struct EndpointContext {
  HttpSender& sender;
  FileSystem& files;
  SpoolBudget& budget;
  std::string spool_directory;
  /// What a reference to a vault refers to; empty: references stay as they are.
  std::function<Result<std::string>(const std::string& reference)> secret;
};

/// One destination: its queue, its sends, its spool.
///
/// Direct: entries are encoded into batches in memory and sent from there; the ring keeps the records until the
/// answer. Spooling, from the first failure or delay on: what is in memory is written to the spool, so that the ring
/// can let go; new entries are appended to the spool and read back from its head, until it is empty.
/// A destination with a queue (Queue in the plugin kit) waits for whole batches, and tries again as that says; what is
/// too much for the queue goes to the spool.
/// What is in memory is always the head of what waits, so that reading on disk goes on behind it.
/// Threads: the delivery thread.
class Endpoint {
 public:
  Endpoint(EndpointContext context, Destination destination);
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  /// Breaks off what is under way.
  ~Endpoint() { sink_.reset(); }

  /// The name of its directory in the spool: entries of equal destinations share one.
  static std::string directory_name(const Destination& destination);
  /// Destination that a spool directory was made for. Errors: meta.json is missing or damaged.
  static Result<Destination> read_meta(FileSystem& files, const std::string& directory);
  /// Takes up what an agent before left in the spool.
  Status recover(const Spool::Seen& seen);

  /// Whether one more entry can be taken now.
  bool has_room(Clock::time_point now);
  /// The batch that takes the next entry. Call added() when it is in.
  Batch& open_batch(Clock::time_point now);
  void added();

  /// Writes to the spool what must go there, reads back, starts sends.
  void pump(Clock::time_point now);
  /// Spooling: appends to the spool what was taken since.
  void flush(Clock::time_point now);
  /// Goes over to spooling if entries wait in memory for too long. `pressed`: their ring fills up.
  void protect_if_slow(Clock::time_point now, bool pressed);
  /// Goes over to spooling; everything in memory is safe afterwards, or counted as lost because the spool is full.
  /// False: the disk failed.
  bool protect(Clock::time_point now);
  /// Gives up what is in memory and not safe: the ring needs its room and the disk fails.
  void give_up_unsafe();
  void commit(const Spool::ReleasedSeq& released);
  void sync();
  /// The end is near: batches wait for nothing more.
  void hurry() { hurried_ = true; }
  void reopen() { sink_->reopen(); }

  [[nodiscard]] bool has_unsafe() const { return unsafe_ > 0 || (intake_ && !intake_->entries.empty()); }
  /// Nothing waits anywhere.
  [[nodiscard]] bool empty() const;
  /// Something waits that cannot be sent before the next try.
  [[nodiscard]] bool backing_off() const { return failures_ > 0; }
  [[nodiscard]] const Spool* spool() const { return spool_.get(); }
  [[nodiscard]] EndpointMetrics metrics(std::uint64_t now_ms) const;
  /// Grows with each send that starts or ends: whether something happens.
  [[nodiscard]] std::uint64_t activity() const { return activity_; }

 private:
  using BatchPtr = std::shared_ptr<Batch>;
  struct Send {
    BatchPtr batch;
    std::size_t first = 0, count = 0;
    Clock::time_point started{};
    Clock::time_point refused_since{};  ///< Of a single entry that a queue tries again all the same.
  };

  // endpoint.cpp: sending
  bool next_send(Send* send);
  bool may_send(Clock::time_point now) const;
  bool batch_is_due(Clock::time_point now) const;
  [[nodiscard]] std::chrono::milliseconds back_off();
  void start(Send send, Clock::time_point now);
  void finished(std::list<Send>::iterator sent, const SinkAnswer& answer);
  void succeeded();
  void failed(const Send& send, const std::string& reason, std::chrono::milliseconds retry_after);
  void refused(Send send, const SinkAnswer& answer);
  void settle(EntryRef& entry, Fate fate);
  [[nodiscard]] std::size_t queued_entries() const;
  [[nodiscard]] std::size_t queued_bytes() const;
  [[nodiscard]] bool queue_full() const;
  /// Batches that wait for more entries: how many they may have; 0: none wait.
  [[nodiscard]] std::size_t coalesced() const;

  // endpoint_spool.cpp: safety
  bool ensure_spool(Clock::time_point now);
  /// Appends what is not safe of these entries. False: the disk failed.
  bool store(Batch& batch, std::size_t first, std::size_t count);
  template <typename Visit>
  void each_in_memory(Visit visit);
  /// What was taken since the last flush joins the queue as it is in memory.
  void send_from_memory();
  void refill();
  void return_to_direct(Clock::time_point now);

  EndpointContext context_;
  Destination destination_;
  std::string shown_url_;
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<Spool> spool_;
  Clock::time_point spool_retry_at_{};
  bool spool_error_logged_ = false, spool_full_logged_ = false;

  bool spooling_ = false, hurried_ = false;
  std::deque<BatchPtr> ready_;      ///< To be sent, oldest first; of the first, entries from next_ on.
  std::size_t next_ = 0;
  std::deque<Send> retry_;          ///< To be sent before these.
  std::list<Send> in_flight_;
  BatchPtr intake_;                 ///< Spooling: what goes to the spool next.
  std::uint64_t unsafe_ = 0;        ///< Entries in memory (intake_ apart) that nothing but the ring holds.
  std::vector<EntryRef*> storing_;  ///< Scratch.

  unsigned failures_ = 0;
  Clock::time_point not_before_{}, last_failure_{}, away_since_{}, away_logged_at_{}, slow_logged_at_{}, refused_logged_at_{};
  bool away_logged_ = false;
  std::string last_error_;
  std::uint64_t delivered_ = 0, retries_ = 0, activity_ = 0, refused_unlogged_ = 0;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace gibbon::agent
