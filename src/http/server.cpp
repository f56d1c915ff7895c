#include "http/server.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <thread>

#include "http/connection.hpp"
#include "http/loop.hpp"

namespace gibbon::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Connections beyond the limit that are still told so; the rest is closed without a word.
constexpr std::size_t kRefusals = 64;

std::string endpoint_text(const tcp::endpoint& endpoint) {
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", endpoint.address().to_string(), endpoint.port())
                                    : fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
}

Error listen_error(const Listen& listen, std::string_view step, const error_code& error) {
  return {fmt::format("listen on {}:{}: {}: {}", listen.host, listen.port, step, error.message()), {}};
}

Status ask_for_certificates(const Listen& listen, asio::ssl::context& context) {
  error_code error;
  const std::string& file = listen.client_authorities_file;
  context.load_verify_file(file, error);
  if (error) return listen_error(listen, "client certificates' authorities " + file, error);
  SSL_CTX_set_client_CA_list(context.native_handle(), SSL_load_client_CA_file(file.c_str()));
  // Sessions of clients that were verified may be resumed here, and nowhere else.
  constexpr unsigned char kSessions[] = "gibbon client certificates";
  SSL_CTX_set_session_id_context(context.native_handle(), kSessions, sizeof kSessions);
  context.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert, error);
  if (error) return listen_error(listen, "client certificates", error);
  return {};
}

Status load_certificate(const Listen& listen, asio::ssl::context& context) {
  error_code error;
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                          asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression,
                      error);
  context.use_certificate_chain_file(listen.certificate_file, error);
  if (error) return listen_error(listen, "certificate " + listen.certificate_file, error);
  context.use_private_key_file(listen.key_file, asio::ssl::context::pem, error);
  if (error) return listen_error(listen, "key " + listen.key_file, error);
  if (SSL_CTX_check_private_key(context.native_handle()) != 1) {
    return Error{fmt::format("listen on {}:{}: the key {} does not belong to the certificate {}", listen.host,
                             listen.port, listen.key_file, listen.certificate_file),
                 {}};
  }
  SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  return listen.client_authorities_file.empty() ? Status() : ask_for_certificates(listen, context);
}

}  // namespace

Status check_tls(const Listen& listen) {
  if (!listen.tls()) return {};
  asio::ssl::context context(asio::ssl::context::tls_server);
  return load_certificate(listen, context);
}

class Server::Impl {
 public:
  Impl(ServerOptions options, Handler handler, AsyncHandler async_handler) : shared_(std::make_shared<ServerShared>()) {
    shared_->options = std::move(options);
    shared_->handler = std::move(handler);
    shared_->async_handler = std::move(async_handler);
    const unsigned threads = std::max(1U, shared_->options.threads);
    for (unsigned i = 0; i < threads; ++i) loops_.push_back(std::make_shared<Loop>());
    // With several threads, one whose handler blocks must not keep the others' clients from being accepted.
    accepting_ = threads == 1 ? loops_[0] : std::make_shared<Loop>();
  }

  ~Impl() { stop(std::chrono::milliseconds(0)); }

  Status start() {
    if (shared_->options.listen.empty()) return Error{"no address to listen on", {}};
    for (const auto& listen : shared_->options.listen) {
      if (auto status = open(listen); !status) return status;
    }
    for (auto& listener : listeners_) accept(*listener);
    for (auto& loop : loops_) loop->start();
    if (accepting_ != loops_[0]) accepting_->start();
    started_ = true;
    return {};
  }

