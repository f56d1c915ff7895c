#include "logs/service.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <limits>

#include "base/ascii.hpp"
#include "base/json_text.hpp"
#include "logs/answers.hpp"
#include "logs/entry_reader.hpp"
#include "logs/store/sqlite_store.hpp"

namespace gibbon::logs {
namespace {

using http::Response;

constexpr std::size_t kDefaultLimit = 100, kMostPerPage = 1000;
constexpr std::size_t kPageBytes = 32 * 1024 * 1024;
constexpr std::string_view kStream = "/logs/stream";

bool parse_number(std::string_view text, std::uint64_t* number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *number);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

/// The media type without its parameters, in lower case.
std::string media_type(std::string_view header) {
  header = header.substr(0, header.find(';'));
  while (header.ends_with(' ') || header.ends_with('\t')) header.remove_suffix(1);
  return ascii_lower(header);
}

bool says_lines(std::string_view type) {
  return type == "application/x-ndjson" || type == "application/ndjson" || type == "application/jsonl" ||
         type == "application/x-jsonlines" || type == "application/x-jsonl";
}

/// Types that a body of entries is sent with: JSON's own, and what clients put there unasked (curl -d).
bool may_hold_entries(std::string_view type) {
  return type.empty() || says_lines(type) || type == "application/json" || type.ends_with("+json") ||
         type == "text/json" || type == "text/plain" || type == "application/x-www-form-urlencoded" ||
         type == "application/octet-stream";
}

}  // namespace

Service::Service(Options options) : options_(std::move(options)), web_files_(options_.web_directory) {}

Result<std::unique_ptr<Service>> Service::start(Options options) {
  std::unique_ptr<Service> service(new Service(std::move(options)));
  const Options& chosen = service->options_;
  auto store = SqliteStore::open(chosen.data_directory, chosen.durability);
  if (!store) return store.error();
  service->store_ = std::move(store).value();
  auto tail = Tail::start(*service->store_);
  if (!tail) return tail.error();
  service->tail_ = std::move(tail).value();
  auto reader = service->store_->reader();
  if (!reader) return reader.error();
  service->queries_ = std::make_unique<QueryThread>(std::move(reader).value());
  service->writer_ = std::make_unique<Writer>(*service->store_, chosen.queue_bytes,
                                              Retention{chosen.max_bytes, chosen.max_age},
                                              [tail = service->tail_.get()] { tail->notify(); });
  http::ServerOptions server_options;
  server_options.listen = chosen.listen;
  server_options.threads = chosen.threads;
  server_options.max_body_bytes = chosen.max_body_bytes;
  auto server = http::Server::start_async(
      std::move(server_options), [self = service.get()](http::Request& request, http::Responder responder) {
        self->handle(request, std::move(responder));
      });
  if (!server) return server.error();
  service->server_ = std::move(server).value();
  service->counting_ = service->server_.get();
  return service;
}

Service::~Service() {
  if (server_) server_->stop();
  // The queues answer what they still hold, to nobody then; the server goes last.
  writer_.reset();
  queries_.reset();
  tail_.reset();
}

void Service::handle(http::Request& request, http::Responder responder) {
  const std::string_view path = request.path;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (request.method == "OPTIONS") return responder.send(options_answer(path == "/logs"));
  if (path == "/logs" || path == "/logs/") {
    if (request.method == "POST") return take_entries(request, std::move(responder));
    if (reads) return list(request, std::move(responder));
    return responder.send(method_not_allowed("GET, HEAD, POST, OPTIONS"));
  }
  if (!reads) {
    // The page and what is below it can be read alone.
    return responder.send(method_not_allowed("GET, HEAD, OPTIONS"));
  }
  if (path == kStream) return stream(request, std::move(responder));
  if (path.starts_with("/logs/")) return find(http::percent_decode(path.substr(6)), std::move(responder));
  if (path == "/status") return responder.send(status());
  if (path == "/metrics") return responder.send(metrics());
  responder.send(web_files_.serve(request));
}

void Service::take_entries(http::Request& request, http::Responder responder) {
  const std::string encoding = ascii_lower(request.header("Content-Encoding"));
  if (!encoding.empty() && encoding != "identity") {
    return responder.send(logs_error(415, "Content-Encoding \"" + encoding + "\" is not supported: send it plain"));
  }
  const std::string type = media_type(request.header("Content-Type"));
  thread_local EntryReader reader;
  auto read = reader.read(request.body, says_lines(type) ? EntryReader::Form::kLines : EntryReader::Form::kGuess);
  if (read.entries.empty()) {
    if (read.invalid > 0 && !may_hold_entries(type)) {
      return responder.send(logs_error(415, "Content-Type \"" + type +
                                                "\" is not supported: send application/json or application/x-ndjson"));
    }
    return responder.send(entries_answer(read, {.ok = true}, request.body.empty() ? Body::kEmpty : Body::kSome));
  }
  auto answer = std::make_shared<http::Responder>(std::move(responder));
  auto entries = std::move(read.entries);
  Writer::Done done = [answer, read](const Writer::Outcome& outcome) {
    answer->send(outcome.ok ? entries_answer(read, outcome, Body::kSome) : not_stored(outcome.error));
  };
  if (writer_->post(entries, read.bytes, done) == Writer::Admission::kFull) answer->send(queue_full());
}

void Service::list(const http::Request& request, http::Responder responder) {
  std::uint64_t limit = kDefaultLimit, before = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [name, value] : http::parse_query(request.query)) {
    if (name == "limit" && (!parse_number(value, &limit) || limit < 1 || limit > kMostPerPage)) {
      return responder.send(logs_error(400, fmt::format("limit: must be a whole number from 1 to {}", kMostPerPage)));
    }
    if (name == "cursor" && (!parse_number(value, &before) || before == 0)) {
      return responder.send(logs_error(400, "cursor: must be taken from \"next\" of an earlier answer"));
    }
  }
  auto answer = std::make_shared<http::Responder>(std::move(responder));
  query([this, limit, before, answer](StoreReader& reader) {
    const auto rows = reader.page(before, limit, kPageBytes);
    if (!rows) return answer->send(logs_error(500, rows.error().message));
    const bool more = !rows->empty() && rows->back().seq > store_->totals().oldest_seq;
    answer->send(page_answer(*rows, more ? fmt::format("/logs?limit={}&cursor={}", limit, rows->back().seq)
                                         : std::string()));
  }, answer);
}

