#include "logs/answers.hpp"

#include <fmt/format.h>

#include "base/json_text.hpp"

namespace gibbon::logs {
namespace {

constexpr const char* kAcceptPost = "application/json, application/x-ndjson";

}  // namespace

http::Response json_answer(int status, std::string body) {
  return {status,
          {{"Content-Type", "application/json; charset=utf-8"},
           {"Access-Control-Allow-Origin", "*"},
           {"Accept-Post", kAcceptPost},
           {"Cache-Control", "no-store"}},
          std::move(body)};
}

http::Response logs_error(int status, std::string_view message) {
  return json_answer(status, to_text(json::value{{"message", message}}));
}

http::Response entries_answer(const ReadEntries& read, const Writer::Outcome& outcome, Body body) {
  if (read.invalid == 0 && body == Body::kSome) {
    return json_answer(201, fmt::format(R"({{"stored":{},"duplicates":{}}})", outcome.stored, outcome.duplicates));
  }
  if (body == Body::kEmpty) return logs_error(400, "no entry: the body is empty");
  std::string message;
  for (const auto& problem : read.problems) {
    if (&problem - read.problems.data() == 3) break;  // All of them stand in "invalid".
    fmt::format_to(std::back_inserter(message), "{}entry {}: {}", message.empty() ? "" : "; ", problem.index,
                   problem.message);
  }
  if (read.invalid > 3) fmt::format_to(std::back_inserter(message), "; and {} more", read.invalid - 3);
  json::array invalid;
  for (const auto& problem : read.problems) {
    invalid.push_back({{"index", problem.index}, {"message", problem.message}});
  }
  return json_answer(400, to_text(json::value{{"message", message},
                                              {"stored", outcome.stored},
                                              {"duplicates", outcome.duplicates},
                                              {"invalid_count", read.invalid},
                                              {"invalid", std::move(invalid)}}));
}

http::Response not_stored(std::string_view error) {
  auto response = logs_error(503, "not stored: " + std::string(error));
  response.headers.push_back({"Retry-After", "1"});
  return response;
}

http::Response queue_full() {
  auto response = logs_error(429, "not stored: too many entries wait to be stored");
  response.headers.push_back({"Retry-After", "1"});
  return response;
}

http::Response page_answer(std::span<const StoredEntry> rows, const std::string& next) {
  std::size_t bytes = 64 + next.size();
  for (const auto& row : rows) bytes += row.json.size() + 1;
  std::string body;
  body.reserve(bytes);
  body = R"({"data":[)";
  for (const auto& row : rows) {
    if (&row != rows.data()) body += ',';
    body += row.json;
  }
  body += R"(],"next":)";
  body += next.empty() ? "null" : '"' + next + '"';
  body += '}';
  return json_answer(200, std::move(body));
}

http::Response options_answer(bool takes_entries) {
  const char* methods = takes_entries ? "GET, HEAD, POST, OPTIONS" : "GET, HEAD, OPTIONS";
  http::Response response{204,
                          {{"Allow", methods},
                           {"Access-Control-Allow-Origin", "*"},
                           {"Access-Control-Allow-Methods", methods},
                           {"Access-Control-Allow-Headers", "Content-Type, Last-Event-ID"},
                           {"Access-Control-Max-Age", "86400"}},
                          ""};
  if (takes_entries) response.headers.push_back({"Accept-Post", kAcceptPost});
  return response;
}

http::Response method_not_allowed(std::string allowed) {
  auto response = logs_error(405, "Method not allowed");
  response.headers.push_back({"Allow", std::move(allowed)});
  return response;
}

}  // namespace gibbon::logs
