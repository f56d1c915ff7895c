#include "agent/store/declarative_store.hpp"

namespace gibbon::agent {

Status DeclarativeStore::replace(Image image, const std::function<Status()>& keep) {
  const std::lock_guard lock(writing_);
  keep_ = &keep;
  auto status = publish(std::make_shared<const Image>(std::move(image)), {}, Origin::kElsewhere);
  keep_ = nullptr;
  return status;
}

Status DeclarativeStore::persist(const std::vector<Change>& changes) {
  if (!changes.empty()) return Error{"a declarative configuration cannot be changed entity by entity", ""};
  return keep_ != nullptr && *keep_ ? (*keep_)() : Status();
}

}  // namespace gibbon::agent
