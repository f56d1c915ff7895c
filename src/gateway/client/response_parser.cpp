#include "gateway/client/response_parser.hpp"

#include <algorithm>
#include <charconv>

#include "base/ascii.hpp"

namespace gibbon::gateway::client {
namespace {

using Kind = WaitError::Kind;

/// RFC 9110, 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  const auto fits = [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kOthers.find(c) != std::string_view::npos;
  };
  return !text.empty() && std::ranges::all_of(text, fits);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

/// Calls `visit` with each member of a comma-separated list, in lower case.
template <typename Visit>
void each_member(std::string_view list, Visit visit) {
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    const std::string_view member = trimmed(list.substr(at, comma - at));
    if (!member.empty()) visit(ascii_lower(member));
    at = comma + 1;
  }
}

bool is_hosts_own(std::string_view name) {
  const std::string lower = ascii_lower(name);
  return lower == "host" || lower == "content-length" || lower == "connection" || lower == "transfer-encoding";
}

/// As few as RFC 9112 allows for a message without a body: methods that give theirs a meaning.
bool says_length(const HttpRequest& request) {
  return !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
}

}  // namespace

std::string request_bytes(const HttpRequest& request, const Url& url) {
  if (!is_token(request.method)) throw WaitError(Kind::kProtocol, "the method \"" + request.method + "\" cannot be sent");
  std::string out = request.method + " " + url.target + " HTTP/1.1\r\nHost: " + url.authority + "\r\n";
  bool authorized = url.authorization.empty();
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      throw WaitError(Kind::kProtocol, "the header \"" + name + "\" cannot be sent");
    if (is_hosts_own(name)) continue;
    authorized = authorized || ascii_lower(name) == "authorization";
    out.append(name).append(": ").append(value).append("\r\n");
  }
  if (!authorized) out += "Authorization: " + url.authorization + "\r\n";
  if (says_length(request)) out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  return out + "Connection: keep-alive\r\n\r\n" + request.body;
}

ResponseParser::ResponseParser(std::string_view method, std::size_t max_body_bytes)
    : head_request_(method == "HEAD"), max_body_bytes_(max_body_bytes) {}

ResponseParser::State ResponseParser::state() const {
  return part_ == Part::kDone ? State::kComplete : part_ == Part::kFailed ? State::kFailed : State::kIncomplete;
}

void ResponseParser::fail(Kind kind, std::string what) {
  part_ = Part::kFailed;
  failure_kind_ = kind;
  failure_ = std::move(what);
}

ResponseParser::State ResponseParser::feed(std::string_view bytes) {
  begun_ = begun_ || !bytes.empty();
  while (!bytes.empty() && part_ != Part::kFailed) {
    switch (part_) {
      case Part::kLength:
      case Part::kChunk:
        bytes.remove_prefix(take_body(bytes, remaining_));
        if (remaining_ == 0 && part_ != Part::kFailed) part_ = part_ == Part::kLength ? Part::kDone : Part::kChunkEnd;
        break;
      case Part::kUntilClose:
        bytes.remove_prefix(take_body(bytes, UINT64_MAX));
        break;
      case Part::kDone:
        surplus_ = true;  // Nobody has asked for that.
        return State::kComplete;
      default:
        if (take_line(bytes)) read_line();
    }
  }
  return state();
}

ResponseParser::State ResponseParser::end() {
  keep_alive_ = false;
  if (part_ == Part::kUntilClose) part_ = Part::kDone;
  if (state() == State::kIncomplete)
    fail(Kind::kConnection, begun_ ? "the connection was closed before the end of the answer"
                                   : "the connection was closed before an answer");
  return state();
}

/// Moves bytes to line_. True once it is whole, without its line end.
bool ResponseParser::take_line(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  const std::size_t n = end == std::string_view::npos ? bytes.size() : end + 1;
  if (line_bytes_ + n > kMostHeadBytes) {
    fail(Kind::kTooLarge, "the head of the answer has more than " + std::to_string(kMostHeadBytes) + " bytes");
    return false;
  }
  line_bytes_ += n;
  line_.append(bytes.substr(0, n));
  bytes.remove_prefix(n);
  if (end == std::string_view::npos) return false;
  line_.pop_back();
  if (line_.ends_with('\r')) line_.pop_back();
  return true;
}

void ResponseParser::read_line() {
  switch (part_) {
    case Part::kStatus:
      read_status();
      break;
    case Part::kHeader:
      read_header();
      break;
    case Part::kChunkSize:
      read_chunk_size();
      break;
    case Part::kChunkEnd:
      if (!line_.empty()) return fail("a chunk of the answer is longer than it says");
      part_ = Part::kChunkSize;
      break;
    default:  // Trailers are of no use to anybody here.
      if (line_.empty()) part_ = Part::kDone;
  }
  line_.clear();
}

