#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "agent/store/transaction.hpp"
#include "base/result.hpp"

namespace gibbon::agent {

/// Hears of every change, so that it can reach the gateway together with the store.
/// Threads: called by whoever writes, one write at a time.
class ChangeListener {
 public:
  virtual ~ChangeListener() = default;
  /// Makes `image` ready to go live. An error refuses the change. `changes`: what differs from the image that was
  /// prepared and committed before; null where that is not known.
  virtual Status prepare(const Image& image, const std::vector<Change>* changes) = 0;
  /// The change is durable: it goes live.
  virtual void committed() = 0;
  /// The change did not become durable after all.
  virtual void abandoned() = 0;
};

/// Where the configuration is kept. Reads come from an immutable image and wait for nobody; writes follow one
/// another. Threads: any. Durability: a write that returned without an error survives a crash and power loss,
/// where the store writes at all.
class Store {
 public:
  explicit Store(std::shared_ptr<const Collections> collections)
      : image_(std::make_shared<Image>(std::move(collections))) {}
  virtual ~Store() = default;

  /// The configuration as of the last change; never null.
  [[nodiscard]] std::shared_ptr<const Image> read() const;
  /// False: the declarative store, whose content is replaced as a whole.
  [[nodiscard]] virtual bool writable() const = 0;
  /// Before threads begin to write. `listener` must outlive the store's last write; null: nobody.
  void listen(ChangeListener* listener) { listener_ = listener; }

  /// Other plugins bring other kinds of entities: reads what there is of them. Between writes.
  /// Errors: the store cannot be read; everything stays as it was.
  Status adopt(std::shared_ptr<const Collections> collections);

  /// Runs `work` on a transaction and commits what it did; an error from it, or from the store, leaves
  /// everything as it was. Gives what `work` gave.
  Outcome<Row> write(const std::function<Outcome<Row>(Transaction&)>& work);

 protected:
  /// Makes the changes durable, all or none.
  virtual Status persist(const std::vector<Change>& changes) = 0;
  /// Everything that is stored of `collections`. With `writing_` held.
  virtual Result<std::shared_ptr<const Image>> read_all(std::shared_ptr<const Collections> collections) = 0;
  /// Called before a write: a new image where someone else changed what is stored.
  virtual Result<std::shared_ptr<const Image>> refresh(std::shared_ptr<const Image> current) {
    return current;
  }
  /// What a new image is to the one before.
  enum class Origin { kChanges, kElsewhere };
  /// Replaces the image, telling the listener. With `writing_` held. `origin`: kElsewhere where more than `changes`
  /// differs from what was published before.
  Status publish(std::shared_ptr<const Image> image, const std::vector<Change>& changes, Origin origin);
  void set_image(std::shared_ptr<const Image> image);

  std::mutex writing_;

 private:
  mutable std::mutex image_lock_;
  std::shared_ptr<const Image> image_; 
  bool unpublished_ = false;  ///< The image has changes that the listener has not seen. With `writing_` held.
  ChangeListener* listener_ = nullptr;
};

}  // namespace gibbon::agent
