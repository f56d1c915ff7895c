#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gibbon/delivery.hpp"
#include "gibbon/json.hpp"

/// Kong's log record, kong.log.serialize(), for the encode() of logging plugins. Threads: any.
namespace gibbon {

/// The workspace that everything belongs to: Kong's, where it has no database.
inline constexpr std::string_view kWorkspaceId = "0dc6f45b-8f8d-40d2-a504-473544ee190b";
inline constexpr std::string_view kWorkspaceName = "default";

namespace detail {

inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

inline bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

/// Behind the JSON string that begins at `at`.
inline std::size_t skip_json_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return at + 1;
}

inline std::size_t skip_json_space(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) ++at;
  return at;
}

/// Behind the JSON value that begins at `at`.
inline std::size_t skip_json_value(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = skip_json_string(text, at);
    } else {
      if (c == '{' || c == '[') ++depth;
      if (depth == 0 && (c == ',' || c == '}' || c == ']')) return at;
      if (c == '}' || c == ']') --depth;
      ++at;
      if (depth > 0 || (c != '}' && c != ']')) continue;
    }
    if (depth == 0) return at;
  }
  return text.size();
}

struct JsonMember {
  std::size_t key, value, end;
};

/// The member of an object whose name, as JSON, is `name`. `last`: where the object ends, its '}'.
inline std::optional<JsonMember> find_json_member(std::string_view text, std::size_t object, std::string_view name,
                                                  std::size_t* last) {
  std::size_t at = skip_json_space(text, object + 1);
  std::optional<JsonMember> found;
  while (at < text.size() && text[at] != '}') {
    JsonMember member{at, 0, 0};
    const std::size_t colon = skip_json_string(text, at);
    member.value = skip_json_space(text, skip_json_space(text, colon) + 1);
    member.end = skip_json_value(text, member.value);
    if (text.substr(at, colon - at) == name) found = member;
    at = skip_json_space(text, member.end);
    if (at < text.size() && text[at] == ',') at = skip_json_space(text, at + 1);
  }
  *last = at;
  return found;
}

/// The first part of a dotted path as a JSON string; `rest` is what follows it, nothing where it is the last one.
inline std::string take_path_part(std::string_view path, std::optional<std::string_view>* rest) {
  std::string part, json;
  *rest = std::nullopt;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '\\' && i + 1 < path.size() && path[i + 1] == '.') {
      part += path[++i];
    } else if (path[i] == '.' && i > 0) {
      *rest = path.substr(i + 1);
      break;
    } else {
      part += path[i];
    }
  }
  append_json_string(json, part);
  return json;
}

inline std::string decode_argument(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

/// Path and query of a request target, also of one in absolute form.
inline std::string_view target_without_origin(std::string_view target) {
  const std::size_t scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos || target.find_first_of("/?") < scheme) return target;
  const std::size_t path = target.find_first_of("/?", scheme + 3);
  return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
}

}  // namespace detail

/// Sets the field at a dotted path ("request.tenant"; "\\." is a dot of a name) of the JSON object that begins at
/// `object` in `text`, with the objects on the way to it; takes it out where `json` is empty. False, and nothing is
/// done, where something on the way is no object.
inline bool set_json_field(std::string& text, std::size_t object, std::string_view path, std::string_view json) {
  std::optional<std::string_view> rest;
  const std::string name = detail::take_path_part(path, &rest);
  std::size_t last = 0;
  auto member = detail::find_json_member(text, object, name, &last);
  const auto insert = [&](std::string_view value) {
    const bool first = text.find_last_not_of(" \t\r\n", last - 1) == object;
    text.insert(last, (first ? "" : ",") + name + ":" + std::string(value));
  };
  if (rest) {
    if (!member) {
      insert("{}");
      member = detail::find_json_member(text, object, name, &last);
    }
    return text[member->value] == '{' && set_json_field(text, member->value, *rest, json);
  }
  if (!member) {
    if (!json.empty()) insert(json);
  } else if (!json.empty()) {
    text.replace(member->value, member->end - member->value, json);
  } else {
    std::size_t begin = member->key, end = detail::skip_json_space(text, member->end);
    if (text[end] == ',') {
      ++end;
    } else if (const std::size_t comma = text.find_last_not_of(" \t\r\n", begin - 1); text[comma] == ',') {
      begin = comma;
    }
    text.erase(begin, end - begin);
  }
  return true;
}

