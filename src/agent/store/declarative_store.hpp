#pragma once

#include "agent/store/store.hpp"

namespace gibbon::agent {

/// The configuration of a gateway without a database: read from a file or from POST /config, kept in memory,
/// and replaced as a whole.
class DeclarativeStore : public Store {
 public:
  using Store::Store;
  [[nodiscard]] bool writable() const override { return false; }
  /// Makes `image` the configuration. `keep`, where there is one, is called when it is certain to go live, to
  /// store it elsewhere. Errors: the listener's, and those of `keep`; everything stays as it was.
  Status replace(Image image, const std::function<Status()>& keep = nullptr);

 private:
  /// An empty image: the declarative configuration itself is read again by whoever keeps it.
  Result<std::shared_ptr<const Image>> read_all(std::shared_ptr<const Collections> collections) override {
    return std::shared_ptr<const Image>(std::make_shared<Image>(std::move(collections)));
  }
  Status persist(const std::vector<Change>& changes) override;

  const std::function<Status()>* keep_ = nullptr;  ///< While replace() runs.
};

}  // namespace gibbon::agent
