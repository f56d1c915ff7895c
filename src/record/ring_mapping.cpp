#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "record/ring.hpp"

namespace gibbon::record {
namespace {

constexpr std::uint64_t kHeaderBytes = 4096;
constexpr std::uint64_t kMaxCapacity = std::uint64_t{1} << 40;

Error failure(const std::string& what, const std::string& path, int code) {
  return Error{what + " " + path + ": " + std::strerror(code), {}};
}

/// Closes a descriptor that nobody took.
struct Descriptor {
  explicit Descriptor(int value) : fd(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  int release() { return std::exchange(fd, -1); }
  int fd;
};

/// Header and data, and the data again behind it; null with errno when the kernel has no room for it.
void* map_twice(int fd, std::uint64_t capacity) {
  const std::uint64_t total = kHeaderBytes + 2 * capacity;
  void* base = ::mmap(nullptr, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return nullptr;
  auto* bytes = static_cast<std::byte*>(base);
  const int access = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_FIXED;
  if (::mmap(bytes, kHeaderBytes + capacity, access, flags, fd, 0) == MAP_FAILED ||
      ::mmap(bytes + kHeaderBytes + capacity, capacity, access, flags, fd, kHeaderBytes) == MAP_FAILED) {
    const int code = errno;
    ::munmap(base, total);
    errno = code;
    return nullptr;
  }
  return base;
}

const char* header_problem(const RingHeader& header, std::uint64_t file_size) {
  if (header.magic != kRingMagic) return "it is not a ring";
  if (header.version != kRingVersion) return "it was made by another version";
  if (header.capacity < kHeaderBytes || header.capacity > kMaxCapacity || !std::has_single_bit(header.capacity) ||
      header.capacity + kHeaderBytes != file_size)
    return "its size is damaged";
  const std::uint64_t head = header.head.load(std::memory_order_acquire);
  const std::uint64_t tail = header.tail.load(std::memory_order_acquire);
  const std::uint64_t ledger_tail = header.ledgers[header.current_ledger.load(std::memory_order_acquire) & 1].tail;
  if (tail > head || head - tail > header.capacity || ((head | tail | ledger_tail) & 7) != 0 || ledger_tail < tail ||
      ledger_tail > header.head.load(std::memory_order_acquire))
    return "its positions are damaged";
  return nullptr;
}

std::uint64_t random_id() {
  std::uint64_t id = 0;
  while (id == 0)
    if (::getrandom(&id, sizeof id, 0) != sizeof id) id = 0;
  return id;
}

}  // namespace

RingMapping::RingMapping(RingMapping&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)),
      fd_(std::exchange(other.fd_, -1)) {}

RingMapping& RingMapping::operator=(RingMapping&& other) noexcept {
  if (this != &other) {
    this->~RingMapping();
    new (this) RingMapping(std::move(other));
  }
  return *this;
}

RingMapping::~RingMapping() {
  if (base_ != nullptr) ::munmap(base_, kHeaderBytes + 2 * capacity_);
  if (fd_ >= 0) ::close(fd_);
}

Result<RingMapping> RingMapping::open(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (file.fd < 0) return failure("cannot open the ring", path, errno);
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) return failure("cannot read the ring", path, errno);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (!S_ISREG(info.st_mode) || size < 2 * kHeaderBytes || size - kHeaderBytes > kMaxCapacity ||
      (size % kHeaderBytes) != 0)
    return Error{"cannot use the ring " + path + ": its size is damaged", {}};
  const std::uint64_t capacity = size - kHeaderBytes;
  void* base = map_twice(file.fd, capacity);
  if (base == nullptr) return failure("cannot map the ring", path, errno);
  RingMapping mapping;
  mapping.base_ = base;
  mapping.data_ = static_cast<std::byte*>(base) + kHeaderBytes;
  mapping.capacity_ = capacity;
  mapping.fd_ = file.release();
  if (const char* problem = header_problem(mapping.header(), size))
    return Error{"cannot use the ring " + path + ": " + problem, {}};
  return mapping;
}

Result<RingMapping> RingMapping::create(const std::string& path, std::uint64_t capacity,
                                        const RingHeader* predecessor) {
  if (capacity > kMaxCapacity) return Error{"a ring of more than 1 TiB cannot be made", {}};
  capacity = std::bit_ceil(capacity < kHeaderBytes ? kHeaderBytes : capacity);
  const std::string unfinished = path + ".new." + std::to_string(::getpid());
  ::unlink(unfinished.c_str());
  Descriptor file(::open(unfinished.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.fd < 0) return failure("cannot create the ring", path, errno);
  struct Remover {
    const std::string& path;
    ~Remover() { ::unlink(path.c_str()); }
  } remover{unfinished};
  if (const int code = ::posix_fallocate(file.fd, 0, static_cast<off_t>(kHeaderBytes + capacity)); code != 0) {
    Error error = failure("cannot allocate " + std::to_string(capacity) + " bytes for the ring", path, code);
    if (code == ENOSPC) error.message += "; make the ring smaller or the file system (often /dev/shm) larger";
    return error;
  }
  void* base = map_twice(file.fd, capacity);
  if (base == nullptr) return failure("cannot map the ring", path, errno);
  RingMapping mapping;
  mapping.base_ = base;
  mapping.data_ = static_cast<std::byte*>(base) + kHeaderBytes;
  mapping.capacity_ = capacity;
  mapping.fd_ = file.release();

  auto* header = new (base) RingHeader{};
  header->magic = kRingMagic;
  header->version = kRingVersion;
  header->capacity = capacity;
  header->id = predecessor != nullptr ? predecessor->id : random_id();
  if (predecessor != nullptr) {
    header->head = predecessor->head.load();
    header->tail = predecessor->tail.load();
    header->pushed = predecessor->pushed.load();
    for (std::size_t i = 0; i < static_cast<std::size_t>(DropReason::kCount); ++i)
      header->dropped[i] = predecessor->dropped[i].load();
    header->ledgers[0] = predecessor->ledgers[predecessor->current_ledger.load() & 1];
  }
  if (::link(unfinished.c_str(), path.c_str()) != 0) return failure("cannot create the ring", path, errno);
  return mapping;
}

}  // namespace gibbon::record
