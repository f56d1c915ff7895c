#include "transform.hpp"

#include "../common/json_object.hpp"
#include "../common/pair.hpp"
#include "multipart.hpp"

namespace transformers {
namespace {

constexpr const char* kFailed = "[request-transformer] failed to render the template ";

/// Calls `apply(name, value)` for each rule that has a value.
template <typename Apply>
void each(const Rules& rules, Environment& environment, Apply apply) {
  for (const Rule& rule : rules) {
    if (rule.value.empty()) continue;
    std::string value;
    try {
      value = rule.value.render(environment);
    } catch (const RenderError& e) {
      throw RenderError(kFailed + rule.value.source() + ", error:" + e.what());
    }
    apply(rule.name, std::move(value));
  }
}

/// Applies the rules to a body that has arguments' or members' names. `set` and `append` take a rendered value.
/// `old`: rules for what is there apply as well. True where something was changed.
template <typename Body, typename Value>
bool change(const Changes& changes, Environment& environment, Body& body, bool old, Value as_value) {
  bool changed = false;
  if (old) {
    for (const Rule& rule : changes.remove) body.remove(rule.name), changed = true;
    each(changes.rename, environment, [&](const std::string& from, const std::string& to) {
      changed = body.rename_if(from, to) || changed;
    });
    each(changes.replace, environment, [&](const std::string& name, const std::string& value) {
      if (body.holds(name)) body.set(name, as_value(value)), changed = true;
    });
  }
  each(changes.add, environment, [&](const std::string& name, const std::string& value) {
    if (!body.holds(name)) body.set(name, as_value(value)), changed = true;
  });
  each(changes.append, environment, [&](const std::string& name, const std::string& value) {
    body.append(name, as_value(value)), changed = true;
  });
  return changed;
}

struct JsonBody : JsonObject {
  using JsonObject::JsonObject;
  bool rename_if(const std::string& from, const std::string& to) {
    if (from == to || !holds(from)) return false;
    rename(from, to);
    return true;
  }
};

struct FormBody : Arguments {
  using Arguments::Arguments;
  bool rename_if(const std::string& from, const std::string& to) { return rename(from, to); }
  [[nodiscard]] bool holds(const std::string& name) const { return find(name) != nullptr; }
};

std::optional<std::string> transform_json(const Changes& changes, Environment& environment, std::string_view body) {
  JsonBody object;
  if (!body.empty()) {
    const std::optional<JsonKind> kind = json_kind(body);
    if (!kind || *kind == JsonKind::kArray) return std::nullopt;
    if (*kind == JsonKind::kOther) throw RenderError("[request-transformer] the body is neither an object nor an array");
    object = JsonBody(body);
  }
  if (!change(changes, environment, object, !body.empty(), json_string)) return std::nullopt;
  return object.text();
}

std::optional<std::string> transform_form(const Changes& changes, Environment& environment, std::string_view body) {
  FormBody form(body);
  const auto as_it_is = [](const std::string& value) { return value; };
  if (!change(changes, environment, form, !body.empty(), as_it_is)) return std::nullopt;
  return form.encoded();
}

/// Renaming comes before removing, and nothing is appended: as Kong does it.
std::optional<std::string> transform_multipart(const Changes& changes, Environment& environment,
                                               std::string_view content_type, std::string_view body) {
  std::string boundary = multipart_boundary(content_type);
  if (boundary.empty()) return std::nullopt;
  Multipart parts(body, std::move(boundary));
  bool changed = false;
  if (!body.empty()) {
    each(changes.rename, environment, [&](const std::string& from, const std::string& to) {
      changed = parts.rename(from, to) || changed;
    });
    for (const Rule& rule : changes.remove) parts.remove(rule.name), changed = true;
    each(changes.replace, environment, [&](const std::string& name, const std::string& value) {
      if (!parts.holds(name)) return;
      parts.remove(name);
      parts.set(name, value);
      changed = true;
    });
  }
  each(changes.add, environment, [&](const std::string& name, const std::string& value) {
    if (!parts.holds(name)) parts.set(name, value), changed = true;
  });
  if (!changed) return std::nullopt;
  return parts.text();
}

}  // namespace

Rules make_rules(const std::vector<std::string>& pairs) {
  Rules rules;
  for (Pair& pair : split_pairs(pairs)) rules.push_back({std::move(pair.name), Template(pair.value)});
  return rules;
}

std::optional<std::string> check_template(std::string_view text) {
  try {
    const Template compiled(text);
    return std::nullopt;
  } catch (const TemplateError& e) {
    return "value '" + std::string(text) + "' is not in supported format, error:" + e.what();
  }
}

std::optional<std::string> check_value(std::string_view text) {
  const std::optional<Pair> pair = split_pair(text);
  if (!pair || pair->value.empty()) return "key '" + (pair ? pair->name : std::string()) + "' has no value";
  return check_template(pair->value);
}

BodyKind body_kind(std::string_view content_type) {
  std::string type(content_type);
  for (char& c : type)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  if (type.find("application/json") != type.npos) return BodyKind::kJson;
  if (type.find("multipart/form-data") != type.npos) return BodyKind::kMultipart;
  if (type.find("application/x-www-form-urlencoded") != type.npos) return BodyKind::kForm;
  return BodyKind::kOther;
}

void transform_headers(const Changes& changes, Environment& environment, Headers& headers) {
  for (const Rule& rule : changes.remove) headers.remove(rule.name);
  const auto with = [&](const Rules& rules, void (Headers::*method)(std::string_view, std::string_view)) {
    each(rules, environment, [&](const std::string& name, const std::string& value) { (headers.*method)(name, value); });
  };
  with(changes.rename, &Headers::rename);
  with(changes.replace, &Headers::replace);
  with(changes.add, &Headers::add);
  with(changes.append, &Headers::append);
}

void transform_query(const Changes& changes, Environment& environment, Arguments& query) {
  for (const Rule& rule : changes.remove) query.remove(rule.name);
  each(changes.rename, environment, [&](const std::string& from, const std::string& to) { query.rename(from, to); });
  each(changes.replace, environment, [&](const std::string& name, std::string value) {
    if (query.find(name) != nullptr) query.set(name, std::move(value));
  });
  each(changes.add, environment, [&](const std::string& name, std::string value) {
    if (query.find(name) == nullptr) query.set(name, std::move(value));
  });
  each(changes.append, environment, [&](const std::string& name, std::string value) {
    query.append(name, std::move(value));
  });
}

std::optional<std::string> transform_body(const Changes& changes, Environment& environment,
                                          std::string_view content_type, std::string_view body) {
  if (changes.empty()) return std::nullopt;
  switch (body_kind(content_type)) {
    case BodyKind::kJson: return transform_json(changes, environment, body);
    case BodyKind::kForm: return transform_form(changes, environment, body);
    case BodyKind::kMultipart: return transform_multipart(changes, environment, content_type, body);
    case BodyKind::kOther: break;
  }
  return std::nullopt;
}

}  // namespace transformers
