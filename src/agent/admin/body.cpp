#include "agent/admin/body.hpp"

#include <algorithm>

#include "agent/admin/reply.hpp"
#include "schema/form.hpp"

namespace gibbon::agent {
namespace {

bool has_prefix(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  return std::equal(prefix.begin(), prefix.end(), text.begin(),
                    [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b); });
}

/// The value of `name="..."` or `name=...` in a header's parameters.
std::string parameter(std::string_view header, std::string_view name) {
  for (std::size_t at = header.find(';'); at != std::string_view::npos; at = header.find(';', at)) {
    ++at;
    while (at < header.size() && header[at] == ' ') ++at;
    const auto rest = header.substr(at);
    if (!has_prefix(rest, name) || rest.size() <= name.size() || rest[name.size()] != '=') continue;
    auto value = rest.substr(name.size() + 1);
    if (value.starts_with('"')) {
      std::string unquoted;
      for (std::size_t i = 1; i < value.size() && value[i] != '"'; ++i) {
        if (value[i] == '\\' && i + 1 < value.size()) ++i;
        unquoted += value[i];
      }
      return unquoted;
    }
    return std::string(value.substr(0, value.find(';')));
  }
  return {};
}

/// RFC 7578: the parts that have a name, with their content. Nothing where the framing is broken.
std::optional<Body::Form> parse_multipart(std::string_view body, std::string_view content_type) {
  const auto boundary = parameter(content_type, "boundary");
  if (boundary.empty()) return std::nullopt;
  const auto delimiter = "--" + boundary;
  Body::Form form;
  auto at = body.find(delimiter);
  while (at != std::string_view::npos) {
    at += delimiter.size();
    if (body.substr(at).starts_with("--")) return form;
    const auto head_start = body.find("\r\n", at);
    if (head_start == std::string_view::npos) return std::nullopt;
    const auto head_end = body.find("\r\n\r\n", head_start);
    const auto end = body.find("\r\n" + delimiter, head_start);
    if (head_end == std::string_view::npos || end == std::string_view::npos || head_end > end)
      return std::nullopt;
    auto headers = body.substr(head_start, head_end - head_start);
    std::string name;
    for (auto line = headers.find("\r\n"); line != std::string_view::npos;
         line = headers.find("\r\n", line + 2)) {
      const auto text = headers.substr(line + 2, headers.find("\r\n", line + 2) - line - 2);
      if (has_prefix(text, "content-disposition:")) name = parameter(text, "name");
    }
    const auto content =
        head_end + 4 <= end ? body.substr(head_end + 4, end - head_end - 4) : std::string_view();
    if (!name.empty()) form.emplace_back(name, content);
    at = end + 2;
  }
  return std::nullopt;
}

}  // namespace

json::object Body::input(const Schema& schema) const {
  if (const auto* form = std::get_if<Form>(&content)) return schema::from_form(schema, *form);
  return std::get<json::object>(content);
}

std::optional<std::string> Body::field(std::string_view name) const {
  if (const auto* form = std::get_if<Form>(&content)) {
    for (const auto& [key, value] : *form)
      if (key == name) return value;
    return std::nullopt;
  }
  const auto* value = std::get<json::object>(content).if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

std::variant<Body, http::Response> read_body(const http::Request& request, YamlBody yaml) {
  const auto types = std::count_if(request.headers.begin(), request.headers.end(), [](const http::Header& header) {
    return header.name.size() == 12 && has_prefix(header.name, "content-type");
  });
  if (types > 1) return message_reply(400, "Multiple Content-Type headers not allowed");
  const auto type = request.header("content-type");
  if (type.empty() && request.body.empty()) return Body{};
  if (has_prefix(type, "application/json")) {
    Body body{{}, request.body};
    boost::system::error_code failed;
    auto value = json::parse(request.body, failed);
    if (failed) return message_reply(400, "Cannot parse JSON body");
    // Kong stumbles over JSON that is no object; clients see this.
    if (!value.is_object()) return message_reply(500, "An unexpected error occurred");
    body.content = std::move(value.get_object());
    return body;
  }
  if (has_prefix(type, "application/x-www-form-urlencoded")) {
    Body::Form form = http::parse_query(request.body);
    if (form.size() > schema::kMaxFormFields) return message_reply(400, "Too many arguments");
    return Body{std::move(form), {}};
  }
  if (has_prefix(type, "multipart/form-data")) {
    auto form = parse_multipart(request.body, type);
    if (!form) return message_reply(400, "Cannot parse multipart body");
    if (form->size() > schema::kMaxFormFields) return message_reply(400, "Too many arguments");
    return Body{std::move(*form), {}};
  }
  if (yaml == YamlBody::kAllowed && (has_prefix(type, "text/yaml") || has_prefix(type, "application/yaml") ||
                                     has_prefix(type, "application/x-yaml")))
    return Body{{}, request.body};
  return bare_reply(415);
}

}  // namespace gibbon::agent