/// Appends an object with each header once, its name in lower case, in the order of first appearance; the values of a
/// repeated one as an array.
inline void append_json_headers(std::span<const Header> headers, std::string& out) {
  out += '{';
  bool first = true;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const std::string_view name = headers[i].name;
    const auto same = [&](std::size_t j) { return detail::same_name(headers[j].name, name); };
    bool seen = false;
    for (std::size_t j = 0; j < i && !seen; ++j) seen = same(j);
    if (seen) continue;
    std::size_t next = i + 1;
    while (next < headers.size() && !same(next)) ++next;
    if (!first) out += ',';
    first = false;
    const std::size_t start = out.size();
    append_json_string(out, name);
    for (std::size_t at = start; at < out.size(); ++at) out[at] = detail::lower(out[at]);
    out += ':';
    const bool repeated = next < headers.size();
    if (repeated) out += '[';
    append_json_string(out, headers[i].value);
    for (; next < headers.size(); ++next) {
      if (!same(next)) continue;
      out += ',';
      append_json_string(out, headers[next].value);
    }
    if (repeated) out += ']';
  }
  out += '}';
}

/// The arguments of a target's query, decoded, in their order; nothing for an argument without '='.
inline std::vector<std::pair<std::string, std::optional<std::string>>> query_arguments(std::string_view target) {
  std::vector<std::pair<std::string, std::optional<std::string>>> arguments;
  const std::size_t mark = target.find('?');
  std::string_view query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(one.size() == query.size() ? one.size() : one.size() + 1);
    const std::size_t equal = one.find('=');
    std::string name = detail::decode_argument(one.substr(0, equal));
    if (name.empty()) continue;
    if (equal == std::string_view::npos) {
      arguments.emplace_back(std::move(name), std::nullopt);
    } else {
      arguments.emplace_back(std::move(name), detail::decode_argument(one.substr(equal + 1)));
    }
  }
  return arguments;
}

/// Appends the arguments as an object: a text, true for one without '=', an array for what is repeated.
inline void append_json_query(std::string_view target, std::string& out) {
  const auto arguments = query_arguments(target);
  const auto append_value = [&](std::size_t i) {
    if (arguments[i].second) {
      append_json_string(out, *arguments[i].second);
    } else {
      out += "true";
    }
  };
  out += '{';
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::size_t count = 0, before = 0;
    for (std::size_t j = 0; j < arguments.size(); ++j) {
      if (arguments[j].first != arguments[i].first) continue;
      ++count;
      before += j < i ? 1 : 0;
    }
    if (before > 0) continue;
    if (out.back() != '{') out += ',';
    append_json_string(out, arguments[i].first);
    out += count > 1 ? ":[" : ":";
    for (std::size_t j = i; j < arguments.size(); ++j) {
      if (arguments[j].first != arguments[i].first) continue;
      if (j > i) out += ',';
      append_value(j);
    }
    if (count > 1) out += ']';
  }
  out += '}';
}

namespace detail {

class LogRecordWriter {
 public:
  LogRecordWriter(const ExchangeRecord& record, std::string& out) : record_(record), out_(out) {}

