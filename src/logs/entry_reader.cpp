#include "logs/entry_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cmath>
#include <cstring>

#include "logs/entry_key.hpp"

namespace gibbon::logs {
namespace {

constexpr std::size_t kMostProblems = 100;
constexpr std::size_t kEntryOverhead = 512;  ///< What holding an entry costs besides its JSON.

constexpr std::size_t kKeptParser = 4 * 1024 * 1024;  ///< A parser that met a larger entry is not kept.

namespace dom = simdjson::dom;

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Where the JSON value that begins `text` ends, by its brackets and strings alone. npos: it does not end.
/// A scalar ends before the next comma, bracket or blank.
std::size_t end_of_value(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        for (++i;; ++i) {
          i = text.find_first_of("\"\\", i);
          if (i == std::string_view::npos) return i;
          if (text[i] == '"') break;
          ++i;  // What an escape begins with cannot end the string.
        }
        if (depth == 0) return i + 1;
        break;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (depth == 0) return i;
        if (--depth == 0) return i + 1;
        break;
      case ',':
      case ' ':
      case '\t':
      case '\r':
      case '\n':
        if (depth == 0) return i;
        break;
      default:
        break;
    }
  }
  return depth == 0 ? text.size() : std::string_view::npos;
}

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string_view string_at(dom::object object, const char* name) {
  std::string_view text;
  if (object[name].get(text) != simdjson::SUCCESS) return {};
  return text;
}

/// A string, or a number in its shortest form; else empty.
std::string id_at(dom::object object, const char* name) {
  dom::element value;
  if (object[name].get(value) != simdjson::SUCCESS) return {};
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return std::string(text);
  std::int64_t whole;
  if (value.get(whole) == simdjson::SUCCESS) return std::to_string(whole);
  double number;
  if (value.get(number) == simdjson::SUCCESS) return fmt::format("{}", number);
  return {};
}

bool moment_at(dom::object object, const char* name, std::int64_t* us) {
  dom::element value;
  if (object[name].get(value) != simdjson::SUCCESS) return false;
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return parse_timestamp(text, us);
  double number;
  return value.get(number) == simdjson::SUCCESS && parse_timestamp(number, us);
}

/// "http://user@host:8000/path?query" in its parts: host without port, path without query.
void split_url(std::string_view url, Entry& entry) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos && scheme < url.find('/')) {
    url.remove_prefix(scheme + 3);
    const auto end = url.find_first_of("/?#");
    auto authority = url.substr(0, end);
    url = end == std::string_view::npos ? std::string_view{} : url.substr(end);
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
    const auto bracket = authority.rfind(']');
    const auto colon = authority.rfind(':');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
      authority = authority.substr(0, colon);
    }
    entry.host = authority;
  }
  entry.path = url.substr(0, url.find_first_of("?#"));
  if (entry.path.empty()) entry.path = "/";
}

}  // namespace

ReadEntries EntryReader::read(std::string& body, Form form) {
  body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  ReadEntries out;
  std::string_view text = body;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  text = trim(text);
  if (text.empty()) return out;
  if (text.front() == '[') {
    read_array(text, out);
  } else if (form == Form::kLines) {
    read_lines(text, out);
  } else {
    const auto first = trim(text.substr(0, text.find('\n')));
    // An object per line: then a broken one leaves its neighbours whole.
    if (first.size() < text.size() && first.ends_with('}') && end_of_value(first) == first.size()) {
      read_lines(text, out);
    } else {
      read_values(text, out);
    }
  }
  if (parser_.capacity() > kKeptParser) parser_ = dom::parser();
  return out;
}

void EntryReader::read_lines(std::string_view text, ReadEntries& out) {
  std::size_t index = 0;
  while (!text.empty()) {
    const auto* newline = static_cast<const char*>(std::memchr(text.data(), '\n', text.size()));
    const std::size_t end = newline == nullptr ? text.size() : static_cast<std::size_t>(newline - text.data());
    const auto line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty()) read_one(line, index++, out);
  }
}

void EntryReader::read_values(std::string_view text, ReadEntries& out) {
  for (std::size_t index = 0; !text.empty(); ++index) {
    const std::size_t end = std::max<std::size_t>(1, std::min(end_of_value(text), text.size()));
    read_one(text.substr(0, end), index, out);
    text = trim(text.substr(end));
  }
}

