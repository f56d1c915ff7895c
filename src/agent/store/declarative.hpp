#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/store/catalog.hpp"
#include "agent/store/error.hpp"
#include "agent/store/image.hpp"
#include "base/result.hpp"

/// The declarative configuration: one document with everything in it. Entities stand in arrays at the top or
/// nested under the entity that they belong to; references are names or ids; ids that are not given are
/// derived from the names as Kong derives them, so that the same file makes the same ids everywhere.
namespace gibbon::agent {

/// How errors about entities are shown: in the document's own shape, or as a list (POST
/// /config?flatten_errors=1).
enum class ErrorShape { kNested, kFlattened };

struct DeclarativeError {
  StoreError error;
  std::string text;  ///< For people and logs: a problem per line.
  json::array
      flattened;  ///< ErrorShape::kFlattened: {errors, entity, entity_type, entity_name?, entity_id?, ...}
  ErrorShape shape = ErrorShape::kNested;
  [[nodiscard]] json::object to_json() const;
};

struct Declarative {
  Image image;
  /// What went wrong; `image` means nothing then.
  std::unique_ptr<DeclarativeError> error;
  [[nodiscard]] bool ok() const { return error == nullptr; }
};

/// The document in a text: JSON, else YAML. Nothing but an object is one.
/// Errors: Kong's words, "failed parsing declarative configuration: ...", with line and column.
Result<json::object> parse_declarative(std::string_view text);
/// Reads a document. All problems are reported together.
Declarative load_declarative(json::object document, const Catalog& catalog,
                             ErrorShape shape = ErrorShape::kNested);
/// Both.
Declarative load_declarative_text(std::string_view text, const Catalog& catalog,
                                  ErrorShape shape = ErrorShape::kNested);
/// A file: its name says whether it is JSON or YAML. Leaves what it read in `text`.
Declarative load_declarative_file(const std::string& path, const Catalog& catalog, std::string& text);

/// The document that describes `image`, flat, foreign keys as ids, `_format_version` "3.0".
json::object export_declarative(const Image& image);

/// MD5 of the text in hexadecimal digits: /status's configuration_hash; thirty-two zeros where there is none.
std::string configuration_hash(std::string_view text);
inline constexpr const char* kEmptyConfigurationHash = "00000000000000000000000000000000";

}  // namespace gibbon::agent
