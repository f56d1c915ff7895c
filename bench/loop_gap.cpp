// How long a worker's event loop is away from its events: preloaded into nginx by bench/routes.py, for measuring alone.
//
// Every turn of the loop ends in epoll_wait(). What lies between its return and the next call is one turn: during it
// no other event is served. The file that GIBBON_LOOP_GAPS names holds a row per process: turns, the longest turn by the
// clock and by the thread's own CPU time, and how many turns were longer than a millisecond by either. A turn that is
// long by the clock alone was waiting for a core (or a lock).
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

struct Row {
  std::atomic<std::uint64_t> pid, turns, longest_wall_ns, longest_cpu_ns, long_walls, long_cpus;
};
constexpr std::size_t kRows = 64;
constexpr std::uint64_t kLongNs = 1'000'000;

Row* rows = nullptr;

__attribute__((constructor)) void map_rows() {
  const char* path = std::getenv("GIBBON_LOOP_GAPS");
  if (path == nullptr) return;
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* page = mmap(nullptr, kRows * sizeof(Row), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (page != MAP_FAILED) rows = static_cast<Row*>(page);
}

std::uint64_t now(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

Row* own_row() {
  static thread_local Row* mine = nullptr;
  static thread_local pid_t of = 0;
  if (rows == nullptr) return nullptr;
  if (of == getpid()) return mine;
  of = getpid();
  mine = nullptr;
  for (std::size_t i = 0; i < kRows && mine == nullptr; ++i) {
    std::uint64_t nobody = 0;
    if (rows[i].pid.compare_exchange_strong(nobody, static_cast<std::uint64_t>(of))) mine = &rows[i];
  }
  return mine;
}

void raise(std::atomic<std::uint64_t>& longest, std::atomic<std::uint64_t>& count, std::uint64_t ns) {
  if (ns > longest.load(std::memory_order_relaxed)) longest.store(ns, std::memory_order_relaxed);
  if (ns > kLongNs) count.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int epoll_wait(int fd, epoll_event* events, int max, int timeout) {
  using Wait = int (*)(int, epoll_event*, int, int);
  static const auto wait = reinterpret_cast<Wait>(dlsym(RTLD_NEXT, "epoll_wait"));
  static thread_local std::uint64_t wall = 0, cpu = 0;
  Row* row = own_row();
  if (row != nullptr && wall != 0) {
    row->turns.fetch_add(1, std::memory_order_relaxed);
    raise(row->longest_wall_ns, row->long_walls, now(CLOCK_MONOTONIC) - wall);
    raise(row->longest_cpu_ns, row->long_cpus, now(CLOCK_THREAD_CPUTIME_ID) - cpu);
  }
  const int ready = wait(fd, events, max, timeout);
  if (row != nullptr) {
    wall = now(CLOCK_MONOTONIC);
    cpu = now(CLOCK_THREAD_CPUTIME_ID);
  }
  return ready;
}
