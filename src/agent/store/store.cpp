#include "agent/store/store.hpp"

#include "agent/store/ttl.hpp"

namespace gibbon::agent {

std::shared_ptr<const Image> Store::read() const {
  const std::lock_guard lock(image_lock_);
  return image_;
}

Status Store::adopt(std::shared_ptr<const Collections> collections) {
  const std::lock_guard lock(writing_);
  auto image = read_all(std::move(collections));
  if (!image.ok()) return image.error();
  set_image(std::move(*image));
  return {};
}

void Store::set_image(std::shared_ptr<const Image> image) {
  const std::lock_guard lock(image_lock_);
  image_.swap(image);
}

Status Store::publish(std::shared_ptr<const Image> image, const std::vector<Change>& changes, Origin origin) {
  if (listener_ != nullptr)
    if (auto ready = listener_->prepare(*image, origin == Origin::kChanges ? &changes : nullptr);
        !ready.ok()) {
      cancel();
      return ready;
    }
  if (auto stored = persist(changes); !stored.ok()) {
    if (listener_ != nullptr) listener_->abandoned();
    return stored;
  }
  set_image(std::move(image));
  unpublished_ = false;
  if (listener_ != nullptr) listener_->committed();
  return {};
}

Status Store::take_over(std::shared_ptr<const Image> image) {
  if (image == read()) return {};
  Status ready;
  if (listener_ != nullptr) ready = listener_->prepare(*image, nullptr);
  set_image(std::move(image));
  unpublished_ = !ready.ok();
  if (listener_ != nullptr && ready.ok()) listener_->committed();
  return ready;
}

Status Store::catch_up() {
  const std::lock_guard lock(writing_);
  auto current = refresh(read());
  if (!current.ok()) return current.error();
  return take_over(std::move(*current));
}

Outcome<Row> Store::write(const std::function<Outcome<Row>(Transaction&)>& work) {
  const std::lock_guard lock(writing_);
  auto current = begin(read());
  if (!current.ok()) return database_error(current.error().message);
  // Where the gateway cannot take what someone else wrote, this write may be what puts it right.
  (void)take_over(*current).ok();
  Transaction transaction(**current);
  if (writable())
    for (const auto& [collection, id] : (*current)->expired(now_s()))
      if (auto removed = transaction.remove(*collection, id); !removed.ok()) return removed;
  auto result = work(transaction);
  if (!result.ok() || transaction.changes().empty()) {
    cancel();
    return result;
  }
  const auto changes = transaction.changes();
  const auto origin = unpublished_ ? Origin::kElsewhere : Origin::kChanges;
  if (auto done = publish(std::make_shared<const Image>(transaction.take_image()), changes, origin);
      !done.ok())
    return database_error(done.error().message);
  return result;
}

}  // namespace gibbon::agent
