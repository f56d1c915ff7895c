#include "config/control.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <optional>
#include <thread>

#include "config/shared_file.hpp"

namespace gibbon::config {
namespace {

constexpr std::uint32_t kVersion = 2;

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  explicit operator bool() const { return value_ >= 0; }
  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

Result<ControlPage*> map_page(int descriptor, const std::string& path) {
  void* const base = mmap(nullptr, sizeof(ControlPage), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (base == MAP_FAILED) return system_error("cannot map " + path);
  return static_cast<ControlPage*>(base);
}

Status fill_page(int descriptor, const std::string& path) {
  // All of it now, so that a full tmpfs shows here and not as SIGBUS later.
  if (const int error = posix_fallocate(descriptor, 0, sizeof(ControlPage)); error != 0) {
    errno = error;
    return system_error("no room for " + path);
  }
  const Result<ControlPage*> page = map_page(descriptor, path);
  if (!page) return page.error();
  new (*page) ControlPage{};
  (*page)->magic = kControlMagic;
  (*page)->version = kVersion;
  munmap(*page, sizeof(ControlPage));
  return {};
}

/// Makes the page under a name of its own, then links it into place, so that nobody ever sees half of one.
/// Where another process was faster, its page stands.
Status make_page(const std::string& directory, const std::string& path) {
  std::string temporary;
  const Result<int> created = create_shared_file(directory, &temporary);
  if (!created) return created.error();
  const Descriptor file(*created);
  Status status = fill_page(file.get(), temporary);
  if (status && link(temporary.c_str(), path.c_str()) != 0 && errno != EEXIST) {
    status = system_error("cannot create " + path);
  }
  unlink(temporary.c_str());
  return status;
}

/// Nothing where there is no file.
Result<std::optional<ControlPage*>> open_page(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file) {
    if (errno == ENOENT) return std::optional<ControlPage*>();
    return system_error("cannot open " + path);
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return system_error("cannot read " + path);
  const std::string mismatch = path +
                               " is not a control page of this version: stop every gateway of this prefix, "
                               "then remove it";
  if (status.st_size != static_cast<off_t>(sizeof(ControlPage))) return Error{mismatch, {}};
  const Result<ControlPage*> page = map_page(file.get(), path);
  if (!page) return page.error();
  if (page.value()->magic != kControlMagic || page.value()->version != kVersion) {
    munmap(page.value(), sizeof(ControlPage));
    return Error{mismatch, {}};
  }
  return std::optional<ControlPage*>(page.value());
}

/// Opened for reading as well: then a FIFO without a reader takes the byte and forgets it, and nothing can
/// raise SIGPIPE. A full FIFO has woken its worker already.
void wake(const std::string& path) {
  const Descriptor fifo(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  struct stat status {};
  if (!fifo || fstat(fifo.get(), &status) != 0 || !S_ISFIFO(status.st_mode)) return;
  const char byte = 1;
  while (write(fifo.get(), &byte, 1) < 0 && errno == EINTR) {
  }
}

bool is_running(std::uint32_t pid) { return kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH; }

}  // namespace

Result<Control> Control::open(const std::string& directory) {
  const std::string path = directory + "/control";
  Result<std::optional<ControlPage*>> page = open_page(path);
  if (page && !page.value()) {
    if (const Status made = make_page(directory, path); !made) return made.error();
    page = open_page(path);
  }
  if (!page) return page.error();
  if (!page.value()) return Error{path + " was removed while it was being opened", {}};
  return Control(*page.value(), directory);
}

Control::~Control() {
  if (page_ != nullptr) munmap(page_, sizeof(ControlPage));
}

void Control::publish(std::uint64_t generation) {
  page_->generation.store(generation, std::memory_order_release);
  for (std::uint32_t slot = 0; slot < kControlSlots; ++slot) wake(wake_path(directory_, slot));
}

bool Control::wait_applied(std::uint64_t generation, std::chrono::milliseconds timeout) const {
  const auto has_applied = [&](const ControlPage::Worker& worker) {
    const std::uint32_t pid = worker.pid.load(std::memory_order_acquire);
    return pid == 0 || worker.applied.load(std::memory_order_acquire) >= generation || !is_running(pid);
  };
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    if (std::all_of(std::begin(page_->workers), std::end(page_->workers), has_applied)) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::string wake_path(const std::string& directory, std::uint32_t slot) {
  return directory + "/wake." + std::to_string(slot);
}

}  // namespace gibbon::config
