#include "agent/store/declarative.hpp"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "agent/store/declarative_document.hpp"
#include "agent/store/declarative_shapes.hpp"
#include "agent/store/yaml.hpp"

namespace gibbon::agent {
namespace {

Declarative failure(const std::string& text) {
  Declarative result;
  result.error = std::make_unique<DeclarativeError>(
      DeclarativeError{invalid_declarative({{"error", text}}), text, {}, ErrorShape::kNested});
  return result;
}

Error not_parsed(std::string_view why) {
  std::string message = "failed parsing declarative configuration";
  if (!why.empty()) message += ": " + std::string(why);
  return {std::move(message), ""};
}

Result<json::object> object_of(Result<json::value> value) {
  if (!value.ok()) return not_parsed(value.error().message);
  if (!value->is_object()) return not_parsed("expected an object");
  return std::move(value->get_object());
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

Result<json::object> parse_declarative(std::string_view text) {
  boost::system::error_code failed;
  auto value = json::parse(text, failed);
  if (!failed && value.is_object()) return std::move(value.get_object());
  return object_of(parse_yaml(text));
}

Declarative load_declarative(json::object root, const Catalog& catalog, ErrorShape shape) {
  upgrade_declarative(root);
  auto header = check_header(catalog.collections(), root);
  DeclarativeDocument document(std::move(root), catalog.shared_collections());
  auto errors = document.check(catalog, std::move(header));
  Declarative result;
  if (errors.empty()) {
    result.image = document.take_image();
    return result;
  }
  auto text = errors_as_text(errors);
  json::array flattened;
  if (shape == ErrorShape::kFlattened)
    flattened = flatten_errors(catalog.collections(), document.take_root(), errors);
  result.error = std::make_unique<DeclarativeError>(
      DeclarativeError{invalid_declarative(std::move(errors)), std::move(text), std::move(flattened), shape});
  return result;
}

Declarative load_declarative_text(std::string_view text, const Catalog& catalog, ErrorShape shape) {
  auto document = parse_declarative(text);
  if (!document.ok()) return failure(document.error().message);
  return load_declarative(std::move(*document), catalog, shape);
}

Declarative load_declarative_file(const std::string& path, const Catalog& catalog, std::string& text) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::error_code ignored;
  if (!file.is_open()) return failure(path + ": " + std::strerror(errno));
  if (std::filesystem::is_directory(path, ignored)) return failure(path + ": " + std::strerror(EISDIR));
  text.assign(std::istreambuf_iterator<char>(file), {});
  if (file.bad()) return failure(path + ": " + std::strerror(EIO));
  Result<json::object> document = not_parsed("");
  if (path.ends_with("json")) {
    boost::system::error_code failed;
    auto value = json::parse(text, failed);
    document = failed ? Result<json::object>(not_parsed(failed.message())) : object_of(std::move(value));
  } else if (path.ends_with("yaml") || path.ends_with("yml")) {
    document = object_of(parse_yaml(text));
  } else {
    return failure("unknown file type: " + path + ". (Accepted types: json, yaml)");
  }
  if (!document.ok()) return failure(document.error().message);
  return load_declarative(std::move(*document), catalog);
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
