#include "agent/store/yaml.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

#include "base/json_text.hpp"

namespace gibbon::agent {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 5'000'000;

std::string at(const YAML::Mark& mark, std::string_view what) {
  return mark.is_null() ? std::string(what) : fmt::format("{}:{}: {}", mark.line + 1, mark.column + 1, what);
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const auto word : words)
    if (text == word) return true;
  return false;
}

std::optional<json::value> parse_number(std::string_view text) {
  bool negative = false;
  auto digits = text;
  if (digits.starts_with('-') || digits.starts_with('+')) {
    negative = digits.front() == '-';
    digits.remove_prefix(1);
  }
  if (digits.empty()) return std::nullopt;
  int base = 10;
  auto whole = digits;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    base = 16;
    whole.remove_prefix(2);
  } else if (digits.size() > 1 && digits[0] == '0' &&
             digits.find_first_not_of("01234567") == std::string_view::npos) {
    base = 8;
  }
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), number, base);
  if (!whole.empty() && whole.front() != '-' && error == std::errc() && end == whole.data() + whole.size())
    return negative ? -number : number;
  if (one_of(digits, {".inf", ".Inf", ".INF"}) || text == ".nan") return std::nullopt;
  // Floats have a digit first, or a dot and a digit; "1.2.3" and "12abc" are text.
  if (digits.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return std::nullopt;
  if (digits[0] != '.' && (digits[0] < '0' || digits[0] > '9')) return std::nullopt;
  double real = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), real);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
  if (negative) real = -real;
  // As in Lua, a whole number is one however it was written.
  if (real == std::floor(real) && std::abs(real) < 9007199254740992.0) return static_cast<std::int64_t>(real);
  return real;
}

/// What a plain (unquoted) scalar means.
json::value parse_plain(std::string_view text) {
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
  if (one_of(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})) return true;
  if (one_of(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})) return false;
  if (auto number = parse_number(text)) return *number;
  return json::value(text);
}

class Converter {
 public:
  json::value convert(const YAML::Node& node, int depth) {
    if (depth > kMaxDepth) throw YAML::Exception(node.Mark(), "nested too deeply");
    if (++nodes_ > kMaxNodes) throw YAML::Exception(node.Mark(), "too large when its aliases are resolved");
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return scalar(node);
      case YAML::NodeType::Sequence: {
        json::array array;
        for (const auto& element : node) array.push_back(convert(element, depth + 1));
        return array;
      }
      case YAML::NodeType::Map:
        return map(node, depth);
      default:
        return nullptr;
    }
  }

 private:
  static json::value scalar(const YAML::Node& node) {
    const auto& tag = node.Tag();
    const auto& text = node.Scalar();
    if (tag == "!" || tag == "tag:yaml.org,2002:str") return json::value(text);
    return parse_plain(text);
  }

  json::value map(const YAML::Node& node, int depth) {
    json::object object, merged;
    for (const auto& member : node) {
      if (!member.first.IsScalar()) throw YAML::Exception(member.first.Mark(), "a key must be text");
      const auto& key = member.first.Scalar();
      auto value = convert(member.second, depth + 1);
      if (key == "<<" && member.first.Tag() != "!") {
        const auto absorb = [&](const json::value& source) {
          if (!source.is_object()) throw YAML::Exception(member.second.Mark(), "a merge key needs a mapping");
          for (const auto& [name, inherited] : source.get_object()) merged.emplace(name, inherited);
        };
        if (const auto* list = value.if_array()) {
          for (const auto& source : *list) absorb(source);
        } else {
          absorb(value);
        }
      } else {
        object[key] = std::move(value);
      }
    }
    for (auto& [name, inherited] : merged) object.emplace(name, inherited);
    return object;
  }

  std::size_t nodes_ = 0;
};

void emit(const json::value& value, YAML::Emitter& out) {
  if (const auto* text = value.if_string()) {
    const std::string copy(*text);
    if (!parse_plain(copy).is_string() || copy == "<<") {
      out << YAML::SingleQuoted << copy;
    } else {
      out << copy;
    }
  } else if (const auto* array = value.if_array()) {
    if (array->empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const auto& element : *array) emit(element, out);
    out << YAML::EndSeq;
  } else if (const auto* object = value.if_object()) {
    if (object->empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& [key, member] : *object) {
      out << YAML::Key;
      emit(json::value(key), out);
      out << YAML::Value;
      emit(member, out);
    }
    out << YAML::EndMap;
  } else if (value.is_null()) {
    out << YAML::Null;
  } else {
    out << to_text(value);
  }
}

}  // namespace

Result<json::value> parse_yaml(std::string_view text) {
  try {
    const auto documents = YAML::LoadAll(std::string(text));
    if (documents.empty()) return json::value(nullptr);
    if (documents.size() > 1)
      return Error{at(documents[1].Mark(), "one document is expected, there are more"), ""};
    return Converter().convert(documents[0], 0);
  } catch (const YAML::Exception& error) {
    return Error{at(error.mark, error.msg), ""};
  }
}

std::string to_yaml(const json::value& value) {
  YAML::Emitter out;
  out.SetNullFormat(YAML::TildeNull);
  out.SetSeqFormat(YAML::Block);
  emit(value, out);
  return std::string(out.c_str()) + "\n";
}

}  // namespace gibbon::agent
