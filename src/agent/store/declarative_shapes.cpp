#include "agent/store/declarative_shapes.hpp"

#include <algorithm>

#include "agent/store/declarative_document.hpp"
#include "schema/uri.hpp"

namespace gibbon::agent {
namespace {

bool is_plain(std::string_view path) {
  return std::all_of(path.begin(), path.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_~/%").find(c) != std::string_view::npos;
  });
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Patterns are not decoded any more when they are matched: what is escaped in them and means nothing special
/// is decoded here, and quoted where the pattern would take it for more than itself.
std::string decode_pattern(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool escape = pattern[i] == '%' && i + 2 < pattern.size() && hex_digit(pattern[i + 1]) >= 0 &&
                        hex_digit(pattern[i + 2]) >= 0;
    if (!escape) {
      out += pattern[i];
      continue;
    }
    const char decoded = static_cast<char>(hex_digit(pattern[i + 1]) * 16 + hex_digit(pattern[i + 2]));
    if (std::string_view("!#$%&'()*+,/:;=?@[]").find(decoded) != std::string_view::npos) {
      for (const char c : pattern.substr(i, 3)) out += c >= 'a' && c <= 'f' ? static_cast<char>(c - 0x20) : c;
    } else {
      if (std::string_view(".^-{}\\|").find(decoded) != std::string_view::npos) out += '\\';
      out += decoded;
    }
    i += 2;
  }
  return out;
}

void upgrade_routes(json::object& holder) {
  auto* routes = holder.if_contains("routes");
  if (routes == nullptr || !routes->is_array()) return;
  for (auto& route : routes->get_array()) {
    auto* paths = route.is_object() ? route.get_object().if_contains("paths") : nullptr;
    if (paths == nullptr || !paths->is_array()) continue;
    for (auto& path : paths->get_array()) {
      if (!path.is_string()) continue;
      const std::string text(path.get_string());
      path = is_plain(text) ? schema::normalize_path(text) : "~" + decode_pattern(text);
    }
  }
}

std::string line(const std::string& indent, std::string_view key, const json::value& value);

void append(std::string& out, const std::string& text) {
  if (text.empty()) return;
  if (!out.empty()) out += '\n';
  out += text;
}

std::string lines(const json::value& errors, std::string_view item, const std::string& indent) {
  std::string out;
  if (const auto* list = errors.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i)
      if (!(*list)[i].is_null())
        append(out, line(indent, "- in entry " + std::to_string(i + 1) + " of '" + std::string(item) + "'",
                         (*list)[i]));
  } else if (const auto* object = errors.if_object()) {
    for (const auto& member : *object)
      append(out, line(indent, "in '" + std::string(member.key()) + "'", member.value()));
  }
  return out;
}

std::string line(const std::string& indent, std::string_view key, const json::value& value) {
  const auto head = indent + std::string(key) + ":";
  if (value.is_string()) return head + " " + std::string(value.get_string());
  const auto quote = key.find('\'');
  return head + "\n" + lines(value, key.substr(quote + 1, key.rfind('\'') - quote - 1), indent + "  ");
}

}  // namespace

void upgrade_declarative(json::object& root) {
  auto* version = root.if_contains("_format_version");
  if (version == nullptr || (*version != json::value("1.1") && *version != json::value("2.1"))) return;
  upgrade_routes(root);
  if (auto* services = root.if_contains("services"); services != nullptr && services->is_array())
    for (auto& service : services->get_array())
      if (service.is_object()) upgrade_routes(service.get_object());
  *version = "3.0";
}

std::string place(std::size_t index) { return std::string(1, '\0') + std::to_string(index); }

json::value settle_places(json::value value) {
  auto* object = value.if_object();
  if (object == nullptr) return value;
  const auto is_place = [](const auto& member) { return std::string_view(member.key()).starts_with('\0'); };
  const bool is_list = !object->empty() && std::all_of(object->begin(), object->end(), is_place);
  json::array list;
  json::object named;
  for (auto& member : *object) {
    const std::string key(std::string_view(member.key()).substr(is_place(member) ? 1 : 0));
    auto settled = settle_places(std::move(member.value()));
    if (!is_list) {
      named[key] = std::move(settled);
      continue;
    }
    const auto index = static_cast<std::size_t>(std::stoul(key));
    if (list.size() < index) list.resize(index);
    list[index - 1] = std::move(settled);
  }
  if (is_list) return list;
  return named;
}

std::string errors_as_text(const json::object& errors) { return lines(errors, "", ""); }

// Of a node and what is nested in it, in the shape of the document.
json::value DeclarativeDocument::tree(const Node& node) {
  json::value error = node.error;
  const auto nest = [&](std::string_view name, json::value value) {
    if (value.is_null()) return;
    if (!error.is_object()) error = json::object();
    error.get_object()[name] = std::move(value);
  };
  for (const auto name : node.bad_lists) nest(name, "expected an array");
  for (const auto& [name, children] : node.children) nest(name, tree(children));
  return error;
}

json::value DeclarativeDocument::tree(const Nodes& nodes) {
  json::array errors;
  for (const auto* node : nodes) {
    auto error = tree(*node);
    if (error.is_null()) continue;
    errors.resize(node->index);
    errors.back() = std::move(error);
  }
  if (errors.empty()) return nullptr;
  return errors;
}

void DeclarativeDocument::add_trees(json::object& errors) const {
  for (const auto& [name, message] : bad_sections_) errors[name] = message;
  for (const auto& [name, nodes] : top_)
    if (auto section = tree(nodes); !section.is_null()) errors[name] = std::move(section);
}

}  // namespace gibbon::agent
