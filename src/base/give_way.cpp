#include "base/give_way.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace gibbon {
namespace {

constexpr int kNice = 10;
/// The least that the kernel takes.
constexpr std::uint64_t kSliceNs = 100'000;

}  // namespace

void give_way() {
  // The kernel's sched_attr, as far as this goes: its header and sched.h exclude each other.
  struct {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
  } wish{};
  wish.size = sizeof wish;
  wish.policy = SCHED_OTHER;
  wish.nice = kNice;
  wish.runtime = kSliceNs;  // Kernels before 6.12 take no notice.
  if (syscall(SYS_sched_setattr, 0, &wish, 0) != 0) setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
}

}  // namespace gibbon
