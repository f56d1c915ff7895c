#pragma once

#include "agent/delivery/sink/http_sender.hpp"
#include "agent/delivery/sink/sink.hpp"

namespace gibbon::agent {

/// A log API. One entry is sent as it is, several as an array where the destination has a queue, else as NDJSON, for
/// which the last answer must have asked.
class HttpSink final : public Sink {
 public:
  HttpSink(HttpSender& sender, const Destination& destination);
  [[nodiscard]] std::size_t most_entries() const override;
  void send(SinkLoad load, Done done) override;

 private:
  SinkAnswer judge(const HttpAnswer& answer, std::size_t count);

  HttpSender& sender_;
  Destination destination_;
  bool ndjson_ = false;
  HttpSender::TargetPtr target_;
};

}  // namespace gibbon::agent
