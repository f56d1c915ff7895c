#include "agent/store/declarative_store.hpp"

namespace gibbon::agent {

Status DeclarativeStore::replace(Image image) {
  const std::lock_guard lock(writing_);
  return publish(std::make_shared<const Image>(std::move(image)), {}, Origin::kElsewhere);
}

Status DeclarativeStore::persist(const std::vector<Change>& changes) {
  if (changes.empty()) return {};
  return Error{"a declarative configuration cannot be changed entity by entity", ""};
}

}  // namespace gibbon::agent
