#include "agent/delivery/sink/http_sink.hpp"

#include <limits>
#include <memory>
#include <utility>

#include "agent/delivery/sink/file_sink.hpp"

namespace gibbon::agent {
namespace {

/// Refusals that another try can turn, or that an operator will mend: the entry is not to blame.
bool is_temporary(int status) {
  switch (status) {
    case 401: case 403: case 404: case 405: case 407: case 408: case 425: case 429: return true;
    default: return status < 400 || status >= 500;
  }
}

/// Lines as a JSON array: within an entry there is no newline.
std::string as_array(std::string_view lines) {
  std::string array;
  array.reserve(lines.size() + 1);
  array += '[';
  array += lines;
  for (std::size_t at = array.find('\n'); at != std::string::npos; at = array.find('\n', at)) array[at] = ',';
  array.back() = ']';
  return array;
}

}  // namespace

HttpSink::HttpSink(HttpSender& sender, const Destination& destination)
    : sender_(sender), destination_(destination), target_(sender.make_target(destination)) {}

std::size_t HttpSink::most_entries() const {
  if (destination_.queue) return destination_.queue->concurrency_limit < 0 ? 1 : destination_.queue->max_batch_size;
  return ndjson_ ? std::numeric_limits<std::size_t>::max() : 1;
}

SinkAnswer HttpSink::judge(const HttpAnswer& answer, std::size_t count) {
  using Outcome = SinkAnswer::Outcome;
  if (answer.status >= 200 && answer.status < 300) {
    ndjson_ = answer.accepts_ndjson && destination_.content_type == "application/json";
    return {Outcome::kDelivered};
  }
  if (is_temporary(answer.status)) {
    std::string reason = answer.status == 0 ? answer.error : "it answered " + std::to_string(answer.status);
    return {Outcome::kAway, std::move(reason), destination_.queue ? std::chrono::milliseconds(0) : answer.retry_after};
  }
  if (answer.status == 415 && count > 1) ndjson_ = false;
  return {Outcome::kRefused, "it answered " + std::to_string(answer.status) + ": " + answer.body};
}

void HttpSink::send(SinkLoad load, Done done) {
  const std::size_t count = load.count;
  if (destination_.queue && destination_.queue->max_batch_size > 1) {
    auto array = std::make_shared<const std::string>(as_array(load.lines));
    const std::string_view body = *array;
    sender_.post(*target_, HttpSender::Body::kSingle, body, {},
                 [this, count, array = std::move(array), done = std::move(done)](const HttpAnswer& answer) {
                   done(judge(answer, count));
                 });
    return;
  }
  const auto judged = [this, count, done = std::move(done)](const HttpAnswer& answer) { done(judge(answer, count)); };
  if (count == 1) {
    sender_.post(*target_, HttpSender::Body::kSingle, load.lines.substr(0, load.lines.size() - 1), load.key, judged);
  } else {
    sender_.post(*target_, HttpSender::Body::kNdjson, load.lines, {}, judged);
  }
}

std::unique_ptr<Sink> make_sink(HttpSender& sender, const Destination& destination) {
  if (destination.kind == Destination::Kind::kFile) return std::make_unique<FileSink>(destination);
  return std::make_unique<HttpSink>(sender, destination);
}

}  // namespace gibbon::agent
