#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// A client that sends exactly the bytes it is told to, and takes answers apart by hand: what a test of a server
/// needs. Every wait ends after ten seconds.
namespace gibbon::test {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< Names in lower case.
  std::string body;
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port, const char* host = "127.0.0.1", int receive_buffer = 0) {
    const bool v6 = std::string_view(host).find(':') != std::string_view::npos;
    fd_ = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    int failed = 0;
    if (v6) {
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_port = htons(port);
      ::inet_pton(AF_INET6, host, &address.sin6_addr);
      failed = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    } else {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      ::inet_pton(AF_INET, host, &address.sin_addr);
      failed = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    connected_ = failed == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(); }

  [[nodiscard]] bool connected() const { return connected_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void shutdown_send() { ::shutdown(fd_, SHUT_WR); }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// Bytes up to and with `mark`; nothing when the server closed before.
  std::optional<std::string> read_until(std::string_view mark) {
    std::size_t at;
    while ((at = buffer_.find(mark)) == std::string::npos) {
      if (!fill()) return std::nullopt;
    }
    return take(at + mark.size());
  }
  std::optional<std::string> read_exactly(std::size_t size) {
    while (buffer_.size() < size) {
      if (!fill()) return std::nullopt;
    }
    return take(size);
  }
  /// All that comes until the server closes; nothing when it does not.
  std::optional<std::string> read_to_end() {
    while (fill()) {
    }
    if (!ended_) return std::nullopt;
    return std::exchange(buffer_, {});
  }
  /// The server closed the connection (and sent nothing more before).
  bool closed_by_server() {
    const auto rest = read_to_end();
    return rest && rest->empty();
  }

  std::optional<Answer> read_head() {
    const auto head = read_until("\r\n\r\n");
    if (!head || head->size() < 12) return std::nullopt;
    Answer answer;
    answer.status = std::atoi(head->c_str() + 9);
    std::size_t at = head->find("\r\n") + 2;
    while (at + 2 < head->size()) {
      const auto end = head->find("\r\n", at), colon = head->find(": ", at);
      std::string name = head->substr(at, colon - at);
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      answer.headers[name] = head->substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
    return answer;
  }
  /// One chunk of a chunked body; empty at its end.
  std::optional<std::string> read_chunk() {
    const auto line = read_until("\r\n");
    if (!line) return std::nullopt;
    auto bytes = read_exactly(std::strtoul(line->c_str(), nullptr, 16) + 2);
    if (bytes) bytes->resize(bytes->size() - 2);
    return bytes;
  }
  enum class Body { kExpected, kNone };
  std::optional<Answer> read_answer(Body body = Body::kExpected) {
    auto answer = read_head();
    if (!answer || body == Body::kNone) return answer;
    if (answer->headers.contains("content-length")) {
      auto bytes = read_exactly(std::strtoul(answer->headers["content-length"].c_str(), nullptr, 10));
      if (!bytes) return std::nullopt;
      answer->body = std::move(*bytes);
    } else if (answer->headers["transfer-encoding"] == "chunked") {
      for (;;) {
        auto chunk = read_chunk();
        if (!chunk) return std::nullopt;
        if (chunk->empty()) break;
        answer->body += *chunk;
      }
    }
    return answer;
  }
  std::optional<Answer> ask(std::string_view bytes) { return send(bytes) ? read_answer() : std::nullopt; }
  std::optional<Answer> get(std::string_view target) {
    return ask("GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  std::optional<Answer> post(std::string_view target, std::string_view body,
                             std::string_view content_type = "application/json") {
    std::string text = "POST " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n";
    if (!content_type.empty()) text += "Content-Type: " + std::string(content_type) + "\r\n";
    text += "\r\n";
    text += body;
    return ask(text);
  }

 private:
  std::string take(std::size_t size) {
    std::string out = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return out;
  }
  bool fill() {
    pollfd wait{fd_, POLLIN, 0};
    if (fd_ < 0 || ::poll(&wait, 1, 10'000) <= 0) return false;
    char bytes[16384];
    const auto got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) {
      ended_ = true;
      return false;
    }
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  int fd_ = -1;
  bool connected_ = false, ended_ = false;
  std::string buffer_;
};

}  // namespace gibbon::test
