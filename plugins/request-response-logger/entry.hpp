#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "gibbon/delivery.hpp"
#include "gibbon/json.hpp"

/// The entry that the guide shows, one JSON object for each exchange. docs/log-entry.md describes its fields.
namespace request_response_logger {

using gibbon::ExchangeRecord;

inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

inline bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

/// Appends `"name":` with the name in lower case.
inline void append_header_name(std::string_view name, std::string& out) {
  const std::size_t start = out.size();
  gibbon::append_json_string(out, name);
  for (std::size_t i = start; i < out.size(); ++i) out[i] = lower(out[i]);
  out += ':';
}

/// An object with each name once, in the order of first appearance; the values of a repeated one as an array.
inline void append_headers(std::span<const gibbon::Header> headers, std::string& out) {
  out += '{';
  bool first = true;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const std::string_view name = headers[i].name;
    bool seen = false;
    for (std::size_t j = 0; j < i && !seen; ++j) seen = same_name(headers[j].name, name);
    if (seen) continue;
    std::size_t next = i + 1;
    while (next < headers.size() && !same_name(headers[next].name, name)) ++next;
    if (!first) out += ',';
    first = false;
    append_header_name(name, out);
    if (next == headers.size()) {
      gibbon::append_json_string(out, headers[i].value);
      continue;
    }
    out += '[';
    gibbon::append_json_string(out, headers[i].value);
    for (; next < headers.size(); ++next) {
      if (!same_name(headers[next].name, name)) continue;
      out += ',';
      gibbon::append_json_string(out, headers[next].value);
    }
    out += ']';
  }
  out += '}';
}

/// Text as text, anything else in base64. A text that was cut within a character ends before it.
inline void append_body(const gibbon::CapturedBody& body, std::string& out) {
  if (!body.recorded) return;
  const gibbon::Utf8Scan scan = gibbon::scan_utf8(body.bytes);
  const bool text = scan.valid == body.bytes.size() || (body.truncated() && scan.incomplete);
  out += ",\"body\":";
  if (text) {
    gibbon::append_json_string(out, body.bytes.substr(0, scan.valid));
  } else {
    out += '"';
    gibbon::append_base64(out, body.bytes);
    out += '"';
  }
  out += ",\"body_size\":";
  gibbon::append_json_integer(out, body.size);
  out += ",\"body_truncated\":";
  gibbon::append_json_bool(out, body.truncated());
  if (!text) out += ",\"body_encoding\":\"base64\"";
}

/// The port that the client named in its Host header; empty where it named none.
inline std::string_view named_port(const ExchangeRecord& record) {
  for (const gibbon::Header& header : record.request_headers) {
    if (!same_name(header.name, "host")) continue;
    const std::size_t colon = header.value.rfind(':');
    if (colon == std::string_view::npos || header.value.find(']', colon) != std::string_view::npos) return {};
    const std::string_view port = header.value.substr(colon + 1);
    const bool digits = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
    return digits ? port : std::string_view{};
  }
  return {};
}

/// scheme://host[:port]target, as the client would have typed it.
inline void append_url(const ExchangeRecord& record, std::string& out) {
  std::string url;
  url.reserve(32 + record.host.size() + record.target.size());
  const std::size_t scheme_end = record.target.find("://");
  if (!record.target.starts_with('/') && scheme_end != std::string_view::npos &&
      record.target.find_first_of("/?") > scheme_end) {
    gibbon::append_json_string(out, record.target);  // absolute form: a URL already
    return;
  }
  const std::string_view scheme = record.scheme.empty() ? std::string_view("http") : record.scheme;
  url.append(scheme).append("://");
  const bool bare_ipv6 = record.host.find(':') != std::string_view::npos && !record.host.starts_with('[');
  if (bare_ipv6) url += '[';
  url.append(record.host.empty() ? std::string_view("unknown") : record.host);
  if (bare_ipv6) url += ']';
  std::string connected;
  std::string_view port = named_port(record);
  if (port.empty() && record.port != 0) {
    gibbon::append_json_integer(connected, record.port);
    port = connected;
  }
  const std::string_view standard = scheme == "https" ? "443" : "80";
  if (!port.empty() && port != standard) url.append(":").append(port);
  if (!record.target.starts_with('/')) url += '/';
  url.append(record.target);
  gibbon::append_json_string(out, url);
}

/// Appends `,"key":{"id":...,"name":...}`, or what else the name is called; nothing where there is none.
inline void append_reference(std::string_view key, std::string_view id, std::string_view name, std::string& out,
                             std::string_view name_key = "name") {
  if (id.empty()) return;
  out += ",\"";
  out += key;
  out += "\":{\"id\":";
  gibbon::append_json_string(out, id);
  if (!name.empty()) {
    out += ",\"";
    out += name_key;
    out += "\":";
    gibbon::append_json_string(out, name);
  }
  out += '}';
}

inline void append_entry(const ExchangeRecord& record, std::string& out) {
  out += "{\"id\":";
  gibbon::append_json_number(out, record.id);
  out += ",\"type\":\"kong_request_response\",\"timestamp\":";
  gibbon::append_json_timestamp(out, record.started_us);
  out += ",\"request\":{\"url\":";
  append_url(record, out);
  out += ",\"method\":";
  gibbon::append_json_string(out, record.method);
  out += ",\"headers\":";
  append_headers(record.request_headers, out);
  append_body(record.request_body, out);
  out += "},\"response\":{\"status_code\":";
  gibbon::append_json_integer(out, record.status);
  out += ",\"headers\":";
  append_headers(record.response_headers, out);
  append_body(record.response_body, out);
  out += "},\"entry_id\":";
  gibbon::append_json_string(out, record.entry_id);
  out += ",\"request_id\":";
  gibbon::append_json_string(out, record.request_id);
  out += ",\"client_ip\":";
  gibbon::append_json_string(out, record.client_ip);
  out += ",\"protocol\":";
  gibbon::append_json_string(out, record.protocol);
  append_reference("service", record.service_id, record.service_name, out);
  append_reference("route", record.route_id, record.route_name, out);
  append_reference("consumer", record.consumer_id, record.consumer_username, out, "username");
  out += ",\"latencies\":{\"request\":";
  gibbon::append_json_integer(out, record.duration_ms);
  out += ",\"kong\":";
  gibbon::append_json_integer(out, record.gateway_ms);
  out += ",\"proxy\":";
  gibbon::append_json_integer(out, record.upstream_ms);
  out += '}';
  if (!record.upstream.empty()) {
    out += ",\"upstream\":";
    gibbon::append_json_string(out, record.upstream);
  }
  out += ",\"tries\":";
  gibbon::append_json_integer(out, record.tries);
  out += '}';
}

}  // namespace request_response_logger
