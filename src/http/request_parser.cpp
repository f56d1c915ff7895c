#include "http/request_parser.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

namespace gibbon::http {
namespace {

namespace beast_http = boost::beast::http;

/// An absolute target's path starts behind its authority (RFC 9112, 3.2.2).
std::string_view path_and_query(std::string_view target) {
  if (target.starts_with('/')) return target;
  const auto scheme = target.find("://");
  if (scheme == std::string_view::npos) return target;
  const auto slash = target.find_first_of("/?", scheme + 3);
  return slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
}

}  // namespace

RequestParser::RequestParser(Request& request, std::size_t max_header_bytes, std::uint64_t max_body_bytes)
    : request_(request), max_header_bytes_(max_header_bytes), max_body_bytes_(max_body_bytes) {
  eager(true);
  header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(max_header_bytes, UINT32_MAX)));
  body_limit(max_body_bytes);
  request_.body.clear();
}

RequestParser::State RequestParser::feed(const char* data, std::size_t size, std::size_t* used) {
  *used = 0;
  if (!started_) {  // Empty lines before a request are to be ignored (RFC 9112, 2.2).
    while (*used < size && (data[*used] == '\r' || data[*used] == '\n')) ++*used;
    if (*used == size) return State::kNeedMore;
    started_ = true;
  }
  error_code ec;
  const bool in_header = !is_header_done();
  const std::size_t taken = put(boost::asio::const_buffer(data + *used, size - *used), ec);
  *used += taken;
  if (in_header && (!ec || ec == beast_http::error::need_more)) {
    header_bytes_ += taken;
    // Before the header is whole, all that was taken belongs to it.
    if (!is_header_done() && header_bytes_ + (size - *used) > max_header_bytes_) ec = beast_http::error::header_limit;
  }
  if (ec == beast_http::error::need_more) return State::kNeedMore;
  if (ec) {
    explain(ec);
    return State::kFailed;
  }
  return is_done() ? State::kDone : State::kNeedMore;
}

bool RequestParser::take_expectation() { return is_header_done() && std::exchange(expects_continue_, false); }

void RequestParser::on_request_impl(beast_http::verb, string_view method, string_view target, int version,
                                    error_code&) {
  version_ = version;
  request_.method.assign(method.data(), method.size());
  request_.target.assign(target.data(), target.size());
  const auto rest = path_and_query(request_.target);
  const auto question = rest.find('?');
  request_.path.assign(rest.substr(0, question));
  if (request_.path.empty()) request_.path.assign(1, '/');
  request_.query.assign(question == std::string_view::npos ? std::string_view{} : rest.substr(question + 1));
}

void RequestParser::on_field_impl(beast_http::field name, string_view name_text, string_view value, error_code& ec) {
  if (header_count_ == request_.headers.size()) request_.headers.emplace_back();
  auto& header = request_.headers[header_count_++];
  header.name.assign(name_text.data(), name_text.size());
  header.value.assign(value.data(), value.size());
  switch (name) {
    case beast_http::field::host:
      if (++hosts_ > 1) refuse(400, "Bad request: more than one Host header", ec);
      break;
    case beast_http::field::transfer_encoding:
      if (!boost::beast::iequals(value, "chunked")) {
        refuse(501, "Transfer-Encoding other than \"chunked\" is not supported", ec);
      }
      break;
    case beast_http::field::expect:
      if (boost::beast::iequals(value, "100-continue")) {
        expects_continue_ = version_ >= 11;
      } else {
        refuse(417, "Expectation other than \"100-continue\" is not supported", ec);
      }
      break;
    default:
      break;
  }
}

void RequestParser::on_header_impl(error_code& ec) {
  request_.headers.resize(header_count_);
  if (version_ >= 11 && hosts_ == 0) refuse(400, "Bad request: no Host header", ec);
}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) {
  // What a client announces is not yet there: large bodies grow as they come.
  if (length) request_.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*length, 1024 * 1024)));
}

std::size_t RequestParser::on_body_impl(string_view body, error_code&) {
  request_.body.append(body.data(), body.size());
  return body.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, string_view body, error_code& ec) {
  if (request_.body.size() + body.size() > max_body_bytes_) {
    ec = beast_http::error::body_limit;
    return 0;
  }
  request_.body.append(body.data(), body.size());
  return body.size();
}

void RequestParser::refuse(int status, std::string message, error_code& ec) {
  status_ = status;
  message_ = std::move(message);
  ec = beast_http::error::bad_value;
}

void RequestParser::explain(const error_code& ec) {
  if (status_ != 0) return;
  if (ec == beast_http::error::body_limit) {
    status_ = 413;
    message_ = "Request body too large: at most " + std::to_string(max_body_bytes_) + " bytes are taken";
  } else if (ec == beast_http::error::header_limit) {
    status_ = 431;
    message_ = "Request header too large: at most " + std::to_string(max_header_bytes_) + " bytes are taken";
  } else if (ec == beast_http::error::bad_version) {
    status_ = 505;
    message_ = "HTTP version not supported: this server speaks HTTP/1.1 and HTTP/1.0";
  } else {
    status_ = 400;
    message_ = "Bad request: " + ec.message();
  }
}

}  // namespace gibbon::http
