#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/delivery/batch.hpp"
#include "agent/delivery/spool/files.hpp"
#include "agent/delivery/spool/format.hpp"
#include "agent/delivery/window.hpp"

namespace gibbon::agent {

/// What all spools of an agent may take together, and take.
struct SpoolBudget {
  std::uint64_t max_bytes = 0;
  std::uint64_t used_bytes = 0;
};

/// The entries of one destination that wait on disk: segment files and a ledger, docs/spool-format.md.
///
/// Entries are numbered 1, 2, 3 ... for good. Each is appended, read at most once by this process, and settled; the
/// finished prefix moves `acked_seq` in the ledger. A segment is removed when all of it is finished and the rings have
/// let go of its records, so that a restarted agent always knows which records of a ring it has in the spool.
/// Threads: the delivery thread. Durability: an append survives the process at once, and power loss after sync().
class Spool {
 public:
  struct Options {
    std::string directory;
    std::uint64_t segment_bytes = 16 << 20;
  };
  /// Told each entry that recovery finds, delivered or not, with its place in a ring.
  using Seen = std::function<void(std::uint64_t ring_id, std::uint64_t ring_seq)>;
  /// The last number that a ring has let go of; ~0 for a ring that is not there any more.
  using ReleasedSeq = std::function<std::uint64_t(std::uint64_t ring_id)>;

  /// Opens the spool in a directory, made where it is missing, and recovers what it holds. What cannot be read any
  /// more counts as lost. `files` and `budget` must outlive it. Errors: the directory cannot be used.
  static Result<std::unique_ptr<Spool>> open(FileSystem& files, SpoolBudget& budget, Options options,
                                             const Seen& seen);

  enum class Appended { kAll, kFull, kFailed };
  /// Appends `count` entries of a batch and sets their spool_seq. Where they do not all fit, as many as do.
  /// kFailed: the disk failed, nothing was appended; last_error() says how.
  Appended append(const Batch& batch, EntryRef* const* entries, std::size_t count, std::size_t* appended);
  /// Whether read() has more to give.
  [[nodiscard]] bool unread() const { return cursor_ < next_seq_; }
  /// What was appended so far stays in the caller's memory: it will not be read.
  void skip_to_end();
  /// Reads on into `batch`. Errors: the disk; nothing was read.
  Status read(Batch& batch);
  void settle(std::uint64_t seq, Fate fate) { window_.settle(seq, fate); }
  /// Writes the ledger if something finished, and removes segments that nobody needs.
  void commit(const ReleasedSeq& released);
  /// Makes appended entries and the ledger survive power loss.
  void sync();

  [[nodiscard]] std::uint64_t appended() const { return next_seq_ - 1; }
  /// Entries whose end is not in the ledger yet.
  [[nodiscard]] std::uint64_t pending() const { return next_seq_ - 1 - ledger_.acked_seq; }
  [[nodiscard]] const spool_format::Ledger& ledger() const { return ledger_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] const std::string& last_error() const { return last_error_; }

 private:
  struct Segment {
    std::string path;
    std::uint64_t first_seq, end_seq;  ///< [first, end)
    std::uint64_t size;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> rings;  ///< id, greatest seq
    void note(std::uint64_t ring_id, std::uint64_t ring_seq);
  };

  Spool(FileSystem& files, SpoolBudget& budget, Options options)
      : files_(files), budget_(budget), options_(std::move(options)) {}
  Status recover(const Seen& seen);
  Status recover_segment(const std::string& name, std::uint64_t next_first, const Seen& seen);
  void recover_ledger();
  Status start_segment();
  void undo_write();
  bool load(const Segment& segment);
  void lose_to(std::uint64_t seq, record::LossReason reason);
  void remove_front();
  void write_ledger();

  FileSystem& files_;
  SpoolBudget& budget_;
  Options options_;
  std::deque<Segment> segments_;
  std::unique_ptr<SpoolFile> active_, ledger_file_;  ///< active_: of segments_.back(), where it may grow.
  std::uint64_t next_seq_ = 1, cursor_ = 1, bytes_ = 0;
  Window window_;  ///< [acked + 1, cursor)
  spool_format::Ledger ledger_;
  bool active_dirty_ = false, ledger_dirty_ = false, ledger_unwritten_ = false;
  std::string scratch_, last_error_;
  // The segment that is being read, as far as it was loaded.
  std::uint64_t reading_first_ = 0, reading_at_ = 0;
  std::string reading_;
  int read_failures_ = 0;
};

/// The first whole record at or behind `*at` whose number lies in [low, end). Moves `*at` behind it; to the end of
/// `bytes` where there is none. `*damaged`: something unreadable was passed by.
bool find_record(std::string_view bytes, std::uint64_t low, std::uint64_t end, std::uint64_t* at,
                 spool_format::RecordInfo* info, std::string_view* payload, bool* damaged);

}  // namespace gibbon::agent
