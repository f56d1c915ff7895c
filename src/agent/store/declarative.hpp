#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/store/catalog.hpp"
#include "agent/store/error.hpp"
#include "agent/store/image.hpp"

/// The declarative configuration: one document with everything in it. Entities stand in arrays at the top or
/// nested under the entity that they belong to; references are names or ids; ids that are not given are
/// derived from the names as Kong derives them, so that the same file makes the same ids everywhere.
namespace gibbon::agent {

/// How errors about entities are shown: in the document's own shape, or as a list (POST
/// /config?flatten_errors=1).
enum class ErrorShape { kNested, kFlattened };

struct DeclarativeError {
  StoreError error;
  json::array
      flattened;  ///< ErrorShape::kFlattened: {errors, entity, entity_type, entity_name?, entity_id?, ...}
  ErrorShape shape = ErrorShape::kNested;
  [[nodiscard]] json::object to_json() const;
  /// For people and logs: one problem per line.
  [[nodiscard]] std::string to_text() const;
};

struct Declarative {
  Image image;
  /// What went wrong; `image` means nothing then.
  std::unique_ptr<DeclarativeError> error;
  [[nodiscard]] bool ok() const { return error == nullptr; }
};

/// Reads a document. All problems are reported together.
Declarative load_declarative(const json::value& document, const Catalog& catalog,
                             ErrorShape shape = ErrorShape::kNested);
/// The same from YAML or JSON text; a syntax error says line and column.
Declarative load_declarative_text(std::string_view text, const Catalog& catalog,
                                  ErrorShape shape = ErrorShape::kNested);

/// The document that describes `image`, flat, foreign keys as ids, `_format_version` "3.0".
json::object export_declarative(const Image& image);

/// MD5 of the text in hexadecimal digits: /status's configuration_hash; thirty-two zeros where there is none.
std::string configuration_hash(std::string_view text);
inline constexpr const char* kEmptyConfigurationHash = "00000000000000000000000000000000";

}  // namespace gibbon::agent
