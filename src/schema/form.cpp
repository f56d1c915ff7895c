#include "schema/form.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "schema/literals.hpp"
#include "schema/records.hpp"

namespace gibbon::schema {
namespace {

/// One step of a dotted name: a member, or an element ("[]" appends, "[2]" has its place).
struct Step {
  bool is_index = false;
  std::size_t index = 0;  ///< From 1; 0 appends.
  std::string name;
};

/// What a form says about one name: texts, elements, members; usually only one of the three.
struct Node {
  std::vector<std::string> texts;
  std::vector<std::pair<std::size_t, Node>> elements;
  std::vector<std::pair<std::string, Node>> members;
};

std::optional<std::size_t> parse_index(std::string_view text) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || index == 0) return {};
  return index;
}

/// Deeper names are taken as one plain name: no schema has such a field, and no input may grow the stack.
constexpr std::size_t kMaxSteps = 32;

/// "config.headers.x-a[]" to its steps; an ill-formed name is one step.
std::vector<Step> parse_name(std::string_view name) {
  if (name.starts_with('.') || name.ends_with('.')) return {{.name = std::string(name)}};
  std::vector<Step> steps;
  std::size_t at = 0;
  while (at < name.size()) {
    if (name[at] == '.') {
      ++at;
    } else if (name[at] == '[' && at > 0) {
      const std::size_t close = name.find(']', at);
      if (close == std::string_view::npos) return {{.name = std::string(name)}};
      const std::string_view inside = name.substr(at + 1, close - at - 1);
      if (inside.empty()) {
        steps.push_back({.is_index = true});
      } else if (const auto index = parse_index(inside)) {
        steps.push_back({.is_index = true, .index = *index});
      } else {
        steps.push_back({.name = std::string(inside)});
      }
      at = close + 1;
    } else {
      const std::size_t end = std::min(name.find_first_of(".[", at + 1), name.size());
      steps.push_back({.name = std::string(name.substr(at, end - at))});
      at = end;
    }
    if (steps.size() > kMaxSteps) return {{.name = std::string(name)}};
  }
  return steps;
}

template <typename Key>
Node& child(std::vector<std::pair<Key, Node>>& children, const Key& key) {
  const auto found =
      std::find_if(children.begin(), children.end(), [&](const auto& c) { return c.first == key; });
  if (found != children.end()) return found->second;
  return children.emplace_back(key, Node{}).second;
}

std::size_t next_index(const Node& node) {
  std::size_t highest = 0;
  for (const auto& [index, element] : node.elements) highest = std::max(highest, index);
  return highest + 1;
}

Node& descend(Node& node, const Step& step, bool is_last) {
  if (!step.is_index) return child(node.members, step.name);
  // Inside a name, "[]" means the first element; at its end, a new one.
  const std::size_t index = step.index != 0 ? step.index : is_last ? next_index(node) : 1;
  return child(node.elements, index);
}

bool is_sequence(const Node& node) {
  return std::all_of(node.elements.begin(), node.elements.end(),
                     [&](const auto& element) { return element.first <= node.elements.size(); });
}

json::value to_value(const Node& node) {
  if (!node.members.empty() || (!node.elements.empty() && node.texts.empty() && !is_sequence(node))) {
    json::object object;
    for (const auto& [index, element] : node.elements) object[std::to_string(index)] = to_value(element);
    for (const auto& [name, member] : node.members) object[name] = to_value(member);
    return object;
  }
  if (node.elements.empty() && node.texts.size() == 1) return json::value(node.texts.front());
  json::array array;
  for (const std::string& text : node.texts) array.emplace_back(text);
  auto elements = node.elements;
  std::sort(elements.begin(), elements.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [index, element] : elements) array.push_back(to_value(element));
  return array;
}

/// As Lua's tonumber: decimal or hexadecimal, blanks around it; no "inf" or "nan".
std::optional<json::value> parse_number(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n\v\f");
  if (begin == std::string::npos || text.find_first_of("iInN", begin) != std::string::npos) return {};
  char* end = nullptr;
  const double number = std::strtod(text.c_str() + begin, &end);
  if (end == text.c_str() + begin) return {};
  if (text.find_first_not_of(" \t\r\n\v\f", static_cast<std::size_t>(end - text.c_str())) !=
      std::string::npos) {
    return {};
  }
  return simplest_number(json::value(number));
}

void convert(json::value& value, const Field& field);

void convert_members(json::object& object, const Field& record) {
  const Subschema* subschema = select_subschema(record, object);
  for (auto& member : object) {
    if (const Field* row = find_row(record, subschema, member.key())) convert(member.value(), *row);
    for (const Shorthand& shorthand : record.shorthands) {
      if (member.key() == shorthand.name) convert(member.value(), shorthand.value);
    }
  }
}

void convert_text(json::value& value, const Field& field) {
  const std::string text(value.get_string());
  if (text.empty()) {
    value = nullptr;
  } else if (field.type == FieldType::kNumber || field.type == FieldType::kInteger) {
    if (const auto number = parse_number(text)) value = *number;
  } else if (field.type == FieldType::kBoolean) {
    if (text == "true" || text == "false") value = text == "true";
  } else if (field.type == FieldType::kArray || field.type == FieldType::kSet) {
    value = json::array{json::value(text)};
    convert(value, field);
  }
}

void convert(json::value& value, const Field& field) {
  if (value.is_string()) {
    convert_text(value, field);
  } else if (value.is_array()) {
    const bool is_list = field.type == FieldType::kArray || field.type == FieldType::kSet;
    if (!is_list || field.element.empty()) return;
    for (json::value& element : value.get_array()) convert(element, field.element.front());
  } else if (value.is_object()) {
    if (field.type == FieldType::kRecord && !field.is_abstract) {
      convert_members(value.get_object(), field);
    } else if (field.type == FieldType::kMap && !field.element.empty()) {
      for (auto& member : value.get_object()) convert(member.value(), field.element.front());
    } else if (field.type == FieldType::kForeign) {
      for (auto& member : value.get_object()) convert(member.value(), fields::string());
    }
  }
}

}  // namespace

json::object from_form(const Schema& schema, const std::vector<std::pair<std::string, std::string>>& fields) {
  Node root;
  for (const auto& [name, text] : fields) {
    const std::vector<Step> steps = parse_name(name);
    if (steps.empty()) continue;
    Node* node = &root;
    for (std::size_t i = 0; i < steps.size(); ++i) node = &descend(*node, steps[i], i + 1 == steps.size());
    node->texts.push_back(text);
  }
  json::object object;
  for (const auto& [name, member] : root.members) object[name] = to_value(member);
  convert_members(object, schema);
  return object;
}

}  // namespace gibbon::schema
