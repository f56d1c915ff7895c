#include "gateway/nginx/kit/socket.hpp"

#include "gateway/nginx/kit/deadline.hpp"
#include "gateway/nginx/worker.hpp"

namespace gibbon::nginx {
namespace {

using std::chrono::milliseconds;

/// What two connections must share so that one can serve in the other's place.
std::string pool_key(const ConnectOptions& options) {
  std::string key = options.host + '\n' + std::to_string(options.port) + '\n';
  key += options.tls ? (options.ssl_verify ? "verified" : "tls") : "";
  return key + '\n' + options.server_name + '\n' + options.pool;
}

Wait<void> stream_step(Caller& caller, const std::shared_ptr<Stream>& stream, StreamOperation<void>::Begin begin) {
  return Wait<void>(std::make_unique<StreamOperation<void>>(caller, stream, std::move(begin)));
}

Wait<void> open_stream(Caller& caller, const std::shared_ptr<Stream>& stream, const gateway::HostAnswer::Endpoint& to,
                       const ConnectOptions& options, milliseconds timeout) {
  const std::uint16_t port = to.port != 0 ? to.port : options.port;
  sockaddr_storage address{};
  const socklen_t length = to.address.to_sockaddr(port, &address);
  std::string name = options.host + ":" + std::to_string(port);
  return stream_step(caller, stream, [=](Stream& s, Stream::Done done) {
    s.open(address, length, name, to_msec(timeout), std::move(done));
  });
}

Wait<void> shake_hands(Caller& caller, const std::shared_ptr<Stream>& stream, const ConnectOptions& options,
                       milliseconds timeout) {
  OutgoingTls& tls = worker()->sockets().tls();
  const auto verify = options.ssl_verify ? Stream::Verify::kChainAndName : Stream::Verify::kNothing;
  std::string name = options.server_name.empty() ? options.host : options.server_name;
  return stream_step(caller, stream, [=, &tls](Stream& s, Stream::Done done) {
    s.shake_hands(tls, name, verify, to_msec(timeout), std::move(done));
  });
}

}  // namespace

SocketAdapter::SocketAdapter(Caller& caller, std::shared_ptr<Stream> stream, const ConnectOptions& options, bool reused)
    : caller_(caller),
      stream_(std::move(stream)),
      key_(pool_key(options)),
      pool_size_(options.pool_size),
      timeout_(to_msec(options.timeout)),
      reused_(reused) {}

SocketAdapter::~SocketAdapter() {
  if (stream_ != nullptr) stream_->stop();
}

Wait<void> SocketAdapter::write(std::string bytes) {
  if (stream_ == nullptr) throw std::logic_error("write() was called for a socket that was kept");
  return stream_step(caller_, stream_, [bytes = std::move(bytes), timeout = timeout_](Stream& s, Stream::Done done) mutable {
    s.write(std::move(bytes), timeout, std::move(done));
  });
}

Wait<std::string> SocketAdapter::read() {
  if (stream_ == nullptr) throw std::logic_error("read() was called for a socket that was kept");
  return Wait<std::string>(std::make_unique<StreamOperation<std::string>>(
      caller_, stream_, [timeout = timeout_](Stream& s, Stream::Done done) { s.read(timeout, std::move(done)); }));
}

void SocketAdapter::set_timeout(milliseconds timeout) { timeout_ = to_msec(timeout); }

void SocketAdapter::keep(milliseconds idle) {
  if (stream_ == nullptr) throw std::logic_error("keep() was called twice for a socket");
  if (stream_->busy()) throw std::logic_error("keep() was called for a socket that is not at rest");
  const std::shared_ptr<Stream> stream = std::move(stream_);
  if (worker() != nullptr && stream->is_open()) worker()->sockets().keep(key_, stream, pool_size_, to_msec(idle));
}

Task<std::vector<gateway::HostAnswer::Endpoint>> resolve_host(Caller& caller, std::string host, milliseconds timeout) {
  if (const auto address = gateway::Address::parse(host)) co_return gateway::HostAnswer::literal(*address).endpoints;
  std::shared_ptr<Name> name = worker()->upstreams().names().find(host);
  Wait<std::vector<gateway::HostAnswer::Endpoint>> answer(
      std::make_unique<NameOperation>(caller, std::move(name), host, timeout));
  co_return co_await answer;
}

Task<std::unique_ptr<Socket>> connect_socket(Caller& caller, ConnectOptions options, Reuse reuse) {
  co_await next_turn(caller);
  const std::string key = pool_key(options);
  if (reuse == Reuse::kKept) {
    if (std::shared_ptr<Stream> kept = worker()->sockets().take(key))
      co_return std::make_unique<SocketAdapter>(caller, std::move(kept), options, true);
  }
  const Deadline deadline(options.timeout);
  const auto endpoints = co_await resolve_host(caller, options.host, options.timeout);
  // Each worker begins with another address, and goes on with the next one at each connection.
  static auto turns = static_cast<std::size_t>(ngx_pid);
  const std::size_t first = turns++;
  for (std::size_t i = 0;; ++i) {
    const auto stream = std::make_shared<Stream>();
    const bool last = i + 1 >= endpoints.size();
    std::exception_ptr failure;
    try {
      const auto& endpoint = endpoints[(first + i) % endpoints.size()];
      co_await open_stream(caller, stream, endpoint, options, deadline.left());
    } catch (const WaitError&) {
      failure = std::current_exception();
    }
    if (failure != nullptr) {
      if (last || deadline.left().count() == 0) std::rethrow_exception(failure);
      continue;
    }
    if (options.tls) co_await shake_hands(caller, stream, options, deadline.left());
    co_return std::make_unique<SocketAdapter>(caller, stream, options, false);
  }
}

}  // namespace gibbon::nginx
