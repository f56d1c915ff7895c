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
  /// Makes `image` ready to go live. An error refuses the change. `changes`: what differs from the image that
  /// was prepared and committed before; null where that is not known.
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
  /// everything as it was. Gives what `work` gave. What another program wrote before goes live with it.
  Outcome<Row> write(const std::function<Outcome<Row>(Transaction&)>& work);

  /// Lets go live what another program wrote. Errors: it cannot be read; or the listener refuses it, so that
  /// readers see it and the gateway does not, until it is put right.
  Status catch_up();

 protected:
  /// Begins a write: until persist() or cancel() no other program writes. Gives `current`, or a new image
  /// where someone else changed what is stored.
  virtual Result<std::shared_ptr<const Image>> begin(std::shared_ptr<const Image> current) { return current; }
  /// Makes the changes durable, all or none, and ends what begin() began.
  virtual Status persist(const std::vector<Change>& changes) = 0;
  /// Ends what begin() began, changing nothing.
  virtual void cancel() {}
  /// Everything that is stored of `collections`. With `writing_` held.
  virtual Result<std::shared_ptr<const Image>> read_all(std::shared_ptr<const Collections> collections) = 0;
  /// As begin(), for reading alone.
  virtual Result<std::shared_ptr<const Image>> refresh(std::shared_ptr<const Image> current) {
    return current;
  }
  /// What a new image is to the one before.
  enum class Origin { kChanges, kElsewhere };
  /// Makes the changes durable and replaces the image, telling the listener. With `writing_` held. `origin`:
  /// kElsewhere where more than `changes` differs from what was published before.
  Status publish(std::shared_ptr<const Image> image, const std::vector<Change>& changes, Origin origin);
  void set_image(std::shared_ptr<const Image> image);

  std::mutex writing_;

 private:
  /// An image that is stored already goes live.
  Status take_over(std::shared_ptr<const Image> image);

  mutable std::mutex image_lock_;
  std::shared_ptr<const Image> image_;
  bool unpublished_ = false;  ///< The listener has refused the image. With `writing_` held.
  ChangeListener* listener_ = nullptr;
};

}  // namespace gibbon::agent
