#include "agent/store/declarative.hpp"

#include <openssl/evp.h>

#include <array>
#include <functional>

#include "agent/store/declarative_document.hpp"
#include "agent/store/yaml.hpp"

namespace gibbon::agent {
namespace {

void append_lines(const std::string& path, const json::value& error, std::string& out) {
  if (const auto* object = error.if_object()) {
    for (const auto& [key, value] : *object)
      append_lines(path.empty() ? std::string(key) : path + "." + std::string(key), value, out);
  } else if (const auto* array = error.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i)
      append_lines(path + "[" + std::to_string(i + 1) + "]", (*array)[i], out);
  } else if (const auto* text = error.if_string()) {
    if (!out.empty()) out += '\n';
    out += path + ": ";
    out += *text;
  }
}

Declarative failure(json::object fields) {
  Declarative result;
  result.error =
      std::make_unique<DeclarativeError>(DeclarativeError{invalid_declarative(std::move(fields)), {}, {}});
  return result;
}

/// The fields of the document itself, besides the collections.
json::object check_header(const Collections& collections, const json::object& document) {
  json::object errors;
  const auto expect = [&](const char* key, bool (*right)(const json::value&), const char* message) {
    const auto* value = document.if_contains(key);
    if (value != nullptr && !value->is_null() && !right(*value)) errors[key] = message;
  };
  expect(
      "_transform", [](const json::value& v) { return v.is_bool(); }, "expected a boolean");
  expect(
      "_comment", [](const json::value& v) { return v.is_string(); }, "expected a string");
  expect(
      "_ignore", [](const json::value& v) { return v.is_array(); }, "expected an array");
  const auto* version = document.if_contains("_format_version");
  if (version == nullptr || version->is_null()) {
    errors["_format_version"] = "required field missing";
  } else if (!version->is_string()) {
    errors["_format_version"] = "expected a string";
  } else if (const auto& text = version->get_string(); text != "1.1" && text != "2.1" && text != "3.0") {
    errors["_format_version"] = "expected one of: 1.1, 2.1, 3.0";
  }
  for (const auto& member : document) {
    const std::string_view key = member.key();
    if (!key.starts_with('_')
            ? collections.find(key) == nullptr
            : key != "_format_version" && key != "_transform" && key != "_comment" && key != "_ignore")
      errors[key] = "unknown field";
  }
  return errors;
}

}  // namespace

json::object DeclarativeError::to_json() const {
  auto body = error.to_json();
  if (shape == ErrorShape::kFlattened) body["flattened_errors"] = flattened;
  return body;
}

std::string DeclarativeError::to_text() const {
  std::string out;
  if (error.fields) append_lines("", *error.fields, out);
  for (const auto& entry : flattened) append_lines("", entry.at("errors"), out);
  return out.empty() ? error.message : out;
}

Declarative load_declarative(const json::value& value, const Catalog& catalog, ErrorShape shape) {
  if (!value.is_object())
    return failure({{"error", "failed parsing declarative configuration: expected an object"}});
  const auto& root = value.get_object();
  auto errors = check_header(catalog.collections(), root);
  DeclarativeDocument document(root, catalog.shared_collections());
  document.check(catalog);
  document.add_errors(errors);
  Declarative result;
  if (errors.empty()) {
    errors = document.broken_references();
    if (errors.empty()) {
      result.image = document.take_image();
      return result;
    }
  }
  auto error = std::make_unique<DeclarativeError>();
  error->shape = shape;
  if (shape == ErrorShape::kFlattened) error->flattened = document.flatten_errors(errors);
  error->error = invalid_declarative(std::move(errors));
  result.error = std::move(error);
  return result;
}

Declarative load_declarative_text(std::string_view text, const Catalog& catalog, ErrorShape shape) {
  auto document = parse_yaml(text);
  if (!document.ok())
    return failure({{"error", "failed parsing declarative configuration: " + document.error().message}});
  return load_declarative(*document, catalog, shape);
}

json::object export_declarative(const Image& image) {
  json::object document{{"_format_version", "3.0"}, {"_transform", false}};
  for (const auto& collection : image.collections()) {
    json::array entities;
    for (const auto& [id, row] : image.rows(collection.name)) {
      auto entity = *row;
      for (const auto& foreign : collection.foreign)
        if (const auto parent = std::string(foreign_id(*row, foreign.field)); !parent.empty())
          entity[foreign.field] = parent;
      entities.push_back(std::move(entity));
    }
    if (!entities.empty()) document[collection.name] = std::move(entities);
  }
  return document;
}

std::string configuration_hash(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hash;
  for (unsigned int i = 0; i < size; ++i) {
    hash += kDigits[digest[i] >> 4];
    hash += kDigits[digest[i] & 15];
  }
  return hash;
}

}  // namespace gibbon::agent
