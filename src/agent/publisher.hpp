#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agent/store/catalog.hpp"
#include "agent/store/store.hpp"
#include "base/result.hpp"
#include "config/control.hpp"
#include "config/snapshot.hpp"
#include "config/vaults.hpp"

namespace gibbon::agent {

/// The vaults that `image` describes, beside the environment itself.
config::Vaults vaults_of(const Image& image);

/// Brings each configuration to the workers and to the delivery: writes `snapshot.<generation>` into the
/// shared directory before the change is stored, and makes the generation current afterwards. A snapshot is whole,
/// or holds what differs from the last whole one while that is little. Generations go on where the control page
/// stands, so that a restarted agent never goes back. Threads: prepare(), committed(), abandoned() from one writer at
/// a time; wait_applied() from any.
class Publisher : public ChangeListener {
 public:
  using Deliver = std::function<void(std::shared_ptr<const config::Snapshot>)>;
  /// `control` must outlive it. `deliver` is called before the workers learn of the generation, so that no
  /// record can arrive whose configuration the delivery does not know.
  /// `catalog`: the schemas in effect, which say where references to vaults may stand.
  using CurrentCatalog = std::function<std::shared_ptr<const Catalog>()>;
  Publisher(config::Control& control, CurrentCatalog catalog, Deliver deliver);

  Status prepare(const Image& image, const std::vector<Change>* changes) override;
  void committed() override;
  void abandoned() override;

  /// Publishes `image` as it is: at start and after a reload.
  Status publish(const Image& image);
  /// False at the deadline: some worker does not apply the newest configuration yet.
  [[nodiscard]] bool wait_applied(std::chrono::milliseconds timeout) const;

  /// How many snapshots stay on tmpfs for records that are still on their way: the newest ones.
  static constexpr std::uint64_t kKeptSnapshots = 64;
  /// As many entities may differ from a whole snapshot before the next one is written whole.
  static constexpr std::size_t kMaxChanges = 500;

 private:
  /// What differs from the whole snapshot that was written last; a null row is gone.
  struct Difference {
    std::uint64_t base = 0;  ///< That snapshot's generation; 0: none.
    json::object secrets;    ///< As it has them.
    std::map<std::pair<std::string, std::string>, Row> rows;  ///< By collection and id.
  };
  std::string text_of(const Image& image, const std::vector<Change>* changes, std::uint64_t generation);
  void delete_old();

  config::Control& control_;
  CurrentCatalog catalog_;
  Deliver deliver_;
  config::SnapshotReader reader_;
  std::shared_ptr<const config::Snapshot> pending_;
  Difference difference_, pending_difference_;
  std::map<std::uint64_t, std::uint64_t> bases_;  ///< Of the snapshots that name one, by generation.
};

}  // namespace gibbon::agent
