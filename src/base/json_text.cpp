#include "base/json_text.hpp"

#include <charconv>
#include <cmath>

namespace gibbon {
namespace {

void append_string(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (const auto byte = static_cast<unsigned char>(c); byte < 0x20 || byte == 0x7f) {
          out += "\\u00";
          out += kHex[byte >> 4];
          out += kHex[byte & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

template <typename Number>
void append_number(Number number, std::string& out) {
  char buffer[40];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, number);
  out.append(buffer, result.ptr);
}

void append_double(double number, std::string& out) {
  if (!std::isfinite(number)) {  // JSON has no such number.
    out += "null";
  } else if (number == std::floor(number) && std::fabs(number) < 1e15) {
    append_number(static_cast<std::int64_t>(number), out);
  } else {
    append_number(number, out);
  }
}

}  // namespace

void append_text(const json::value& value, std::string& out) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      return;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      return;
    case json::kind::int64:
      append_number(value.get_int64(), out);
      return;
    case json::kind::uint64:
      append_number(value.get_uint64(), out);
      return;
    case json::kind::double_:
      append_double(value.get_double(), out);
      return;
    case json::kind::string:
      append_string(value.get_string(), out);
      return;
    case json::kind::array: {
      char separator = '[';
      for (const json::value& element : value.get_array()) {
        out += separator;
        separator = ',';
        append_text(element, out);
      }
      out += separator == '[' ? "[]" : "]";
      return;
    }
    case json::kind::object: {
      char separator = '{';
      for (const auto& [key, member] : value.get_object()) {
        out += separator;
        separator = ',';
        append_string(key, out);
        out += ':';
        append_text(member, out);
      }
      out += separator == '{' ? "{}" : "}";
      return;
    }
  }
}

std::string to_text(const json::value& value) {
  std::string out;
  append_text(value, out);
  return out;
}

}  // namespace gibbon
