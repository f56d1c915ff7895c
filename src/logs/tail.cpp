#include "logs/tail.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace gibbon::logs {
namespace {

constexpr std::uint64_t kMostBehind = 1000;  ///< Entries that a live client may be behind.
constexpr std::uint64_t kAfterSkip = 100;    ///< Of the newest, those that it gets after a skip.
constexpr std::size_t kBatch = 200, kBatchBytes = 4 * 1024 * 1024;
constexpr std::chrono::seconds kKeepAlive{15};

std::string skipped_event(std::uint64_t count) {
  return fmt::format("event: skipped\ndata: {{\"count\":{}}}\n\n", count);
}

}  // namespace

Result<std::unique_ptr<Tail>> Tail::start(Store& store) {
  auto reader = store.reader();
  if (!reader) return reader.error();
  return std::unique_ptr<Tail>(new Tail(store, std::move(reader).value()));
}

Tail::Tail(Store& store, std::unique_ptr<StoreReader> reader)
    : store_(store), reader_(std::move(reader)), thread_([this] { run(); }) {}

Tail::~Tail() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Tail::subscribe(http::Responder responder, std::optional<std::uint64_t> since) {
  auto client = std::make_shared<Client>();
  client->promised = store_.totals().newest_seq;
  client->position = std::min(since.value_or(client->promised), client->promised);
  http::StreamOptions options;
  options.on_closed = [this, weak = std::weak_ptr(client)] {
    if (const auto gone = weak.lock()) gone->closed = true;
    wake();
  };
  options.on_drained = [this, weak = std::weak_ptr(client)] {
    if (const auto drained = weak.lock()) drained->blocked = false;
    wake();
  };
  http::Response head{200,
                      {{"Content-Type", "text/event-stream; charset=utf-8"},
                       {"Cache-Control", "no-cache"},
                       {"X-Accel-Buffering", "no"},
                       {"Access-Control-Allow-Origin", "*"}},
                      ": entries follow\n\n"};
  client->stream = responder.start(std::move(head), std::move(options));
  {
    const std::lock_guard lock(mutex_);
    clients_.push_back(std::move(client));
    count_ = clients_.size();
  }
  wake();
}

void Tail::notify() {
  if (count_.load() > 0) wake();
}

void Tail::wake() {
  {
    const std::lock_guard lock(mutex_);
    work_ = true;
  }
  wake_.notify_one();
}

void Tail::run() {
  auto next_keep_alive = std::chrono::steady_clock::now() + kKeepAlive;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto awake = [this] { return work_ || stopping_; };
    if (clients_.empty()) {
      wake_.wait(lock, awake);
    } else {
      wake_.wait_until(lock, next_keep_alive, awake);
    }
    if (stopping_) return;
    work_ = false;
    auto clients = clients_;
    lock.unlock();

    const auto now = std::chrono::steady_clock::now();
    const bool keep_alive = now >= next_keep_alive;
    if (keep_alive) next_keep_alive = now + kKeepAlive;
    const std::uint64_t newest = store_.totals().newest_seq;
    for (const auto& client : clients) {
      if (!client->closed && !client->blocked) advance(*client, newest);
      if (keep_alive && !client->closed && !client->blocked) send(*client, ": keep-alive\n\n");
    }
    clients.clear();

    lock.lock();
    std::erase_if(clients_, [](const auto& client) { return client->closed.load(); });
    count_ = clients_.size();
    if (clients_.empty()) events_ = {};
  }
}

void Tail::advance(Client& client, std::uint64_t newest) {
  while (client.position < newest && !client.closed && !client.blocked) {
    if (client.position >= client.promised && newest - client.position > kMostBehind) {
      const std::uint64_t count = newest - kAfterSkip - client.position;
      if (!send(client, skipped_event(count))) continue;
      client.position += count;
      skipped_ += count;
    }
    const Event* event = event_after(client.position);
    if (event == nullptr) return;
    std::string text = event->text;
    const std::uint64_t removed = event->seq - client.position - 1;  // By the store's limits, before they were sent.
    if (removed > 0) text.insert(0, skipped_event(removed));
    if (!send(client, std::move(text))) continue;
    client.position = event->seq;
    skipped_ += removed;
  }
}

const Tail::Event* Tail::event_after(std::uint64_t seq) {
  const auto find = [&] {
    return std::upper_bound(events_.begin(), events_.end(), seq,
                            [](std::uint64_t wanted, const Event& event) { return wanted < event.seq; });
  };
  auto found = find();
  // Only a batch that holds the entry's neighbour, or begins right behind it, is known to have no gap there.
  if (found == events_.end() || (found == events_.begin() && found->seq != seq + 1)) {
    auto rows = reader_->after(seq, kBatch, kBatchBytes);
    if (!rows) {
      spdlog::error("streaming entries: {}", rows.error().message);
      return nullptr;
    }
    events_.clear();
    for (auto& row : *rows) {
      events_.push_back({row.seq, fmt::format("id: {}\nevent: entry\ndata: {}\n\n", row.seq, row.json)});
    }
    found = find();
  }
  return found == events_.end() ? nullptr : &*found;
}

bool Tail::send(Client& client, std::string text) {
  client.blocked = true;  // First: the notice that there is room again may come before this thread goes on.
  switch (client.stream->write(std::move(text))) {
    case http::Push::kQueued:
      client.blocked = false;
      return true;
    case http::Push::kClosed:
      client.closed = true;
      return false;
    case http::Push::kFull:
      return false;
  }
  return false;
}

}  // namespace gibbon::logs
