#include "json_object.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "gibbon/json.hpp"

namespace transformers {
namespace {

namespace json = boost::json;

constexpr std::string_view kSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

json::parse_options lenient() {
  json::parse_options options;
  options.max_depth = 1000;
  options.allow_invalid_utf8 = true;
  return options;
}

/// Where the string that begins at `at` ends: behind its closing quote.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return at + 1;
}

/// Where the value that begins at `at` ends. The text is known to be JSON.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  if (text[at] == '"') return end_of_string(text, at);
  if (text[at] != '{' && text[at] != '[') return text.find_first_of(",}] \t\r\n", at);
  for (int depth = 0; ; ++at) {
    const char c = text[at];
    if (c == '"') at = end_of_string(text, at) - 1;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at + 1;
  }
}

std::string decoded(std::string_view quoted) {
  const json::value value = json::parse(json::string_view(quoted.data(), quoted.size()), {}, lenient());
  const json::string& text = value.get_string();
  return {text.data(), text.size()};
}

bool is_empty_container(std::string_view json) {
  return trimmed(json.substr(1, json.size() - 2)).empty();
}

}  // namespace

std::optional<JsonKind> json_kind(std::string_view text) {
  json::error_code wrong;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), wrong, {}, lenient());
  if (wrong) return std::nullopt;
  return value.is_object() ? JsonKind::kObject : value.is_array() ? JsonKind::kArray : JsonKind::kOther;
}

bool is_json_number(std::string_view text) {
  if (text.empty() || trimmed(text) != text) return false;
  json::error_code wrong;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), wrong);
  return !wrong && value.is_number();
}

std::string json_string(std::string_view text) {
  std::string out;
  gibbon::append_json_string(out, text);
  return out;
}

JsonObject::JsonObject(std::string_view text) {
  std::size_t at = text.find('{') + 1;
  for (;;) {
    at = text.find_first_not_of(" \t\r\n,", at);
    if (text[at] == '}') return;
    const std::size_t name_end = end_of_string(text, at);
    const std::string name = decoded(text.substr(at, name_end - at));
    at = text.find_first_not_of(kSpace, text.find(':', name_end) + 1);
    const std::size_t end = end_of_value(text, at);
    set(name, std::string(text.substr(at, end - at)));
    at = end;
  }
}

const std::string* JsonObject::find(std::string_view name) const {
  for (const Member& member : members_)
    if (member.name == name) return &member.json;
  return nullptr;
}

bool JsonObject::holds(std::string_view name) const {
  const std::string* json = find(name);
  return json != nullptr && *json != "false";
}

void JsonObject::set(std::string_view name, std::string json) {
  for (Member& member : members_)
    if (member.name == name) {
      member.json = std::move(json);
      return;
    }
  members_.push_back({std::string(name), std::move(json)});
}

void JsonObject::remove(std::string_view name) {
  std::erase_if(members_, [&](const Member& member) { return member.name == name; });
}

void JsonObject::rename(std::string_view from, std::string_view to) {
  if (from == to || find(from) == nullptr) return;
  remove(to);
  for (Member& member : members_)
    if (member.name == from) member.name = to;
}

void JsonObject::append(std::string_view name, const std::string& json) {
  const std::string* old = find(name);
  const char first = old == nullptr ? '\0' : old->front();
  if (first == '"') return set(name, "[" + *old + "," + json + "]");
  const bool holds_more = (first == '[' || first == '{') && !is_empty_container(*old);
  if (!holds_more) return set(name, "[" + json + "]");
  if (first == '[') return set(name, old->substr(0, old->size() - 1) + "," + json + "]");
  JsonObject inner(*old);
  int number = 1;
  while (inner.find(std::to_string(number)) != nullptr) ++number;
  inner.set(std::to_string(number), json);
  set(name, inner.text());
}

std::string JsonObject::text() const {
  std::string out = "{";
  for (const Member& member : members_) {
    if (out.size() > 1) out += ',';
    gibbon::append_json_string(out, member.name);
    out.append(":").append(member.json);
  }
  return out + "}";
}

}  // namespace transformers