  void stop(std::chrono::milliseconds grace) {
    const std::lock_guard lock(stop_mutex_);
    if (!started_) return;
    started_ = false;
    const auto deadline = std::chrono::steady_clock::now() + grace;
    accepting_->post([this] {
      for (auto& listener : listeners_) {
        error_code ignored;
        listener->acceptor.close(ignored);
        listener->pause.cancel();
      }
    });
    for (auto& loop : loops_) {
      loop->post([loop] {
        loop->draining = true;
        for_each_connection(*loop, &Connection::drain);
      });
    }
    // Only here, while stopping, is the count looked at again and again.
    while (shared_->open.load() > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    // The one that accepts ends first, so that the others can close what it still gave them.
    if (accepting_ != loops_[0]) accepting_->finish();
    for (auto& loop : loops_) {
      loop->post([loop] { for_each_connection(*loop, &Connection::close); });
      loop->finish();
    }
  }

  [[nodiscard]] const std::vector<Listen>& listening() const { return listening_; }
  [[nodiscard]] const ServerShared& shared() const { return *shared_; }

 private:
  struct Listener {
    explicit Listener(asio::io_context& context) : acceptor(context), pause(context) {}
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    std::unique_ptr<asio::ssl::context> tls;
  };

  static void for_each_connection(Loop& loop, void (Connection::*action)()) {
    const std::vector<Connection*> all(loop.connections.begin(), loop.connections.end());
    for (auto* connection : all) {
      if (loop.connections.contains(connection)) (connection->*action)();
    }
  }

  Status open(const Listen& listen) {
    auto listener = std::make_unique<Listener>(accepting_->context());
    error_code error;
    const auto address = asio::ip::make_address(listen.host, error);
    if (error) return listen_error(listen, "not an IPv4 or IPv6 address", error);
    if (listen.tls()) {
      listener->tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
      if (auto status = load_certificate(listen, *listener->tls); !status) return status;
    }
    const tcp::endpoint endpoint(address, listen.port);
    auto& acceptor = listener->acceptor;
    acceptor.open(endpoint.protocol(), error);
    if (error) return listen_error(listen, "socket", error);
    acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (address.is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
    acceptor.bind(endpoint, error);
    if (error) return listen_error(listen, "bind", error);
    acceptor.listen(4096, error);
    if (error) return listen_error(listen, "listen", error);
    listening_.push_back(listen);
    listening_.back().port = acceptor.local_endpoint(error).port();
    listeners_.push_back(std::move(listener));
    return {};
  }

  void accept(Listener& listener) {
    auto& loop = loops_[next_loop_++ % loops_.size()];
    listener.acceptor.async_accept(loop->context(), [this, &listener, loop](const error_code& error,
                                                                            tcp::socket socket) {
      if (!listener.acceptor.is_open()) return;
      if (error == asio::error::no_descriptors || error == asio::error::no_memory ||
          error == asio::error::no_buffer_space) {
        spdlog::error("accept: {}; trying again in 100 ms", error.message());
        listener.pause.expires_after(std::chrono::milliseconds(100));
        listener.pause.async_wait([this, &listener](const error_code& cancelled) {
          if (!cancelled) accept(listener);
        });
        return;
      }
      if (!error) admit(listener, loop, std::move(socket));
      accept(listener);
    });
  }

  void admit(Listener& listener, const std::shared_ptr<Loop>& loop, tcp::socket socket) {
    error_code error;
    socket.set_option(tcp::no_delay(true), error);
    const auto client = socket.remote_endpoint(error);
    if (error) return;  // Gone already.
    const std::uint64_t open = shared_->open.load(std::memory_order_relaxed), most = shared_->options.max_connections;
    if (open >= most + kRefusals) return;
    auto transport = listener.tls ? Transport::tls(std::move(socket), *listener.tls)
                                  : Transport::plain(std::move(socket));
    auto connection =
        std::make_shared<Connection>(shared_, loop, std::move(transport), endpoint_text(client),
                                     open >= most ? Admission::kRefuse : Admission::kServe);
    if (loop->here()) return connection->start();
    loop->post([connection = std::move(connection)] { connection->start(); });
  }

  std::shared_ptr<ServerShared> shared_;
  std::vector<std::shared_ptr<Loop>> loops_;
  std::shared_ptr<Loop> accepting_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Listen> listening_;
  std::size_t next_loop_ = 0;
  std::mutex stop_mutex_;
  bool started_ = false;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(handler), nullptr);
  if (auto status = impl->start(); !status) return status.error();
  return std::make_unique<Server>(std::move(impl));
}

Result<std::unique_ptr<Server>> Server::start_async(ServerOptions options, AsyncHandler handler) {
  auto impl = std::make_unique<Impl>(std::move(options), nullptr, std::move(handler));
  if (auto status = impl->start(); !status) return status.error();
  return std::make_unique<Server>(std::move(impl));
}

const std::vector<Listen>& Server::listening() const { return impl_->listening(); }

ServerStats Server::stats() const {
  const auto& shared = impl_->shared();
  return {shared.accepted.load(), shared.open.load(), shared.requests.load(), shared.refused.load()};
}

void Server::stop(std::chrono::milliseconds grace) { impl_->stop(grace); }

}  // namespace gibbon::http
