#include "schema/violations.hpp"

#include <algorithm>
#include <vector>

#include "base/json_text.hpp"

namespace gibbon::schema {
namespace {

bool is_identifier(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

void append_quoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '\n') out += '\\';
    if (c == '\r') {
      out += "\\r";
    } else {
      out += c;
    }
  }
  out += '"';
}

/// Writes a value as a Lua literal. With an empty `step` on one line; else a line for each entry.
class LuaWriter {
 public:
  LuaWriter(std::string_view step, std::string& out) : step_(step), out_(out) {}

  void write(const json::value& value, const std::string& indent) {
    if (value.is_object()) {
      write_object(value.get_object(), indent);
    } else if (value.is_array()) {
      write_array(value.get_array(), indent);
    } else if (value.is_string()) {
      append_quoted(value.get_string(), out_);
    } else {
      append_text(value, out_);
    }
  }

 private:
  void write_object(const json::object& object, const std::string& indent) {
    std::vector<std::string_view> keys;
    for (const auto& member : object) keys.push_back(member.key());
    std::sort(keys.begin(), keys.end());
    open(indent);
    for (const std::string_view key : keys) {
      begin_entry(indent);
      if (is_identifier(key)) {
        out_ += key;
      } else {
        out_ += '[';
        append_quoted(key, out_);
        out_ += ']';
      }
      out_ += step_.empty() ? "=" : " = ";
      write(object.at(key), indent + std::string(step_));
    }
    close(indent);
  }

  /// Leading elements stand without an index; behind a gap (a null), each needs its own.
  void write_array(const json::array& array, const std::string& indent) {
    open(indent);
    bool gap = false;
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (array[i].is_null()) {
        gap = true;
        continue;
      }
      begin_entry(indent);
      if (gap) out_ += "[" + std::to_string(i + 1) + "]" + (step_.empty() ? "=" : " = ");
      write(array[i], indent + std::string(step_));
    }
    close(indent);
  }

  void open(const std::string&) {
    out_ += '{';
    first_ = true;
  }
  void begin_entry(const std::string& indent) {
    if (!first_) out_ += ',';
    if (!step_.empty()) out_ += "\n" + indent + std::string(step_);
    first_ = false;
  }
  void close(const std::string& indent) {
    if (!step_.empty()) out_ += "\n" + indent;
    out_ += '}';
    first_ = false;
  }

  std::string_view step_;
  std::string& out_;
  bool first_ = true;
};

std::string lua_text_lines(const json::value& value) {
  std::string out;
  LuaWriter("  ", out).write(value, "");
  return out;
}

std::string text_of(const json::value& error) {
  if (error.is_string()) return std::string(error.get_string());
  return lua_text_lines(error);
}

void append_field(std::string_view name, const json::value& error, std::vector<std::string>& lines) {
  const auto line = [&](std::string_view sub, const json::value& what) {
    lines.push_back(std::string(name) + "." + std::string(sub) + ": " + text_of(what));
  };
  if (error.is_object()) {
    std::vector<std::string_view> keys;
    for (const auto& member : error.get_object()) keys.push_back(member.key());
    std::sort(keys.begin(), keys.end());
    for (const std::string_view key : keys) line(key, error.get_object().at(key));
  } else if (error.is_array()) {
    const json::array& errors = error.get_array();
    for (std::size_t i = 0; i < errors.size(); ++i) {
      if (!errors[i].is_null()) line(std::to_string(i + 1), errors[i]);
    }
  } else {
    lines.push_back(std::string(name) + ": " + text_of(error));
  }
}

}  // namespace

void Violations::add_entity(std::string_view message) {
  json::value& entity = fields["@entity"];
  if (!entity.is_array()) entity = json::array();
  entity.get_array().emplace_back(message);
}

std::string Violations::message() const {
  std::vector<std::string> lines, names;
  for (const auto& member : fields) {
    if (member.key() != "@entity") {
      names.emplace_back(member.key());
    } else if (member.value().is_array()) {
      for (const json::value& error : member.value().get_array()) lines.push_back(text_of(error));
    }
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) append_field(name, fields.at(name), lines);

  std::string text =
      lines.size() == 1 ? "schema violation (" : std::to_string(lines.size()) + " schema violations (";
  for (std::size_t i = 0; i < lines.size(); ++i) text += (i > 0 ? "; " : "") + lines[i];
  return text + ")";
}

json::object Violations::to_json() const {
  return {{"code", 2}, {"name", "schema violation"}, {"fields", fields}, {"message", message()}};
}

std::string lua_text(const json::value& value) {
  std::string out;
  LuaWriter("", out).write(value, "");
  return out;
}

}  // namespace gibbon::schema
