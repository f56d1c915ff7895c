#include "app/probe.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "config/control.hpp"

namespace gibbon::app {

namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses resolve(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) found = nullptr;
  return {found, freeaddrinfo};
}

class Socket {
 public:
  explicit Socket(int family) : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

bool accepts(const Listener& listener) {
  const std::string host = listener.ip == "0.0.0.0" ? "127.0.0.1" : listener.ip == "::" ? "::1" : listener.ip;
  const Addresses addresses = resolve(host, listener.port, 0);
  if (!addresses) return false;
  const Socket socket(addresses->ai_family);
  return ::connect(socket.fd(), addresses->ai_addr, addresses->ai_addrlen) == 0;
}

std::string listen_problem(const Listener& listener) {
  const Addresses addresses = resolve(listener.ip, listener.port, AI_PASSIVE);
  if (!addresses) return "no such host";
  const Socket socket(addresses->ai_family);
  if (socket.fd() < 0) return std::strerror(errno);
  const int on = 1;
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (addresses->ai_family == AF_INET6) ::setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(socket.fd(), addresses->ai_addr, addresses->ai_addrlen) == 0) return {};
  return std::strerror(errno);
}

ControlView look_at_control(const Paths& paths) {
  ControlView view;
  if (::access((paths.shared + "/control").c_str(), R_OK) != 0) return view;
  const auto control = config::Control::open(paths.shared);
  if (!control) return view;
  const config::ControlPage& page = control->page();
  view.generation = page.generation.load();
  for (const auto& worker : page.workers) {
    const auto pid = static_cast<pid_t>(worker.pid.load());
    if (pid > 0 && parent_of(pid) > 0) view.workers.push_back({pid, worker.applied.load()});
  }
  return view;
}

void forget_passing_state(const Paths& paths) {
  if (::access((paths.shared + "/control").c_str(), R_OK) != 0) return;
  const auto control = config::Control::open(paths.shared);
  if (!control) return;
  control->page().draining.store(0);
}

pid_t parent_of(pid_t pid) {
  std::ifstream stream("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(stream, line)) return 0;
  // "pid (name) state parent ...": the name may hold anything, so look behind its last bracket.
  const auto bracket = line.rfind(')');
  if (bracket == std::string::npos || line.size() < bracket + 5 || line[bracket + 2] == 'Z') return 0;
  return static_cast<pid_t>(std::strtol(line.c_str() + bracket + 4, nullptr, 10));
}

}  // namespace gibbon::app
