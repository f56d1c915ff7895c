#include "http/transport.hpp"

#include <boost/asio/ssl/stream.hpp>

#include "http/connection.hpp"

namespace gibbon::http {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(tcp::socket socket) : socket_(std::move(socket)) {}

  void handshake(std::shared_ptr<Connection> connection) override { connection->on_handshake({}); }

  void read_some(std::shared_ptr<Connection> connection, char* data, std::size_t size) override {
    socket_.async_read_some(boost::asio::buffer(data, size),
                            [connection = std::move(connection)](const error_code& error, std::size_t bytes) {
                              connection->on_read(error, bytes);
                            });
  }

  void write_some(std::shared_ptr<Connection> connection, const Buffers& buffers) override {
    socket_.async_write_some(buffers, [connection = std::move(connection)](const error_code& error, std::size_t bytes) {
      connection->on_written(error, bytes);
    });
  }

  void shut_down(std::shared_ptr<Connection> connection) override {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    connection->linger();
  }

  void close() override {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  tcp::socket socket_;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(tcp::socket socket, boost::asio::ssl::context& context) : stream_(std::move(socket), context) {}

  void handshake(std::shared_ptr<Connection> connection) override {
    stream_.async_handshake(
        boost::asio::ssl::stream_base::server,
        [connection = std::move(connection)](const error_code& error) { connection->on_handshake(error); });
  }

  void read_some(std::shared_ptr<Connection> connection, char* data, std::size_t size) override {
    stream_.async_read_some(boost::asio::buffer(data, size),
                            [connection = std::move(connection)](const error_code& error, std::size_t bytes) {
                              connection->on_read(error, bytes);
                            });
  }

  void write_some(std::shared_ptr<Connection> connection, const Buffers& buffers) override {
    // One buffer per record: OpenSSL takes one at a time.
    stream_.async_write_some(boost::asio::const_buffer(buffers.front()),
                             [connection = std::move(connection)](const error_code& error, std::size_t bytes) {
                               connection->on_written(error, bytes);
                             });
  }

  void shut_down(std::shared_ptr<Connection> connection) override {
    stream_.async_shutdown([connection = std::move(connection)](const error_code&) { connection->close(); });
  }

  void close() override {
    error_code ignored;
    stream_.lowest_layer().close(ignored);
  }

 private:
  boost::asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<Transport> Transport::plain(tcp::socket socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

std::unique_ptr<Transport> Transport::tls(tcp::socket socket, boost::asio::ssl::context& context) {
  return std::make_unique<TlsTransport>(std::move(socket), context);
}

}  // namespace gibbon::http