void Service::find(std::string id, http::Responder responder) {
  auto answer = std::make_shared<http::Responder>(std::move(responder));
  query([id = std::move(id), answer](StoreReader& reader) {
    auto found = reader.find(id);
    if (!found) return answer->send(logs_error(500, found.error().message));
    answer->send(*found ? json_answer(200, std::move((*found)->json)) : logs_error(404, "Not found"));
  }, answer);
}

void Service::query(QueryThread::Query query, std::shared_ptr<http::Responder> responder) {
  if (queries_->post(query) == QueryThread::Admission::kFull) {
    auto response = logs_error(503, "Too many queries wait");
    response.headers.push_back({"Retry-After", "1"});
    responder->send(std::move(response));
  }
}

void Service::stream(const http::Request& request, http::Responder responder) {
  std::optional<std::uint64_t> since;
  const auto take = [&](std::string_view text) {
    std::uint64_t number;
    if (!parse_number(text, &number)) return false;
    since = number;
    return true;
  };
  for (const auto& [name, value] : http::parse_query(request.query)) {
    if (name == "since" && !take(value)) {
      return responder.send(logs_error(400, "since: must be the id of an event, a whole number"));
    }
  }
  // A browser that comes back says where it was; that is later than what the page asked for at first.
  if (const auto last = request.header("Last-Event-ID"); !last.empty() && !take(last)) {
    return responder.send(logs_error(400, "Last-Event-ID: must be the id of an event, a whole number"));
  }
  tail_->subscribe(std::move(responder), since);
}

Response Service::status() const {
  const auto totals = store_->totals();
  const auto& counters = writer_->counters();
  return json_answer(200, to_text(json::value{
      {"version", GIBBON_VERSION},
      {"entries", totals.entries()},
      {"oldest_seq", totals.oldest_seq},
      {"newest_seq", totals.newest_seq},
      {"bytes", totals.bytes},
      {"durability", options_.durability == Durability::kFull ? "full" : "normal"},
      {"max_bytes", options_.max_bytes},
      {"max_age_seconds", options_.max_age.count()},
      {"queue", {{"bytes", writer_->waiting_bytes()}, {"max_bytes", options_.queue_bytes}}},
      {"since_start",
       {{"stored", counters.stored.load()},
        {"duplicates", counters.duplicates.load()},
        {"failed", counters.failed.load()},
        {"refused", counters.refused.load()},
        {"removed", counters.removed.load()}}},
      {"streams", tail_->clients()}}));
}

Response Service::metrics() const {
  const auto totals = store_->totals();
  const auto& counters = writer_->counters();
  const auto* counting = counting_.load();
  const auto server = counting != nullptr ? counting->stats() : http::ServerStats{};
  std::string text;
  const auto metric = [&](std::string_view name, std::string_view type, std::string_view help, double value) {
    fmt::format_to(std::back_inserter(text), "# HELP gibbon_logs_{0} {2}\n# TYPE gibbon_logs_{0} {1}\ngibbon_logs_{0} {3}\n",
                   name, type, help, value);
  };
  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  metric("entries", "gauge", "Entries kept.", number(totals.entries()));
  metric("store_bytes", "gauge", "Size of the store on disk.", number(totals.bytes));
  metric("entries_stored_total", "counter", "Entries stored since the start.", number(counters.stored));
  metric("entries_duplicate_total", "counter", "Repeats that were dropped.", number(counters.duplicates));
  metric("entries_failed_total", "counter", "Entries answered with 503: the store failed.", number(counters.failed));
  metric("entries_refused_total", "counter", "Entries answered with 429: the queue was full.", number(counters.refused));
  metric("entries_removed_total", "counter", "Entries removed by max_bytes and max_age.", number(counters.removed));
  metric("commits_total", "counter", "Transactions.", number(counters.commits));
  metric("commit_seconds_total", "counter", "Time spent in transactions.", number(counters.commit_us) / 1e6);
  metric("queue_bytes", "gauge", "Taken in and not yet stored.", number(writer_->waiting_bytes()));
  metric("streams", "gauge", "Clients of /logs/stream.", number(tail_->clients()));
  metric("stream_skipped_total", "counter", "Entries that slow clients of /logs/stream missed.", number(tail_->skipped()));
  metric("connections", "gauge", "Open connections.", number(server.connections));
  metric("requests_total", "counter", "Requests handled.", number(server.requests));
  metric("requests_refused_total", "counter", "Requests that were malformed, too large, or too many.",
         number(server.refused));
  return {200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, std::move(text)};
}

}  // namespace gibbon::logs