  void write() {
    out_ += '{';
    write_request();
    text("upstream_uri", record_.upstream_uri);
    text("upstream_status", record_.upstream_status);
    write_response();
    key("latencies");
    out_ += '{';
    number("kong", record_.gateway_ms > 0 ? record_.gateway_ms : 0);
    number("proxy", record_.upstream_ms);
    number("request", record_.duration_ms > 0 ? record_.duration_ms : 0);
    number("receive", record_.receive_ms > 0 ? record_.receive_ms : 0);
    out_ += '}';
    if (!record_.service_id.empty()) write_tries();
    if (!record_.credential_id.empty()) {
      key("authenticated_entity");
      out_ += '{';
      text("id", record_.credential_id);
      if (!record_.credential_consumer_id.empty()) text("consumer_id", record_.credential_consumer_id);
      out_ += '}';
    }
    entity("route", record_.route_json, record_.route_id, "name", record_.route_name);
    entity("service", record_.service_json, record_.service_id, "name", record_.service_name);
    entity("consumer", record_.consumer_json, record_.consumer_id, "username", record_.consumer_username);
    text("client_ip", record_.client_ip);
    number("started_at", record_.started_us / 1000);
    text("source", record_.source == ExchangeRecord::Source::kUpstream ? "upstream" : "kong");
    text("workspace", kWorkspaceId);
    text("workspace_name", kWorkspaceName);
    out_ += '}';
  }

 private:
  void key(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    out_.append("\"").append(name).append("\":");
  }
  void text(std::string_view name, std::string_view value) {
    key(name);
    append_json_string(out_, value);
  }
  template <typename Integer>
  void number(std::string_view name, Integer value) {
    key(name);
    append_json_integer(out_, value);
  }

  void write_request() {
    const std::string_view uri = target_without_origin(record_.target);
    key("request");
    out_ += '{';
    text("id", record_.request_id);
    text("uri", uri);
    std::string url;
    const bool bare_ipv6 = record_.host.find(':') != std::string_view::npos && !record_.host.starts_with('[');
    url.append(record_.scheme).append(bare_ipv6 ? "://[" : "://").append(record_.host).append(bare_ipv6 ? "]:" : ":");
    append_json_integer(url, record_.port);
    text("url", url.append(uri));
    key("querystring");
    append_json_query(uri, out_);
    text("method", record_.method);
    std::vector<Header> headers(record_.request_headers.begin(), record_.request_headers.end());
    for (Header& header : headers)
      if (same_name(header.name, "authorization") || same_name(header.name, "proxy-authorization"))
        header.value = "REDACTED";
    key("headers");
    append_json_headers(headers, out_);
    number("size", record_.request_bytes);
    if (!record_.tls_version.empty()) {
      key("tls");
      out_ += '{';
      text("version", record_.tls_version);
      text("cipher", record_.tls_cipher);
      text("client_verify", record_.tls_client_verify);
      out_ += '}';
    }
    out_ += '}';
  }

  void write_response() {
    key("response");
    out_ += '{';
    number("status", record_.status);
    key("headers");
    append_json_headers(record_.response_headers, out_);
    number("size", record_.response_bytes);
    out_ += '}';
  }

  void write_tries() {
    key("tries");
    out_ += '[';
    for (const Try& one : record_.tried) {
      if (out_.back() != '[') out_ += ',';
      out_ += '{';
      number("balancer_start", one.started_ns / 1000000);
      number("balancer_start_ns", one.started_ns);
      number("balancer_latency", one.latency_ns / 1000000);
      number("balancer_latency_ns", one.latency_ns);
      text("ip", one.ip);
      number("port", one.port);
      if (one.state != Try::State::kAnswered) {
        text("state", one.state == Try::State::kFailed ? "failed" : "next");
        number("code", one.code);
      }
      out_ += '}';
    }
    out_ += ']';
  }

  void entity(std::string_view name, std::string_view json, std::string_view id, std::string_view label_name,
              std::string_view label) {
    if (id.empty()) return;
    key(name);
    if (!json.empty()) {
      out_ += json;
      return;
    }
    out_ += '{';
    text("id", id);
    if (!label.empty()) text(label_name, label);
    out_ += '}';
  }

  const ExchangeRecord& record_;
  std::string& out_;
};

}  // namespace detail

/// Appends the record as one JSON object, with what plugins have set in it.
inline void append_log_record(const ExchangeRecord& record, std::string& out) {
  const std::size_t start = out.size();
  detail::LogRecordWriter(record, out).write();
  for (const SerializeValue& value : record.serialize_values) set_json_field(out, start, value.path, value.json);
}

}  // namespace gibbon
