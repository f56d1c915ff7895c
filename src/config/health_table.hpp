#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/health.hpp"

/// The health of every address of every upstream, shared by the workers and the agent: a table in shared
/// memory
/// (`health`) that outlives every process. Open addressing; a cell belongs to one key from the first claim
/// on, until nobody has used it for a while and its place is needed. No locks: a process that dies leaves
/// nothing half done.
namespace gibbon::config {

struct HealthPage {
  static constexpr std::uint32_t kMagic = 0x48544C48;  // "HLTH"
  static constexpr std::uint32_t kVersion = 1;
  static constexpr std::uint32_t kCells = 1U << 14;

  std::uint32_t magic, version;
  /// Changes whenever an address became available or stopped being so, in any process.
  std::atomic<std::uint64_t> epoch;
  /// Who probes: the process id, and the second of CLOCK_MONOTONIC at which the lease ends.
  std::atomic<std::uint64_t> lease;

  struct Cell {
    std::atomic<std::uint64_t> key;  ///< 0: never used.
    std::atomic<std::uint64_t> health;
    std::atomic<std::int64_t> used_at;  ///< Seconds of CLOCK_MONOTONIC; some worker balances over it.
    std::uint64_t unused;
  };
  alignas(64) Cell cells[kCells];
};

/// The table mapped, by the process that opened it. Threads: any.
class HealthTable {
 public:
  using Cell = HealthPage::Cell;
  /// How long a cell keeps its health after its last use, in seconds: as long as Kong does.
  static constexpr std::int64_t kKeptSeconds = 300;

  /// Makes the table where it is missing, and anew where another version made it. Errors: no room, no
  /// permission.
  static Result<HealthTable> open(const std::string& directory);
  HealthTable(HealthTable&& other) noexcept : page_(other.page_), pid_(other.pid_) { other.page_ = nullptr; }
  HealthTable& operator=(HealthTable&&) = delete;
  ~HealthTable();

  /// The name of an address: of which upstream, under which of its targets' hosts, and where. Never 0.
  static std::uint64_t key(std::string_view upstream_id, std::string_view host, std::string_view ip,
                           std::uint16_t port);

  /// A worker begins to use `key`: its cell, with the health that is known; healthy where nobody used it
  /// lately. Null where the table is full of addresses in use.
  Cell* claim(std::uint64_t key);
  /// Says that the cell is in use; at least once in half of kKeptSeconds. False where the cell was given away
  /// since: claim again.
  static bool keep(Cell& cell, std::uint64_t key);
  /// The cell of `key`; null where there is none.
  [[nodiscard]] const Cell* find(std::uint64_t key) const;
  [[nodiscard]] static Health health(const Cell& cell) {
    return Health(cell.health.load(std::memory_order_relaxed));
  }
  /// Counts an event. True where the address became available or stopped being so.
  bool report(Cell& cell, HealthReport report);
  /// Sets the state, as an operator does. False where nobody uses `key`.
  bool force(std::uint64_t key, Health::State state);

  /// See HealthPage::epoch.
  [[nodiscard]] std::uint64_t epoch() const { return page_->epoch.load(std::memory_order_acquire); }

  /// True where this process may probe for the next seconds: nobody else does, or who did is dead or silent.
  bool hold_lease();
  /// Lets another process probe at once.
  void release_lease();

 private:
  explicit HealthTable(HealthPage* page);
  void changed(Health before, Health after);
  HealthPage* page_;
  std::uint32_t pid_;  ///< This process's, without a system call each time.
};

}  // namespace gibbon::config
