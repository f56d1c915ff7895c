#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>

namespace gibbon::agent::test {

/// SQLite's way to the disk, with a disk that breaks. While one lives, every database that is opened goes
/// through it. Threads: one.
class FaultyDisk {
 public:
  enum class Fault {
    kKilled,     ///< From then on nothing reaches the disk.
    kPowerLoss,  ///< The same, and what was not synced is lost: see lose().
    kFull,       ///< From then on nothing more fits.
  };
  /// The fault comes with the operation number `countdown` that changes a file, from 0.
  FaultyDisk(Fault fault, int countdown);
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;

  /// Whether the fault came.
  [[nodiscard]] bool broke() const;
  void break_now();
  /// Everything works again.
  void heal();
  /// After everything is closed: takes back what no sync made durable, where the fault is kPowerLoss.
  void lose();

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace gibbon::agent::test