void EntryReader::read_array(std::string_view text, ReadEntries& out) {
  const auto broken = [&](std::size_t index, const char* message) {
    ++out.invalid;
    if (out.problems.size() < kMostProblems) out.problems.push_back({index, message});
  };
  text = trim(text.substr(1));
  if (text == "]") return;
  for (std::size_t index = 0;; ++index) {
    const std::size_t end = text.empty() ? std::string_view::npos : end_of_value(text);
    if (end == std::string_view::npos) return broken(index, "not valid JSON: the array does not end");
    read_one(text.substr(0, end), index, out);
    text = trim(text.substr(end));
    if (text.starts_with(',')) {
      text = trim(text.substr(1));
    } else if (text.starts_with(']')) {
      if (text.size() > 1) broken(index + 1, "not valid JSON: something follows the array");
      return;
    } else {
      return broken(index + 1, text.empty() ? "not valid JSON: the array does not end"
                                            : "not valid JSON: no comma between two entries");
    }
  }
}

void EntryReader::read_one(std::string_view text, std::size_t index, ReadEntries& out) {
  const auto problem = [&](std::string message) {
    ++out.invalid;
    if (out.problems.size() < kMostProblems) out.problems.push_back({index, std::move(message)});
  };
  // The bytes behind `text` belong to the body and its padding.
  dom::element element;
  auto error = parser_.parse(text.data(), text.size(), false).get(element);
  std::string normalized;
  if (error == simdjson::NUMBER_ERROR) {
    // JSON knows no bounds for numbers, simdjson does. What the entry is found by is read from a rounded copy.
    boost::system::error_code failed;
    const auto value = boost::json::parse(boost::json::string_view(text.data(), text.size()), failed);
    if (!failed) {
      normalized = boost::json::serialize(value);
      error = parser_.parse(normalized).get(element);
    }
  }
  if (error != simdjson::SUCCESS) {
    return problem(fmt::format("not valid JSON: {}", simdjson::error_message(error)));
  }
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) {
    const auto type = element.type();
    return problem(fmt::format("an entry is a JSON object, and this is {}",
                               type == dom::element_type::ARRAY    ? "an array"
                               : type == dom::element_type::STRING ? "a string"
                               : type == dom::element_type::BOOL   ? "a boolean"
                               : type == dom::element_type::NULL_VALUE ? "null"
                                                                       : "a number"));
  }
  Entry entry;
  if (auto status = fill(object, text, entry); !status) return problem(status.error().message);
  out.bytes += entry.json.size() + kEntryOverhead;
  out.entries.push_back(std::move(entry));
}

Status EntryReader::fill(dom::object object, std::string_view text, Entry& entry) {
  entry.entry_id = id_at(object, "entry_id");
  entry.id = id_at(object, "id");
  if (!entry.entry_id.empty()) {
    entry.key = key_of_entry_id(entry.entry_id);
    entry.json = text;
  } else if (!entry.id.empty()) {
    entry.key = key_of_id(entry.id, text);
    entry.json = text;
  } else {
    entry.entry_id = make_entry_id();
    entry.key = key_of_entry_id(entry.entry_id);
    const auto rest = trim(text.substr(1));
    entry.json = fmt::format("{{\"entry_id\":\"{}\"{}{}", entry.entry_id, rest == "}" ? "" : ",", rest);
  }
  // An entry stands on one line wherever it is shown again (events, NDJSON): its line breaks, which can only stand
  // between tokens, become blanks.
  for (char& c : entry.json) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  entry.request_id = string_at(object, "request_id");

  if (!moment_at(object, "timestamp", &entry.timestamp_us) && !moment_at(object, "started_at", &entry.timestamp_us)) {
    entry.timestamp_us = now_us();
  }

  dom::object part;
  if (object["request"].get(part) == simdjson::SUCCESS) {
    entry.method = string_at(part, "method");
    if (const auto url = string_at(part, "url"); !url.empty()) split_url(url, entry);
  }
  if (object["response"].get(part) == simdjson::SUCCESS) {
    std::int64_t status;
    if (part["status_code"].get(status) == simdjson::SUCCESS || part["status"].get(status) == simdjson::SUCCESS) {
      if (status > 0 && status < 1000) entry.status = static_cast<std::int32_t>(status);
    }
  }
  if (object["service"].get(part) == simdjson::SUCCESS) entry.service = id_at(part, "name");
  if (object["route"].get(part) == simdjson::SUCCESS) entry.route = id_at(part, "name");
  if (object["latencies"].get(part) == simdjson::SUCCESS) {
    double duration;
    if (part["request"].get(duration) == simdjson::SUCCESS) entry.duration_ms = duration;
  }
  return {};
}

}  // namespace gibbon::logs
