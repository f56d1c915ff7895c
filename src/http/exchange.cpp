#include "http/exchange.hpp"

namespace gibbon::http {
namespace {

/// The user's handle: its end is the stream's end.
class StreamHandle final : public Stream {
 public:
  explicit StreamHandle(std::shared_ptr<StreamState> state) : state_(std::move(state)) {}
  ~StreamHandle() override { state_->end(); }
  Push write(std::string piece) override { return state_->write(std::move(piece)); }
  void end() override { state_->end(); }
  [[nodiscard]] std::size_t waiting_bytes() const override { return state_->waiting_bytes(); }

 private:
  std::shared_ptr<StreamState> state_;
};

}  // namespace

void Exchange::send(Response response) {
  const auto& loop = connection_->loop();
  if (loop->here()) return connection_->answer(std::move(response));
  loop->post([connection = connection_, response = std::move(response)]() mutable {
    connection->answer(std::move(response));
  });
}

void Exchange::start(Response head, std::shared_ptr<StreamState> stream) {
  const auto& loop = connection_->loop();
  if (loop->here()) return connection_->start_stream(std::move(head), std::move(stream));
  loop->post([connection = connection_, head = std::move(head), stream = std::move(stream)]() mutable {
    connection->start_stream(std::move(head), std::move(stream));
  });
}

Responder& Responder::operator=(Responder&& other) noexcept {
  std::swap(exchange_, other.exchange_);
  return *this;
}

Responder::~Responder() {
  if (exchange_ && exchange_->claim()) exchange_->send(error_response(500, "An unexpected error occurred"));
}

void Responder::send(Response response) {
  if (exchange_ && exchange_->claim()) exchange_->send(std::move(response));
}

std::shared_ptr<Stream> Responder::start(Response head, StreamOptions options) {
  auto state = exchange_->stream_state(std::move(options));
  if (exchange_->claim()) {
    exchange_->start(std::move(head), state);
  } else {
    state->close(StreamState::Notice::kSilent);
  }
  return std::make_shared<StreamHandle>(std::move(state));
}

std::shared_ptr<StreamState> Exchange::stream_state(StreamOptions options) const {
  return std::make_shared<StreamState>(connection_, connection_->loop(), std::move(options));
}

}  // namespace gibbon::http
