#include "agent/store/lua_text.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/json_text.hpp"

namespace gibbon::agent {
namespace {

bool is_identifier(std::string_view key) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !key.empty() && letter(key[0]) &&
         std::all_of(key.begin(), key.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

void append_quoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  out += '"';
}

void append(const json::value& value, std::string& out);

void append_array(const json::array& array, std::string& out) {
  out += '{';
  bool first = true, hole = false;
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (array[i].is_null()) {
      hole = true;
      continue;
    }
    if (!first) out += ',';
    first = false;
    if (hole) out += '[' + std::to_string(i + 1) + "]=";
    append(array[i], out);
  }
  out += '}';
}

void append_object(const json::object& object, std::string& out) {
  std::vector<std::string_view> keys;
  for (const auto& member : object) keys.push_back(member.key());
  std::sort(keys.begin(), keys.end());
  out += '{';
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i > 0) out += ',';
    if (is_identifier(keys[i])) {
      out += keys[i];
    } else {
      out += '[';
      append_quoted(keys[i], out);
      out += ']';
    }
    out += '=';
    append(*object.if_contains(keys[i]), out);
  }
  out += '}';
}

void append(const json::value& value, std::string& out) {
  if (const auto* text = value.if_string()) return append_quoted(*text, out);
  if (const auto* array = value.if_array()) return append_array(*array, out);
  if (const auto* object = value.if_object()) return append_object(*object, out);
  append_text(value, out);
}

}  // namespace

std::string lua_text(const json::value& value) {
  std::string out;
  append(value, out);
  return out;
}

}  // namespace gibbon::agent
