#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <vector>

namespace gibbon::http {

class Connection;

/// The bytes below a connection: a socket, with or without TLS. Results arrive at the connection, which each
/// operation under way keeps alive. Threads: the loop's own.
class Transport {
 public:
  using Buffers = std::vector<boost::asio::const_buffer>;

  virtual ~Transport() = default;
  virtual void handshake(std::shared_ptr<Connection> connection) = 0;
  virtual void read_some(std::shared_ptr<Connection> connection, char* data, std::size_t size) = 0;
  virtual void write_some(std::shared_ptr<Connection> connection, const Buffers& buffers) = 0;
  /// Tells the client that nothing more will come. Then the connection lingers (plain) or closes (TLS).
  virtual void shut_down(std::shared_ptr<Connection> connection) = 0;
  /// Ends every operation with an error.
  virtual void close() = 0;

  static std::unique_ptr<Transport> plain(boost::asio::ip::tcp::socket socket);
  static std::unique_ptr<Transport> tls(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& context);
};

}  // namespace gibbon::http
