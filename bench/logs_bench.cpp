// How fast the log service takes entries in: entries/s and CPU µs per entry of the service's own process, which runs
// on one core (the client has another). Usage: logs_bench [entries] [directory]
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "logs/entry_key.hpp"
#include "logs/service.hpp"

namespace {

using gibbon::logs::Durability;

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

/// About 3 KB, like an exchange between a browser and an API.
std::string make_entry(int n) {
  const auto id = gibbon::logs::make_entry_id();
  std::string token;
  for (int i = 0; i < 12; ++i) token += fmt::format("{:08x}", std::rand());
  std::string request, response;
  for (int i = 0; i < 12; ++i) request += fmt::format(R"("x-request-header-{}":"value {} of this client",)", i, i * n % 17);
  for (int i = 0; i < 12; ++i) response += fmt::format(R"("x-response-header-{}":"value {} of the server",)", i, i);
  std::string items;
  for (int i = 0; i < 8; ++i) items += fmt::format(R"({{\"sku\":\"{}\",\"amount\":{},\"price\":{}.{:02}}},)", std::rand(), i, std::rand() % 900, std::rand() % 100);
  return fmt::format(
      R"({{"id":{}.{:03},"entry_id":"{}","request_id":"{:032x}","type":"kong_request_response",)"
      R"("timestamp":"2025-07-23T19:{:02}:{:02}.{:03}Z","request":{{"url":"http://api.example.com:8000/shop/orders/{}?page={}",)"
      R"("method":"POST","headers":{{{}"user-agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","accept":"*/*",)"
      R"("authorization":"[REDACTED]","content-type":"application/json","x-token":"{}"}},"body":"{{\"items\":[{}]}}",)"
      R"("body_size":417,"body_truncated":false}},"response":{{"status_code":{},"headers":{{{}"content-type":"application/json",)"
      R"("server":"nginx"}},"body":"{{\"order\":{},\"state\":\"accepted\",\"items\":[{}]}}","body_size":511}},)"
      R"("client_ip":"10.1.{}.{}","service":{{"id":"5f5d7f5c-27ab-4d3b-8fbb-8f7a5cc5fd02","name":"shop"}},)"
      R"("route":{{"id":"2b9c5a49-3dcb-4b6b-8ad2-9c8b1df5b6aa","name":"orders"}},"latencies":{{"request":{},"kong":1,"proxy":{}}}}})",
      1753298422993LL + n, n % 1000, id, static_cast<unsigned __int128>(std::rand()) * 0x9e3779b97f4a7c15ULL, n / 60 % 60,
      n % 60, n % 1000, std::rand() % 100000, n % 20, request, token, items, n % 50 == 0 ? 502 : 200, response, n, items,
      n % 256, n % 250, 5 + n % 90, 4 + n % 90);
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void send_all(int fd, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto sent = ::send(fd, text.data() + at, text.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) std::abort();
    at += static_cast<std::size_t>(sent);
  }
}

/// One answer: they are small, and one at a time is under way.
void read_answer(int fd) {
  char bytes[4096];
  std::string text;
  while (text.find("\"duplicates\":0}") == std::string::npos) {
    const auto got = ::recv(fd, bytes, sizeof bytes, 0);
    if (got <= 0 || text.size() > 8192) {
      std::fprintf(stderr, "unexpected answer: %s\n", text.c_str());
      std::abort();
    }
    text.append(bytes, static_cast<std::size_t>(got));
  }
}

void measure(const char* name, int entries, int batch, int connections, Durability durability,
             const std::string& directory) {
  std::vector<std::string> posts;
  std::size_t bytes = 0;
  for (int n = 0; n < entries; n += batch) {
    std::string body;
    for (int i = 0; i < batch; ++i) body += make_entry(n + i) + "\n";
    bytes += body.size();
    posts.push_back(fmt::format("POST /logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
                                "Content-Length: {}\r\n\r\n", body.size()) + body);
  }
  const auto data = directory + "/data";
  int port_pipe[2], stop_pipe[2];
  if (::pipe(port_pipe) != 0 || ::pipe(stop_pipe) != 0) std::abort();
  const pid_t pid = ::fork();
  if (pid == 0) {
    pin(0);
    ::close(stop_pipe[1]);
    gibbon::logs::Options options;
    options.listen = {{}};
    options.data_directory = data;
    options.durability = durability;
    auto service = gibbon::logs::Service::start(options);
    if (!service) std::abort();
    const std::uint16_t port = service.value()->port();
    if (::write(port_pipe[1], &port, sizeof port) != sizeof port) std::abort();
    char end;
    (void)!::read(stop_pipe[0], &end, 1);
    service.value().reset();
    ::_exit(0);
  }
  ::close(stop_pipe[0]);
  std::uint16_t port = 0;
  if (::read(port_pipe[0], &port, sizeof port) != sizeof port) std::abort();
  std::vector<int> clients;
  for (int i = 0; i < connections; ++i) clients.push_back(connect_to(port));
  const auto begun = std::chrono::steady_clock::now();
  std::size_t sent = 0, read = 0;
  while (read < posts.size()) {
    while (sent < posts.size() && sent - read < clients.size()) {
      send_all(clients[sent % clients.size()], posts[sent]);
      ++sent;
    }
    read_answer(clients[read % clients.size()]);
    ++read;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  for (const int fd : clients) ::close(fd);
  ::close(stop_pipe[1]);
  rusage usage{};
  int status = 0;
  ::wait4(pid, &status, 0, &usage);
  ::close(port_pipe[0]);
  ::close(port_pipe[1]);
  const double cpu_us = usage.ru_utime.tv_sec * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1e6 + usage.ru_stime.tv_usec;
  const auto count = static_cast<double>(posts.size()) * batch;
  std::printf("%-28s %9.0f entries/s  %6.1f CPU us/entry  %5.0f B/entry sent  %5.0f B/entry stored\n", name,
              count / seconds, cpu_us / count, static_cast<double>(bytes) / count,
              static_cast<double>(std::filesystem::file_size(data + "/entries.db")) / count);
  std::fflush(stdout);
  std::filesystem::remove_all(data);
}

}  // namespace

int main(int argc, char** argv) {
  const int entries = argc > 1 ? std::atoi(argv[1]) : 50'000;
  std::string directory = std::string(argc > 2 ? argv[2] : "/tmp") + "/gibbon-bench-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr || entries < 1000) return 1;
  if (std::thread::hardware_concurrency() > 1) pin(1);
  const int singles = entries / 4;
  measure("NDJSON, 1000 per POST", entries, 1000, 4, Durability::kNormal, directory);
  measure("NDJSON, 100 per POST", entries, 100, 4, Durability::kNormal, directory);
  measure("NDJSON, 100 per POST, full", entries, 100, 4, Durability::kFull, directory);
  measure("one per POST, 64 clients", singles, 1, 64, Durability::kNormal, directory);
  measure("one per POST, 10 clients", singles, 1, 10, Durability::kNormal, directory);
  measure("one per POST, 10, full", singles / 4, 1, 10, Durability::kFull, directory);
  std::filesystem::remove_all(directory);
  return 0;
}