/// "HTTP/1.1 200 OK"
void ResponseParser::read_status() {
  const std::string_view line = line_;
  const bool known = line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ");
  const std::string_view digits = line.size() >= 12 ? line.substr(9, 3) : std::string_view();
  const bool number = std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (!known || digits.empty() || !number || digits[0] == '0' || (line.size() > 12 && line[12] != ' '))
    return fail("what came is no answer of HTTP/1");
  http_11_ = line[7] == '1';
  std::from_chars(digits.data(), digits.data() + 3, response_.status);
  part_ = Part::kHeader;
}

void ResponseParser::read_header() {
  if (line_.empty()) return end_of_head();
  if (line_.front() != ' ' && line_.front() != '\t') return add_header(line_);
  if (response_.headers.empty()) return fail("a header of the answer has no name");
  std::string& value = response_.headers.back().second;  // A folded line: RFC 9112, 5.2.
  value.append(value.empty() ? "" : " ").append(trimmed(line_));
}

void ResponseParser::add_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) || line.find('\0') != std::string_view::npos ||
      line.find('\r') != std::string_view::npos)
    return fail("a header of the answer is none");
  response_.headers.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
}

void ResponseParser::end_of_head() {
  const int status = response_.status;
  if (status == 101) return fail("the answer changes the protocol, which nobody has asked for");
  if (status < 200) {
    response_.headers.clear();
    part_ = Part::kStatus;
    return;
  }
  keep_alive_ = http_11_;
  for (const auto& [name, value] : response_.headers) {
    if (ascii_lower(name) != "connection") continue;
    each_member(value, [&](const std::string& word) {
      if (word == "close") keep_alive_ = false;
      if (word == "keep-alive" && !http_11_) keep_alive_ = true;
    });
  }
  bool chunked = false, length = false;
  if (!read_transfer_encoding(chunked) || !read_content_length(length)) return;
  if (chunked && length) keep_alive_ = false;  // Two lengths: who knows which one others believe.
  if (head_request_ || status == 204 || status == 304) {
    part_ = Part::kDone;
  } else if (chunked) {
    part_ = Part::kChunkSize;
  } else if (!length) {
    keep_alive_ = false;
    part_ = Part::kUntilClose;
  } else if (remaining_ > max_body_bytes_) {
    fail(Kind::kTooLarge, "the body of the answer has more than " + std::to_string(max_body_bytes_) + " bytes");
  } else {
    part_ = remaining_ == 0 ? Part::kDone : Part::kLength;
  }
}

bool ResponseParser::read_transfer_encoding(bool& chunked) {
  bool known = true;
  for (const auto& [name, value] : response_.headers) {
    if (ascii_lower(name) != "transfer-encoding") continue;
    each_member(value, [&](const std::string& coding) {
      known = known && !chunked && (coding == "chunked" || coding == "identity");
      chunked = chunked || coding == "chunked";
    });
  }
  if (!known) fail("the answer has a transfer coding that nobody has asked for");
  return known;
}

/// Sets remaining_. Several equal ones are one: RFC 9112, 6.3.
bool ResponseParser::read_content_length(bool& given) {
  bool well = true;
  for (const auto& [name, value] : response_.headers) {
    if (ascii_lower(name) != "content-length") continue;
    bool any = false;
    each_member(value, [&](const std::string& text) {
      std::uint64_t length = 0;
      const char* end = text.data() + text.size();
      const auto [at, error] = std::from_chars(text.data(), end, length);
      well = well && error == std::errc() && at == end && (!given || length == remaining_);
      remaining_ = length;
      any = given = true;
    });
    well = well && any;
  }
  if (!well) fail("the answer's Content-Length is no number, or two");
  return well;
}

void ResponseParser::read_chunk_size() {
  const std::string_view text = trimmed(std::string_view(line_).substr(0, line_.find(';')));
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), remaining_, 16);
  if (error != std::errc() || at != text.data() + text.size()) return fail("a chunk of the answer has no length");
  if (remaining_ > max_body_bytes_ - response_.body.size())
    return fail(Kind::kTooLarge, "the body of the answer has more than " + std::to_string(max_body_bytes_) + " bytes");
  part_ = remaining_ == 0 ? Part::kTrailer : Part::kChunk;
}

/// Takes at most `most` bytes and returns how many it were.
std::size_t ResponseParser::take_body(std::string_view bytes, std::uint64_t most) {
  const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), most));
  if (n > max_body_bytes_ - response_.body.size()) {
    fail(Kind::kTooLarge, "the body of the answer has more than " + std::to_string(max_body_bytes_) + " bytes");
    return 0;
  }
  response_.body.append(bytes.substr(0, n));
  if (part_ != Part::kUntilClose) remaining_ -= n;
  return n;
}

}  // namespace gibbon::gateway::client
