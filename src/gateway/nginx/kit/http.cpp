#include "gateway/nginx/kit/http.hpp"

#include "gateway/client/response_parser.hpp"
#include "gateway/nginx/kit/deadline.hpp"
#include "gateway/nginx/kit/socket.hpp"

namespace gibbon::nginx {
namespace {

using gateway::client::ResponseParser;
using gateway::client::Url;
using Kind = WaitError::Kind;

/// How long a connection waits for another request, in seconds.
constexpr std::chrono::seconds kIdle{60};

/// RFC 9110, 9.2.2.
bool is_idempotent(const std::string& method) {
  for (const char* other : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
    if (method == other) return true;
  return false;
}

std::string name_of(const Url& url) { return url.host + ":" + std::to_string(url.port); }

ConnectOptions connection_for(const HttpRequest& request, const Url& url, std::chrono::milliseconds timeout) {
  ConnectOptions options;
  options.host = url.host;
  options.port = url.port;
  options.timeout = timeout;
  options.tls = url.tls;
  options.ssl_verify = request.ssl_verify;
  options.pool = "gibbon http";
  return options;
}

/// Sends the request and reads the answer, as far as it comes.
Task<> converse(Socket& socket, const std::string& bytes, ResponseParser& parser, const Deadline& deadline,
                const std::string& where) {
  socket.set_timeout(deadline.left());
  co_await socket.write(bytes);
  auto state = ResponseParser::State::kIncomplete;
  while (state == ResponseParser::State::kIncomplete) {
    socket.set_timeout(deadline.left());
    const std::string got = co_await socket.read();
    state = got.empty() ? parser.end() : parser.feed(got);
  }
  if (state == ResponseParser::State::kFailed) throw WaitError(parser.failure_kind(), where + ": " + parser.failure());
}

/// A kept connection may have been closed by the other end meanwhile: then another one is tried, where the request may
/// be sent twice.
Task<HttpResponse> converse_with(Caller& caller, const HttpRequest& request, const Url& url) {
  const Deadline deadline(request.timeout);
  const std::string bytes = gateway::client::request_bytes(request, url), where = name_of(url);
  for (Reuse reuse = Reuse::kKept;; reuse = Reuse::kNever) {
    const std::unique_ptr<Socket> socket =
        co_await connect_socket(caller, connection_for(request, url, deadline.left()), reuse);
    ResponseParser parser(request.method, request.max_body_bytes);
    bool stale = false;
    try {
      co_await converse(*socket, bytes, parser, deadline, where);
    } catch (const WaitError& e) {
      stale = e.kind() == Kind::kConnection && socket->reused() && !parser.has_begun() && is_idempotent(request.method);
      if (!stale) throw;
    }
    if (stale) continue;
    if (parser.can_be_kept()) socket->keep(kIdle);
    co_return std::move(parser.response());
  }
}

}  // namespace

Task<HttpResponse> fetch(Caller& caller, HttpRequest request) {
  co_await next_turn(caller);
  const auto url = Url::parse(request.url);
  if (!url) throw WaitError(Kind::kProtocol, "the URL is none of http or https, with a host");
  try {
    co_return co_await converse_with(caller, request, *url);
  } catch (const WaitError& e) {
    if (e.kind() != Kind::kTimeout) throw;
    throw WaitError(Kind::kTimeout,
                    "no answer from " + name_of(*url) + " within " + std::to_string(request.timeout.count()) + " ms");
  }
}

}  // namespace gibbon::nginx
