#include "agent/store/store.hpp"

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
    if (auto ready = listener_->prepare(*image, origin == Origin::kChanges ? &changes : nullptr); !ready.ok())
      return ready;
  if (auto stored = persist(changes); !stored.ok()) {
    if (listener_ != nullptr) listener_->abandoned();
    return stored;
  }
  set_image(std::move(image));
  if (listener_ != nullptr) listener_->committed();
  return {};
}

Outcome<Row> Store::write(const std::function<Outcome<Row>(Transaction&)>& work) {
  const std::lock_guard lock(writing_);
  const auto known = read();
  auto current = refresh(known);
  if (!current.ok()) return database_error(current.error().message);
  const bool is_known = *current == known && !unpublished_;
  if (*current != known) unpublished_ = true;  // Another program's changes go live with the next one of ours.
  set_image(*current);
  Transaction transaction(**current);
  auto result = work(transaction);
  if (!result.ok() || transaction.changes().empty()) return result;
  const auto changes = transaction.changes();
  const auto origin = is_known ? Origin::kChanges : Origin::kElsewhere;
  if (auto done = publish(std::make_shared<const Image>(transaction.take_image()), changes, origin); !done.ok())
    return database_error(done.error().message);
  unpublished_ = false;
  return result;
}

}  // namespace gibbon::agent
