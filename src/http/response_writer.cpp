#include "http/response_writer.hpp"

#include <fmt/format.h>

#include <ctime>

#include "base/json_text.hpp"
#include "http/server.hpp"

namespace gibbon::http {
namespace {

/// "Sun, 06 Nov 1994 08:49:37 GMT", made once a second per thread.
std::string_view http_date() {
  thread_local std::time_t made_for = 0;
  thread_local char text[32];
  thread_local std::size_t length = 0;
  const std::time_t now = std::time(nullptr);
  if (now != made_for) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    length = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    made_for = now;
  }
  return {text, length};
}

bool same_name(std::string_view name, std::string_view lower_case) {
  if (name.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] + 32) : name[i];
    if (c != lower_case[i]) return false;
  }
  return true;
}

void append_header(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ");
  const std::size_t start = out.size();
  out.append(value);
  for (std::size_t i = start; i < out.size(); ++i) {
    if (out[i] == '\r' || out[i] == '\n') out[i] = ' ';
  }
  out.append("\r\n");
}

}  // namespace

void append_head(const Response& response, Framing framing, Persistence persistence, std::string_view server_header,
                 std::string& out) {
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  append_header("Date", http_date(), out);
  bool has_server = false;
  for (const auto& header : response.headers) {
    if (same_name(header.name, "content-length") || same_name(header.name, "connection") ||
        same_name(header.name, "transfer-encoding")) {
      continue;
    }
    has_server = has_server || same_name(header.name, "server");
    append_header(header.name, header.value, out);
  }
  if (!has_server && !server_header.empty()) append_header("Server", server_header, out);
  if (framing == Framing::kChunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (framing == Framing::kLength && !bodiless(response.status)) {
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", response.body.size());
  }
  if (persistence == Persistence::kClose) {
    out.append("Connection: close\r\n");
  } else {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

Response error_response(int status, std::string_view message) {
  json::object body;
  body["message"] = message;
  return {status, {{"Content-Type", "application/json; charset=utf-8"}}, to_text(body)};
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Payload Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Entity";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
  }
}

}  // namespace gibbon::http
