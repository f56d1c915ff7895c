#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/loop.hpp"
#include "http/request_parser.hpp"
#include "http/response_writer.hpp"
#include "http/server.hpp"
#include "http/stream_state.hpp"
#include "http/transport.hpp"

namespace gibbon::http {

/// What all connections of a server share. Outlives them.
struct ServerShared {
  ServerOptions options;
  Handler handler;             ///< One of the two is set.
  AsyncHandler async_handler;
  std::atomic<std::uint64_t> accepted{0}, open{0}, requests{0}, refused{0};
};

/// What a connection does with the requests that come.
enum class Admission { kServe, kRefuse };

/// One client: reads requests, hands over one at a time, sends the answers in order.
/// Threads: the loop's own, but for the construction.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<ServerShared> shared, std::shared_ptr<Loop> loop, std::unique_ptr<Transport> transport,
             std::string client, Admission admission);
  ~Connection();

  void start();
  /// The server stops: closes now where nothing is under way, else after the answer.
  void drain();
  /// Ends everything at once. Again: does nothing.
  void close();

  // The transport's results.
  void on_handshake(const boost::system::error_code& error);
  void on_read(const boost::system::error_code& error, std::size_t bytes);
  void on_written(const boost::system::error_code& error, std::size_t bytes);
  /// Reads and forgets what still comes, so that the client can read the last answer before a reset.
  void linger();

  // The exchange's doings.
  void answer(Response response);
  void start_stream(Response head, std::shared_ptr<StreamState> stream);
  /// Takes over what waits in the stream of this connection.
  void pump_stream();

  [[nodiscard]] const std::shared_ptr<Loop>& loop() const { return loop_; }

 private:
  using Clock = std::chrono::steady_clock;

  void process();
  void dispatch();
  void refuse(Response response);
  void append(Response response);
  void add(std::string text);
  void add_piece(std::string piece);
  void finish_request();
  void read();
  void write();
  void write_sending();
  void release_stream(StreamState::Notice notice);
  void set_deadline();
  void wait_for_deadline();
  void on_deadline();
  [[nodiscard]] std::size_t unread() const { return end_ - begin_; }

  std::shared_ptr<ServerShared> shared_;
  std::shared_ptr<Loop> loop_;
  std::unique_ptr<Transport> transport_;
  std::string client_;
  const Admission admission_;

  Request request_;
  std::optional<RequestParser> parser_;
  std::vector<char> input_;
  std::size_t begin_ = 0, end_ = 0;

  Transport::Buffers buffers_;

  // Answers collect in out_ while sending_ is on its way: pieces, since large bodies are not copied.
  std::vector<std::string> out_, sending_;
  std::size_t sending_offset_ = 0, sending_index_ = 0, out_bytes_ = 0;
  std::size_t out_stream_bytes_ = 0, sending_stream_bytes_ = 0;

  std::shared_ptr<StreamState> stream_;
  bool stream_chunked_ = false;

  boost::asio::steady_timer timer_;
  Clock::time_point deadline_ = Clock::time_point::max(), timer_set_to_ = Clock::time_point::max();

  bool reading_ = false, writing_ = false, processing_ = false;
  bool awaiting_ = false;    ///< The handler has a request that is not answered.
  bool closing_ = false;     ///< No more requests; closes when all is sent.
  bool lingering_ = false, closed_ = false, handshaken_ = false, head_request_ = false, input_ended_ = false;
};

}  // namespace gibbon::http
