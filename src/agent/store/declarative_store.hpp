#pragma once

#include "agent/store/store.hpp"

namespace gibbon::agent {

/// The configuration of a gateway without a database: read from a file or from POST /config, kept in memory,
/// and replaced as a whole.
class DeclarativeStore : public Store {
 public:
  [[nodiscard]] bool writable() const override { return false; }
  /// Makes `image` the configuration. Errors: the listener refused it; everything stays as it was.
  Status replace(Image image);

 private:
  Status persist(const std::vector<Change>& changes) override;
};

}  // namespace gibbon::agent
