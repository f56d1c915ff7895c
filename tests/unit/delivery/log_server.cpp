#include "log_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstdlib>
#include <sstream>

#include "base/json.hpp"

namespace gibbon::testing {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = boost::asio::ip::tcp;

std::string entry_id(const std::string& text) {
  boost::system::error_code code;
  const json::value value = json::parse(text, code);
  if (code || !value.is_object() || !value.get_object().if_contains("entry_id")) return "not an entry: " + text;
  return std::string(value.get_object().at("entry_id").as_string());
}

int listen_on(std::uint16_t* port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(*port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 128) != 0) std::abort();
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  *port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

LogServer::LogServer() { start(); }
LogServer::~LogServer() { stop(); }

void LogServer::script(Script script) {
  const std::lock_guard lock(mutex_);
  script_ = std::move(script);
  ++script_number_;
  changed_.notify_all();
}

void LogServer::start() {
  listener_ = listen_on(&port_);
  running_ = true;
  acceptor_ = std::thread([this, listener = listener_] { accept_loop(listener); });
}

void LogServer::stop() {
  if (!acceptor_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
    changed_.notify_all();
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  std::list<Connection> connections;
  {
    const std::lock_guard lock(mutex_);
    for (Connection& c : connections_list_)
      if (c.fd >= 0) ::shutdown(c.fd, SHUT_RDWR);
    connections.swap(connections_list_);
  }
  for (Connection& c : connections) c.thread.join();
}

void LogServer::accept_loop(int listener) {
  while (running_) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const std::lock_guard lock(mutex_);
    if (!running_) {
      ::close(fd);
      return;
    }
    ++connections_;
    const std::uint64_t now_open = ++open_;
    if (now_open > most_connections_) most_connections_ = now_open;
    connections_list_.push_back({fd, {}});
    Connection& c = connections_list_.back();
    c.thread = std::thread([this, &c, fd] {
      serve(fd);
      const std::lock_guard done(mutex_);
      c.fd = -1;
      --open_;
    });
  }
}

void LogServer::serve(int fd) {
  boost::asio::io_context io;
  tcp::socket socket(io, tcp::v4(), fd);
  beast::flat_buffer buffer;
  boost::system::error_code code;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(64 << 20);
    http::read(socket, buffer, parser, code);
    if (code) return;
    const auto& request = parser.get();
    ReceivedRequest got;
    got.content_type = std::string(request[http::field::content_type]);
    got.idempotency_key = std::string(request["Idempotency-Key"]);
    got.user_agent = std::string(request[http::field::user_agent]);
    got.authorization = std::string(request[http::field::authorization]);
    got.body = request.body();
    if (got.content_type == "application/x-ndjson") {
      std::istringstream lines(got.body);
      for (std::string line; std::getline(lines, line);) got.entries.push_back(line);
    } else {
      got.entries.push_back(got.body);
    }
    Reply reply;
    {
      std::unique_lock lock(mutex_);
      ++attempts_;
      if (script_) reply = script_(got);
      const std::uint64_t number = script_number_;
      if (reply.act == Reply::Act::kHang) {
        changed_.wait(lock, [&] { return !running_ || script_number_ != number; });
        return;
      }
      if (reply.delay_ms > 0)
        changed_.wait_for(lock, std::chrono::milliseconds(reply.delay_ms), [&] { return !running_; });
    }
    if (reply.act == Reply::Act::kReset) {
      const linger hard{1, 0};
      ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
      return;
    }
    if (reply.status >= 200 && reply.status < 300) {
      const std::lock_guard lock(mutex_);
      for (const std::string& entry : got.entries) ++received_[entry_id(entry)];
      requests_.push_back(got);
    }
    http::response<http::string_body> response(static_cast<http::status>(reply.status), 11);
    response.set(http::field::content_type, "application/json");
    if (reply.accepts_ndjson) response.set("Accept-Post", "application/json, application/x-ndjson");
    if (!reply.retry_after.empty()) response.set(http::field::retry_after, reply.retry_after);
    response.body() = "{\"ok\":true}";
    response.prepare_payload();
    http::write(socket, response, code);
    if (code) return;
  }
}

std::map<std::string, int> LogServer::received() {
  const std::lock_guard lock(mutex_);
  return received_;
}

std::size_t LogServer::distinct() {
  const std::lock_guard lock(mutex_);
  return received_.size();
}

std::vector<ReceivedRequest> LogServer::requests() {
  const std::lock_guard lock(mutex_);
  return requests_;
}

}  // namespace gibbon::testing
