#include "gateway/counters/counter_table.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/hash.hpp"
#include "config/shared_file.hpp"

namespace gibbon::gateway {
namespace {

using Cell = CounterPage::Cell;
using Bucket = CounterPage::Bucket;
using Hash = std::array<std::uint64_t, 2>;

constexpr unsigned kGenerationBits = 16;
constexpr std::uint64_t kGenerationMask = (std::uint64_t{1} << kGenerationBits) - 1;
constexpr std::uint64_t kUseMask = (std::uint64_t{1} << CounterPage::kCellsPerBucket) - 1;
constexpr std::uint64_t kOneChange = kUseMask + 1;

constexpr std::uint64_t generation_of(std::uint64_t word) { return word & kGenerationMask; }
constexpr std::uint64_t next_generation(std::uint64_t word) { return (word + 1) & kGenerationMask; }
constexpr std::int64_t value_of(std::uint64_t word) { return static_cast<std::int64_t>(word) >> kGenerationBits; }
constexpr std::uint64_t make_word(std::int64_t value, std::uint64_t generation) {
  return (static_cast<std::uint64_t>(value) << kGenerationBits) | generation;
}
constexpr std::uint64_t hash_word(std::uint64_t hash, std::uint64_t generation) {
  return (hash & ~kGenerationMask) | generation;
}

/// The bounds are kept, and so is `value + by` from overflowing.
std::int64_t add(std::int64_t value, std::int64_t by) {
  by = std::clamp(by, 2 * CounterTable::kLeast, -2 * CounterTable::kLeast);
  return std::clamp(value + by, CounterTable::kLeast, CounterTable::kMost);
}

/// Puts a word of the cell's current generation there. False where a later owner of the cell was there first.
bool put(std::atomic<std::uint64_t>& place, std::uint64_t word, const Cell& cell) {
  std::uint64_t before = place.load(std::memory_order_acquire);
  for (;;) {
    if (generation_of(cell.value.load(std::memory_order_acquire)) != generation_of(word)) return false;
    if (place.compare_exchange_weak(before, word, std::memory_order_acq_rel)) return true;
  }
}

/// Where a key is, or where it can go, as a bucket stood at one moment.
struct Place {
  std::uint64_t state = 0;                ///< The bucket's.
  std::optional<std::uint32_t> found;     ///< The cell of the key, not ended.
  std::uint64_t found_value = 0;          ///< Its value's word.
  std::uint32_t victim = 0;               ///< Where it is not found: the cell to take.
  std::uint64_t victim_value = 0;
};

Place look(const Bucket& bucket, const Hash& hash, std::int64_t now_ms) {
  for (;;) {
    Place place;
    place.state = bucket.state.load(std::memory_order_acquire);
    std::int64_t soonest = INT64_MAX;
    for (std::uint32_t i = 0; i < CounterPage::kCellsPerBucket; ++i) {
      const Cell& cell = bucket.cells[i];
      const std::uint64_t value = cell.value.load(std::memory_order_acquire);
      const std::uint64_t generation = generation_of(value);
      const std::uint64_t ends_word = cell.ends_ms.load(std::memory_order_acquire);
      const bool in_use = ((place.state >> i) & 1) != 0;
      // Free and ended cells are as good as another; of the rest the one goes that ends soonest.
      std::int64_t ends = in_use ? static_cast<std::int64_t>(ends_word >> kGenerationBits) : INT64_MIN;
      if (ends <= now_ms) ends = INT64_MIN;
      if (ends != INT64_MIN && cell.key[0].load(std::memory_order_acquire) == hash_word(hash[0], generation) &&
          cell.key[1].load(std::memory_order_acquire) == hash_word(hash[1], generation)) {
        place.found = i;
        place.found_value = value;
        break;
      }
      if (ends < soonest) {
        soonest = ends;
        place.victim = i;
        place.victim_value = value;
      }
    }
    if (bucket.state.load(std::memory_order_acquire) == place.state) return place;
  }
}

/// Brings a new counter of value 0 into use. False where another process changed the bucket: look again.
bool take(Bucket& bucket, const Place& place, const Hash& hash, std::int64_t ends_ms) {
  const std::uint64_t bit = std::uint64_t{1} << place.victim;
  std::uint64_t state = place.state;
  const std::uint64_t reserved = (state & ~bit) + kOneChange;
  if (!bucket.state.compare_exchange_strong(state, reserved, std::memory_order_acq_rel)) return false;
  Cell& cell = bucket.cells[place.victim];
  std::uint64_t value = place.victim_value;
  const std::uint64_t generation = next_generation(value);
  if (!cell.value.compare_exchange_strong(value, make_word(0, generation), std::memory_order_acq_rel)) return false;
  const std::uint64_t ends = make_word(ends_ms, generation);
  if (!put(cell.key[0], hash_word(hash[0], generation), cell) ||
      !put(cell.key[1], hash_word(hash[1], generation), cell) || !put(cell.ends_ms, ends, cell))
    return false;
  state = reserved;
  return bucket.state.compare_exchange_strong(state, (reserved | bit) + kOneChange, std::memory_order_acq_rel);
}

/// Null where the file is missing or no table of this version.
Result<CounterPage*> map_table(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0 && errno == ENOENT) return static_cast<CounterPage*>(nullptr);
  if (file < 0) return config::system_error("cannot open " + path);
  struct stat status {};
  const bool sized = fstat(file, &status) == 0 && status.st_size == static_cast<off_t>(sizeof(CounterPage));
  void* base = sized ? mmap(nullptr, sizeof(CounterPage), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : nullptr;
  close(file);
  if (!sized) return static_cast<CounterPage*>(nullptr);
  if (base == MAP_FAILED) return config::system_error("cannot map " + path);
  auto* page = static_cast<CounterPage*>(base);
  if (page->magic == CounterPage::kMagic && page->version == CounterPage::kVersion) return page;
  munmap(base, sizeof(CounterPage));
  return static_cast<CounterPage*>(nullptr);
}

/// All zeros but for its head, and all of its memory reserved, so that a full tmpfs shows here and not as SIGBUS.
Status fill_table(int file, const std::string& path) {
  if (const int error = posix_fallocate(file, 0, sizeof(CounterPage)); error != 0) {
    errno = error;
    return config::system_error("no room for " + path);
  }
  const std::uint32_t head[] = {CounterPage::kMagic, CounterPage::kVersion};
  if (pwrite(file, head, sizeof head, 0) != sizeof head) return config::system_error("cannot write " + path);
  return {};
}

/// Where nothing is in the way, the first process wins; a table of another version is replaced.
Status make_table(const std::string& directory, const std::string& path) {
  std::string made;
  const Result<int> file = config::create_shared_file(directory, &made);
  if (!file) return file.error();
  Status status = fill_table(*file, path);
  close(*file);
  if (status && link(made.c_str(), path.c_str()) != 0) {
    const Result<CounterPage*> there = map_table(path);
    if (there && there.value() != nullptr) {
      munmap(there.value(), sizeof(CounterPage));
    } else if (rename(made.c_str(), path.c_str()) != 0) {
      status = config::system_error("cannot create " + path);
    }
  }
  unlink(made.c_str());
  return status;
}

}  // namespace

Result<CounterTable> CounterTable::open(const std::string& directory) {
  const std::string path = directory + "/counters";
  Result<CounterPage*> page = map_table(path);
  if (page && page.value() == nullptr) {
    if (Status made = make_table(directory, path); !made) return made.error();
    page = map_table(path);
  }
  if (!page) return page.error();
  if (page.value() == nullptr) return Error{path + " was replaced while it was being opened", {}};
  return CounterTable(page.value());
}

CounterTable::~CounterTable() {
  if (page_ != nullptr) munmap(page_, sizeof(CounterPage));
}

Hash CounterTable::hash(std::string_view space, std::string_view key) noexcept {
  // Two hashes that go different ways through the text: what collides in one does not in the other.
  const std::uint64_t first = stable_hash(key, stable_hash(space));
  std::uint64_t second = mix_bits(key.size() + 0x9e3779b97f4a7c15ULL) ^ stable_hash(space, 1);
  for (const char c : key) second = (second << 7 | second >> 57) * 0x2545f4914f6cdd1dULL + static_cast<unsigned char>(c);
  return {first, mix_bits(second)};
}

std::int64_t CounterTable::increment(std::string_view space, std::string_view key, std::int64_t by,
                                     std::int64_t ttl_ms, std::int64_t now_ms) noexcept {
  const Hash hash = CounterTable::hash(space, key);
  // The bucket comes from the bits that the cell does not keep, too.
  Bucket& bucket = page_->buckets[mix_bits(hash[0] ^ (hash[1] << 1)) % CounterPage::kBuckets];
  for (;;) {
    const Place place = look(bucket, hash, now_ms);
    if (!place.found) {
      take(bucket, place, hash, now_ms + std::max<std::int64_t>(1, ttl_ms));
      continue;
    }
    std::uint64_t word = place.found_value;
    std::int64_t sum = add(value_of(word), by);
    // It fails where another one has counted, and then goes on; or where the cell is another key's by now.
    while (!bucket.cells[*place.found].value.compare_exchange_weak(word, make_word(sum, generation_of(word)),
                                                                   std::memory_order_acq_rel)) {
      if (generation_of(word) != generation_of(place.found_value)) break;
      sum = add(value_of(word), by);
    }
    if (generation_of(word) == generation_of(place.found_value)) return sum;
  }
}

std::int64_t CounterTable::get(std::string_view space, std::string_view key, std::int64_t now_ms) const noexcept {
  const Hash hash = CounterTable::hash(space, key);
  const Bucket& bucket = page_->buckets[mix_bits(hash[0] ^ (hash[1] << 1)) % CounterPage::kBuckets];
  const Place place = look(bucket, hash, now_ms);
  return place.found ? value_of(place.found_value) : 0;
}

}  // namespace gibbon::gateway
