#include "http/connection.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/error.hpp>
#include <cstring>
#include <exception>

#include "http/exchange.hpp"

namespace gibbon::http {
namespace {

constexpr std::size_t kFirstInput = 8 * 1024;
constexpr std::size_t kLargestInput = 64 * 1024;
/// Answers that wait for a client which pipelines without reading; no further request is looked at then.
constexpr std::size_t kMostUnsent = 1024 * 1024;
/// A body below this is copied behind its head, one piece for the socket; a larger one stays where it is.
constexpr std::size_t kCopiedBody = 16 * 1024;
/// Memory that a connection keeps between two requests.
constexpr std::size_t kKeptBody = 256 * 1024;
constexpr std::chrono::seconds kLinger{2};

}  // namespace

Connection::Connection(std::shared_ptr<ServerShared> shared, std::shared_ptr<Loop> loop,
                       std::unique_ptr<Transport> transport, std::string client, Admission admission)
    : shared_(std::move(shared)), loop_(std::move(loop)), transport_(std::move(transport)),
      client_(std::move(client)), admission_(admission), timer_(loop_->context()) {
  shared_->accepted.fetch_add(1, std::memory_order_relaxed);
  shared_->open.fetch_add(1, std::memory_order_relaxed);
}

Connection::~Connection() {
  if (!closed_) shared_->open.fetch_sub(1);  // Never started.
}

void Connection::start() {
  loop_->connections.insert(this);
  if (loop_->draining) return close();
  set_deadline();
  transport_->handshake(shared_from_this());
}

void Connection::on_handshake(const boost::system::error_code& error) {
  if (closed_) return;
  if (error) return close();
  handshaken_ = true;
  process();
}

void Connection::process() {
  if (processing_ || closed_ || lingering_) return;
  processing_ = true;
  while (!awaiting_ && !closing_ && unread() > 0 && out_bytes_ < kMostUnsent) {
    const auto& options = shared_->options;
    if (!parser_) parser_.emplace(request_, options.max_header_bytes, options.max_body_bytes);
    std::size_t used = 0;
    const auto state = parser_->feed(input_.data() + begin_, unread(), &used);
    begin_ += used;
    if (state == RequestParser::State::kDone) {
      dispatch();
    } else if (state == RequestParser::State::kFailed) {
      refuse(error_response(parser_->status(), parser_->message()));
    } else {
      if (parser_->take_expectation()) add("HTTP/1.1 100 Continue\r\n\r\n");
      break;
    }
  }
  processing_ = false;
  if (closed_) return;
  if (input_ended_ && !awaiting_) closing_ = true;
  write();
  read();
  set_deadline();
}

void Connection::dispatch() {
  head_request_ = request_.method == "HEAD";
  if (admission_ == Admission::kRefuse) return refuse(error_response(503, "Too many connections"));
  shared_->requests.fetch_add(1, std::memory_order_relaxed);
  request_.client = client_;
  awaiting_ = true;
  try {
    if (shared_->handler) {
      answer(shared_->handler(request_));
    } else {
      shared_->async_handler(request_, Responder(std::make_shared<Exchange>(shared_from_this())));
    }
  } catch (const std::exception& exception) {
    spdlog::error("{} {}: {}", request_.method, request_.path, exception.what());
    answer(error_response(500, "An unexpected error occurred"));
  }
}

void Connection::refuse(Response response) {
  shared_->refused.fetch_add(1, std::memory_order_relaxed);
  closing_ = true;
  append(std::move(response));
}

void Connection::answer(Response response) {
  if (closed_ || !awaiting_ || stream_) return;
  append(std::move(response));
  finish_request();
  process();
}

void Connection::append(Response response) {
  if (!closing_ && (loop_->draining || !parser_->keep_alive())) closing_ = true;
  std::string head;
  std::string& text = out_.empty() || out_.back().size() > kCopiedBody ? head : out_.back();
  const std::size_t before = text.size();
  append_head(response, Framing::kLength, closing_ ? Persistence::kClose : Persistence::kKeepAlive,
              shared_->options.server_header, text);
  const bool has_body = !head_request_ && !bodiless(response.status);
  const bool copied = has_body && response.body.size() < kCopiedBody;
  if (copied) text.append(response.body);
  out_bytes_ += text.size() - before;
  if (&text == &head) out_.push_back(std::move(head));
  if (has_body && !copied) {
    out_bytes_ += response.body.size();
    out_.push_back(std::move(response.body));
  }
}

void Connection::add(std::string text) {
  out_bytes_ += text.size();
  if (out_.empty() || out_.back().size() + text.size() > kCopiedBody) {
    out_.push_back(std::move(text));
  } else {
    out_.back() += text;
  }
}

void Connection::finish_request() {
  awaiting_ = false;
  head_request_ = false;
  parser_.reset();
  if (request_.body.capacity() > kKeptBody) std::string().swap(request_.body);
}

void Connection::start_stream(Response head, std::shared_ptr<StreamState> stream) {
  if (closed_ || !awaiting_ || stream_) return stream->close(StreamState::Notice::kTell);
  stream_chunked_ = !parser_->http_1_0();
  if (loop_->draining || !stream_chunked_ || !parser_->keep_alive()) closing_ = true;
  std::string text;
  append_head(head, stream_chunked_ ? Framing::kChunked : Framing::kUntilClose,
              closing_ ? Persistence::kClose : Persistence::kKeepAlive, shared_->options.server_header, text);
  add(std::move(text));
  if (head_request_ || bodiless(head.status)) {
    stream->close(StreamState::Notice::kTell);
    finish_request();
    return process();
  }
  stream_ = std::move(stream);
  if (!head.body.empty()) add_piece(std::move(head.body));
  pump_stream();
}

void Connection::add_piece(std::string piece) {
  if (!stream_chunked_) return add(std::move(piece));
  add(fmt::format("{:x}\r\n", piece.size()));
  add(std::move(piece));
  add("\r\n");
}

void Connection::pump_stream() {
  if (closed_ || !stream_) return;
  auto taken = stream_->take();
  if (!taken.bytes.empty()) {
    out_stream_bytes_ += taken.bytes.size();
    add_piece(std::move(taken.bytes));
  }
  if (taken.ended) {
    if (stream_chunked_) add("0\r\n\r\n");
    release_stream(StreamState::Notice::kSilent);
    finish_request();
  }
  process();
}

void Connection::release_stream(StreamState::Notice notice) {
  out_stream_bytes_ = sending_stream_bytes_ = 0;
  if (const auto stream = std::exchange(stream_, nullptr)) stream->close(notice);
}

void Connection::read() {
  if (reading_ || closed_ || input_ended_ || closing_ || !handshaken_) return;
  // While a handler has the request nothing is read, but for streams: there only the end tells that the client left.
  if (awaiting_ && !stream_) return;
  if (!awaiting_ && out_bytes_ >= kMostUnsent) return;
  if (begin_ == end_) begin_ = end_ = 0;
  if (input_.empty()) input_.resize(kFirstInput);
  if (begin_ > 0) {
    std::memmove(input_.data(), input_.data() + begin_, unread());
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == input_.size()) {
    if (stream_) return;
    input_.resize(input_.size() * 2);  // The parser's limits bound what it leaves unread.
  }
  reading_ = true;
  transport_->read_some(shared_from_this(), input_.data() + end_, input_.size() - end_);
}

void Connection::on_read(const boost::system::error_code& error, std::size_t bytes) {
  reading_ = false;
  if (closed_) return;
  if (lingering_) return error ? close() : linger();
  if (error) {
    if (error != boost::asio::error::eof || stream_ || (out_.empty() && !writing_)) return close();
    input_ended_ = true;  // The client has sent all, and may still read.
    return process();
  }
  end_ += bytes;
  if (end_ == input_.size() && end_ < kLargestInput) input_.resize(kLargestInput);
  process();
}

void Connection::write() {
  if (writing_ || closed_) return;
  if (out_.empty()) {
    if (!closing_ || awaiting_ || lingering_) return;
    lingering_ = true;
    deadline_ = Clock::now() + kLinger;
    wait_for_deadline();
    return transport_->shut_down(shared_from_this());
  }
  std::swap(out_, sending_);
  sending_index_ = sending_offset_ = 0;
  sending_stream_bytes_ = std::exchange(out_stream_bytes_, 0);
  write_sending();
}

void Connection::write_sending() {
  writing_ = true;
  buffers_.clear();
  for (std::size_t i = sending_index_; i < sending_.size() && buffers_.size() < 64; ++i) {
    const std::size_t skip = i == sending_index_ ? sending_offset_ : 0;
    buffers_.emplace_back(sending_[i].data() + skip, sending_[i].size() - skip);
  }
  transport_->write_some(shared_from_this(), buffers_);
}

void Connection::on_written(const boost::system::error_code& error, std::size_t bytes) {
  writing_ = false;
  if (closed_) return;
  if (error) return close();
  out_bytes_ -= bytes;
  while (bytes > 0) {
    const std::size_t left = sending_[sending_index_].size() - sending_offset_;
    if (bytes < left) {
      sending_offset_ += bytes;
      break;
    }
    bytes -= left;
    ++sending_index_;
    sending_offset_ = 0;
  }
  if (sending_index_ < sending_.size()) {
    write_sending();
    return set_deadline();
  }
  sending_.clear();
  if (stream_ && sending_stream_bytes_ > 0) stream_->sent(std::exchange(sending_stream_bytes_, 0));
  process();
}

void Connection::linger() {
  if (closed_ || reading_) return;
  begin_ = end_ = 0;
  if (input_.empty()) input_.resize(kFirstInput);
  reading_ = true;
  transport_->read_some(shared_from_this(), input_.data(), input_.size());
}

void Connection::drain() {
  if (closed_) return;
  const bool under_way = awaiting_ || writing_ || !out_.empty() || (parser_ && parser_->started());
  if (!under_way || stream_) close();
}

void Connection::close() {
  if (std::exchange(closed_, true)) return;
  const auto self = shared_from_this();
  loop_->connections.erase(this);
  shared_->open.fetch_sub(1);
  transport_->close();
  timer_.cancel();
  release_stream(StreamState::Notice::kTell);
}

void Connection::set_deadline() {
  if (closed_ || lingering_) return;
  const auto& options = shared_->options;
  if (writing_) {
    deadline_ = Clock::now() + options.write_timeout;
  } else if (awaiting_) {
    deadline_ = Clock::time_point::max();
  } else if (!handshaken_ || (parser_ && parser_->started())) {
    deadline_ = Clock::now() + options.read_timeout;
  } else {
    deadline_ = Clock::now() + options.idle_timeout;
  }
  wait_for_deadline();
}

void Connection::wait_for_deadline() {
  // A deadline that moved on is noticed when the timer goes off: one timer operation per timeout, not per request.
  if (deadline_ >= timer_set_to_) return;
  timer_set_to_ = deadline_;
  timer_.expires_at(deadline_);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->on_deadline();
  });
}

void Connection::on_deadline() {
  timer_set_to_ = Clock::time_point::max();
  if (closed_ || deadline_ == Clock::time_point::max()) return;
  if (Clock::now() < deadline_) return wait_for_deadline();
  if (handshaken_ && !writing_ && !awaiting_ && !lingering_ && parser_ && parser_->started()) {
    refuse(error_response(408, "Request not complete in time"));
    return process();
  }
  close();
}

}  // namespace gibbon::http
