#include <dirent.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <charconv>
#include <cstring>
#include <exception>
#include <optional>

#include "agent/delivery/loop.hpp"
#include "base/json.hpp"

namespace gibbon::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto kScanInterval = 100ms;
// Directories tell their changes by a clock that ticks slowly: now and then they are listed all the same.
constexpr auto kListInterval = 2s;
constexpr std::string_view kRingPrefix = "ring.";

std::optional<std::uint32_t> slot_of(std::string_view name) {
  if (!name.starts_with(kRingPrefix)) return std::nullopt;
  name.remove_prefix(kRingPrefix.size());
  std::uint32_t slot = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), slot);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size() || slot >= record::kMaxSlots)
    return std::nullopt;
  return slot;
}

bool is_json(std::string_view text) {
  json::stream_parser parser;
  boost::system::error_code error;
  parser.write(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  return !error;
}

}  // namespace

void Delivery::Loop::scan_rings(Clock::time_point now) {
  if (now - scanned_at_ < kScanInterval && scanned_at_ != Clock::time_point{}) return;
  scanned_at_ = now;
  struct stat info {};
  if (::stat(options_.shared_directory.c_str(), &info) != 0) return;
  const std::int64_t mtime = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  if (mtime == listed_mtime_ns_ && now - listed_at_ < kListInterval) return;
  listed_mtime_ns_ = mtime;
  listed_at_ = now;
  DIR* directory = ::opendir(options_.shared_directory.c_str());
  if (directory == nullptr) return;
  while (const dirent* entry = ::readdir(directory))
    if (const auto slot = slot_of(entry->d_name)) open_ring(options_.shared_directory + "/" + entry->d_name, *slot);
  ::closedir(directory);
}

void Delivery::Loop::find_every_ring() {
  scanned_at_ = {};
  listed_mtime_ns_ = -1;
  scan_rings(Clock::now());
}

void Delivery::Loop::open_ring(const std::string& path, std::uint32_t slot) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return;
  const auto known = rings_.find(slot);
  if (known != rings_.end()) {
    RingSource& ring = *known->second;
    // Another file under the name: a worker has put a ring of another size in the place of an empty one.
    if (ring.file() == info.st_ino || ring.window().size() > 0 || ring.consumer().unreleased_records() > 0) return;
  }
  Result<record::RingMapping> mapping = record::RingMapping::open(path);
  if (!mapping) {
    if (complained_.insert(path).second) spdlog::error("{}", mapping.error().message);
    return;
  }
  record::RingConsumer consumer(std::move(*mapping), slot);
  if (known != rings_.end()) {
    known->second->replace(std::move(consumer), info.st_ino);
  } else {
    rings_.emplace(slot, std::make_unique<RingSource>(std::move(consumer), info.st_ino));
  }
}

bool Delivery::Loop::read_ring(RingSource& ring, Clock::time_point now, std::size_t limit) {
  std::size_t count = 0;
  for (; count < limit; ++count) {
    const record::RingConsumer::Item* item = ring.peek();
    if (item == nullptr || take(ring, *item, now) == Take::kWait) break;
  }
  return count > 0;
}

Delivery::Loop::Take Delivery::Loop::take(RingSource& ring, const record::RingConsumer::Item& item,
                                          Clock::time_point now) {
  const auto give_up = [&](record::LossReason reason, const std::string& why) {
    const std::uint64_t seq = item.seq;
    ring.taken();
    ring.settle(seq, lost(reason));
    if (now - complained_at_ > 10s) {
      spdlog::error("an exchange could not be delivered: {}", why);
      complained_at_ = now;
    }
    return Take::kTaken;
  };
  const std::uint32_t type = record::type_of(item.bytes);
  const bool queued = type == record::kQueueRecord;
  if (Status whole = queued ? queued_.parse(item.bytes) : parsed_.parse(item.bytes); !whole)
    return give_up(record::LossReason::kDamaged, whole.error().message);
  const std::uint64_t generation = queued ? queued_.head.generation : parsed_.head().generation;
  config::Uuid id;
  std::memcpy(id.data(), queued ? queued_.head.plugin_id : parsed_.head().plugin_id, id.size());
  const PluginTarget* target = targets_->find(generation, id);
  if (target == nullptr) {
    if (targets_->none()) return Take::kWait;
    return give_up(record::LossReason::kUnknownPlugin, "its plugin is in no snapshot that is left");
  }
  Endpoint& endpoint = *target->endpoint;
  if (!endpoint.has_room(now)) return Take::kWait;

  Batch& batch = endpoint.open_batch(now);
  const std::size_t offset = batch.bytes.size();
  try {
    if (queued) {
      encode_queued(*target, batch.bytes);
    } else {
      encode_exchange(*target, batch.bytes);
    }
  } catch (const std::exception& error) {
    batch.bytes.resize(offset);
    return give_up(record::LossReason::kEncodeFailed,
                   std::string("plugin ") + target->config.plugin().name + ": " + error.what());
  }
  // In JSON a line break stands between tokens alone; in NDJSON it ends an entry.
  for (std::size_t at = batch.bytes.find('\n', offset); at != std::string::npos; at = batch.bytes.find('\n', at))
    batch.bytes[at] = ' ';
  EntryRef& entry = batch.add(offset);
  entry.ring = &ring;
  entry.ring_id = ring.id();
  entry.ring_seq = item.seq;
  entry.captured_ms = now_ms_;
  entry.id = queued ? queued_.entry_uuid : parsed_.entry_uuid();
  endpoint.added();
  ring.taken();
  return Take::kTaken;
}

void Delivery::Loop::encode_exchange(const PluginTarget& target, std::string& out) {
  const PluginDescriptor& plugin = target.config.plugin();
  if (plugin.encode == nullptr) throw std::logic_error("it recorded an exchange, but has no encode()");
  redactor_.redact(parsed_);
  targets_->show_entities(parsed_.head().generation, parsed_);
  if (!parsed_.exchange().serialize_values.empty())
    parsed_.keep_serialize_values([](const SerializeValue& value) { return value.json.empty() || is_json(value.json); });
  plugin.encode(parsed_.exchange(), target.config.get(), out);
}

void Delivery::Loop::encode_queued(const PluginTarget& target, std::string& out) {
  const PluginDescriptor& plugin = target.config.plugin();
  if (plugin.encode_entry != nullptr) {
    plugin.encode_entry(queued_.entry, target.config.get(), out);
    return;
  }
  if (!queued_.entry.starts_with('{') || !is_json(queued_.entry))
    throw std::runtime_error("an entry is no JSON object, and there is no encode_entry()");
  out += queued_.entry;
}

Endpoint* Delivery::Loop::endpoint_for(const Destination& destination) {
  std::unique_ptr<Endpoint>& endpoint = endpoints_[Endpoint::directory_name(destination)];
  if (!endpoint)
    endpoint = std::make_unique<Endpoint>(
        EndpointContext{sender_, files_, budget_, options_.spool_directory, options_.secret}, destination);
  return endpoint.get();
}

}  // namespace gibbon::agent
