#include "gateway/answer/error_body.hpp"

#include <algorithm>
#include <utility>

#include "base/ascii.hpp"

namespace gibbon::gateway {
namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

/// Takes the text up to `separator`, or all of it, off the front.
std::string_view take(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

/// One half of a media range: "*", or two characters or more of those that names have.
bool is_name(std::string_view s) {
  if (s == "*") return true;
  const auto alphanumeric = [](char c) { return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || (c >= '0' && c <= '9'); };
  return s.size() >= 2 && alphanumeric(s[0]) && std::all_of(s.begin() + 1, s.end(), [&](char c) {
    return alphanumeric(c) || std::string_view("-!#$&^_+.").find(c) != std::string_view::npos;
  });
}

/// A quality in thousandths; -1 where it is none: "1", "1.000", "0", "0.5".
int quality_of(std::string_view s) {
  if (s.empty() || (s[0] != '0' && s[0] != '1') || s.size() > 5) return -1;
  int value = s[0] == '1' ? 1000 : 0;
  if (s.size() > 1 && s[1] != '.') return -1;
  int unit = 100;
  for (const char c : s.substr(std::min<std::size_t>(2, s.size()))) {
    if (c < '0' || c > '9' || (value >= 1000 && c != '0')) return -1;
    value += (c - '0') * unit;
    unit /= 10;
  }
  return value;
}

MediaType type_named(std::string_view range) {
  static constexpr std::pair<std::string_view, MediaType> kTypes[] = {
      {"text/html", MediaType::kHtml},  {"application/xml", MediaType::kXml}, {"text/plain", MediaType::kPlain},
      {"text/*", MediaType::kPlain},    {"application/grpc", MediaType::kGrpc}};
  for (const auto& [name, type] : kTypes)
    if (range == name) return type;
  return MediaType::kJson;
}

}  // namespace

MediaType preferred_type(std::string_view accept) noexcept {
  MediaType best = MediaType::kJson;
  int best_quality = 0;
  while (!accept.empty()) {
    std::string_view parameters = trim(take(accept, ','));
    const std::string_view range = trim(take(parameters, ';'));
    const std::size_t slash = range.find('/');
    if (slash == std::string_view::npos || !is_name(range.substr(0, slash)) || !is_name(range.substr(slash + 1))) continue;
    int quality = 1000;
    while (!parameters.empty()) {
      const std::string_view parameter = trim(take(parameters, ';'));
      if (parameter.size() < 2 || ascii_lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
      if (const int given = quality_of(parameter.substr(2)); given >= 0) quality = given;
    }
    if (quality > best_quality) {
      best_quality = quality;
      best = type_named(range);
    }
  }
  return best;
}

std::string_view content_type_of(MediaType type) noexcept {
  switch (type) {
    case MediaType::kHtml: return "text/html; charset=utf-8";
    case MediaType::kXml: return "application/xml; charset=utf-8";
    case MediaType::kPlain: return "text/plain; charset=utf-8";
    case MediaType::kGrpc: return "";
    case MediaType::kJson: break;
  }
  return "application/json; charset=utf-8";
}

ErrorTemplates::ErrorTemplates() {
  const auto set = [this](MediaType type) -> Parts& { return templates_[static_cast<std::size_t>(type)]; };
  set(MediaType::kJson) = {"{\n  \"message\":\"", "\",\n  \"request_id\":\"", "\"\n}"};
  set(MediaType::kHtml) = {
      "<!doctype html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n    <title>Error</title>\n"
      "  </head>\n  <body>\n    <h1>Error</h1>\n    <p>",
      ".</p>\n    <p>request_id: ", "</p>\n  </body>\n</html>\n"};
  set(MediaType::kXml) = {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>\n  <message>",
                          "</message>\n  <requestid>", "</requestid>\n</error>\n"};
  set(MediaType::kPlain) = {"", "\nrequest_id: ", "\n"};
}

Status ErrorTemplates::replace(MediaType type, std::string_view text) {
  Parts parts{"", "", "", 0};
  std::string* const part[] = {&parts.before, &parts.between, &parts.after};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      *part[parts.places] += text[i];
      continue;
    }
    const char conversion = i + 1 < text.size() ? text[i + 1] : '\0';
    if (conversion == '%') {
      *part[parts.places] += '%';
    } else if (conversion == 's' && parts.places < 2) {
      ++parts.places;
    } else {
      return Error{"an error template may hold %s twice, for the message and the request's id, and %% for a percent sign", ""};
    }
    ++i;
  }
  templates_[static_cast<std::size_t>(type)] = std::move(parts);
  return {};
}

std::string ErrorTemplates::render(MediaType type, std::string_view message, std::string_view request_id) const {
  if (type == MediaType::kGrpc) return {};
  const Parts& parts = templates_[static_cast<std::size_t>(type)];
  std::string body;
  body.reserve(parts.before.size() + message.size() + parts.between.size() + request_id.size() + parts.after.size());
  body.append(parts.before);
  if (parts.places > 0) body.append(message);
  body.append(parts.between);
  if (parts.places > 1) body.append(request_id);
  return body.append(parts.after);
}

int grpc_status_of(int http_status) noexcept {
  switch (http_status) {
    case 401: return 16;
    case 403: return 7;
    case 404: return 5;
    case 409: return 6;
    case 429: return 8;
    case 499: return 1;
    case 501: return 12;
    case 503: return 14;
    case 504: return 4;
    default: break;
  }
  if (http_status >= 500 && http_status <= 599) return 13;
  if (http_status >= 400 && http_status <= 499) return 3;
  return http_status >= 200 && http_status <= 299 ? 0 : 2;
}

std::string_view grpc_message_of(int grpc_status) noexcept {
  static constexpr std::string_view kNames[] = {
      "OK",            "Canceled",      "Unknown",          "InvalidArgument",   "DeadlineExceeded",   "NotFound",
      "AlreadyExists", "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted",         "OutOfRange",
      "Unimplemented", "Internal",      "Unavailable",      "DataLoss",          "Unauthenticated"};
  return grpc_status >= 0 && static_cast<std::size_t>(grpc_status) < std::size(kNames) ? kNames[grpc_status] : kNames[2];
}

}  // namespace gibbon::gateway
