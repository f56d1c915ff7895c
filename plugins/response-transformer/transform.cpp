#include "transform.hpp"

#include <algorithm>
#include <cmath>

#include "../common/json_object.hpp"
#include "../common/number.hpp"
#include "gibbon/json.hpp"

namespace transformers {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_name(std::string_view a, std::string_view b) {
  const auto fold = [](char c) { return c == '_' ? '-' : lower(c); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return fold(x) == fold(y); });
}

bool holds(const HeaderPairs& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& h) { return same_name(h.first, name); });
}

void rename(const Pair& rule, const HeaderPairs& headers, std::vector<HeaderStep>& steps) {
  if (rule.value.empty() || !holds(headers, rule.name)) return;
  HeaderStep::Kind kind = HeaderStep::Kind::kSet;
  std::vector<HeaderStep> set;
  for (const auto& [name, value] : headers) {
    if (!same_name(name, rule.name)) continue;
    set.push_back({kind, rule.value, value});
    kind = HeaderStep::Kind::kAdd;
  }
  steps.push_back({HeaderStep::Kind::kClear, rule.name});
  steps.insert(steps.end(), set.begin(), set.end());
}

/// Reads a media type (RFC 9110 section 8.3.1), part by part.
class MediaType {
 public:
  explicit MediaType(std::string_view text) : text_(text) {}

  bool is_json() {
    const std::string type = token();
    if (!took('/')) return false;
    const std::string subtype = token();
    if (type != "application" || subtype.empty() || !parameters()) return false;
    return subtype == "json" || subtype.ends_with("+json");
  }

 private:
  bool took(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  std::string token() {
    constexpr std::string_view kSeparators = "()<>@,;:\\\"/[]?={} \t";
    std::string out;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c <= 0x20 || c == 0x7f || kSeparators.find(c) != kSeparators.npos) break;
      out += lower(c);
    }
    return out;
  }
  bool quoted() {
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    return took('"');
  }
  /// All that is left is parameters.
  bool parameters() {
    while (at_ < text_.size()) {
      spaces();
      if (!took(';')) return false;
      spaces();
      if (token().empty() || !took('=')) return false;
      if (took('"') ? !quoted() : token().empty()) return false;
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string_view stripped(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n\v\f");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n\v\f") + 1 - begin);
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) text.replace(at, from.size(), to);
}

/// A text with the escapes that it has within JSON, but for quotes: Kong stores values so.
std::string with_escapes(std::string_view value) {
  std::string text = json_string(value);
  text = text.substr(1, text.size() - 2);
  replace_all(text, "\\\"", "\"");
  return text;
}

}  // namespace

std::vector<HeaderStep> header_steps(const HeaderRules& rules, const HeaderPairs& headers) {
  using Kind = HeaderStep::Kind;
  std::vector<HeaderStep> steps;
  for (const Pair& rule : rules.remove) steps.push_back({Kind::kClear, rule.name});
  for (const Pair& rule : rules.rename) rename(rule, headers, steps);
  for (const Pair& rule : rules.replace)
    if (!rule.value.empty() && holds(headers, rule.name)) steps.push_back({Kind::kSet, rule.name, rule.value});
  for (const Pair& rule : rules.add)
    if (!rule.value.empty() && !holds(headers, rule.name)) steps.push_back({Kind::kSet, rule.name, rule.value});
  for (const Pair& rule : rules.append)
    if (!rule.value.empty()) steps.push_back({Kind::kAdd, rule.name, rule.value});
  return steps;
}

bool is_json_type(std::string_view content_type) {
  while (!content_type.empty()) {
    const std::string_view one = content_type.substr(0, content_type.find(','));
    content_type.remove_prefix(std::min(one.size() + 1, content_type.size()));
    if (MediaType(stripped(one)).is_json()) return true;
  }
  return false;
}

JsonText json_value(std::string_view value, std::string_view type) {
  const std::string text = value.empty() ? "null" : with_escapes(value);
  if (type == "boolean") return text == "true" ? "true" : "false";
  if (type != "number") return json_string(text);
  if (is_json_number(text)) return text;
  const std::optional<double> number = to_number(text);
  if (!number || !std::isfinite(*number)) return std::nullopt;
  std::string out;
  gibbon::append_json_number(out, *number);
  return out;
}

std::vector<JsonRule> json_rules(const std::vector<std::string>& pairs, const std::vector<std::string>& types) {
  std::vector<JsonRule> rules;
  for (std::size_t i = 0; i < pairs.size(); ++i)
    if (const std::optional<Pair> pair = split_pair(pairs[i]))
      rules.push_back({pair->name, json_value(pair->value, i < types.size() ? types[i] : std::string())});
  return rules;
}

std::optional<std::string> transform_json(const JsonRules& rules, std::string_view body) {
  const std::optional<JsonKind> kind = json_kind(body);
  if (!kind || *kind == JsonKind::kOther) return std::nullopt;
  if (*kind == JsonKind::kArray) return std::string(body);
  JsonObject object(body);
  for (const Pair& rule : rules.remove) object.remove(rule.name);
  for (const Pair& rule : rules.rename)
    if (!rule.value.empty()) object.rename(rule.name, rule.value);
  for (const JsonRule& rule : rules.replace)
    if (rule.json && object.holds(rule.name)) object.set(rule.name, *rule.json);
  for (const JsonRule& rule : rules.add)
    if (rule.json && !object.holds(rule.name)) object.set(rule.name, *rule.json);
  for (const JsonRule& rule : rules.append)
    if (rule.json) object.append(rule.name, *rule.json);
  return object.text();
}

}  // namespace transformers
