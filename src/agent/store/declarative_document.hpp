#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/store/catalog.hpp"

namespace gibbon::agent {

/// A declarative document taken apart into entities that still know where they stood, so that an error can be
/// shown there. Used once: construct, check(), then either take_image() or the errors.
///
/// Kong looks at a document in two rounds, and so does this: first at each entity by itself; where all of
/// them are right, at what they share: references, ids, unique values. Errors of one round come together.
class DeclarativeDocument {
 public:
  DeclarativeDocument(json::object root, std::shared_ptr<const Collections> collections);
  DeclarativeDocument(const DeclarativeDocument&) = delete;
  DeclarativeDocument& operator=(const DeclarativeDocument&) = delete;

  /// Gives every entity its id, validates, resolves references, and fills the image. Gives what is wrong, in
  /// the shape of the document ({"services":[null,{"host":"..."}]}); empty where nothing is. `header`: what
  /// is wrong with the document's own fields; it belongs to the first round.
  json::object check(const Catalog& catalog, json::object header);

  Image take_image() { return std::move(image_); }
  /// The document as far as it was understood: old paths renewed, ids added.
  json::object take_root() { return std::move(root_); }

 private:
  struct Node {
    const Collection* collection;
    json::object* raw = nullptr;  ///< In root_; null where the element is no object.
    json::object entity;          ///< What is validated: without what is nested in it.
    Node* parent = nullptr;
    std::string_view parent_field;
    std::size_t index = 0;  ///< In its list, from 1.
    std::string id;
    bool id_is_kongs = false;  ///< Derived as Kong does; errors show it.
    json::value error;         ///< Null, an object of violations, or a message.
    std::vector<std::pair<std::string_view, std::vector<Node*>>> children;
    std::vector<std::string_view> bad_lists;  ///< Nested collections that are no arrays.
  };
  using Nodes = std::vector<Node*>;
  /// What is wrong with each collection. Keys are names, and places written as place() does.
  using Sections = std::map<std::string, json::object>;
  struct Missing {
    Node* node;
    std::string field, text;
  };

  Nodes collect(json::array& list, const Collection& collection, Node* parent, std::string_view field);
  // The first round.
  void resolve(Node& node);
  void identify(Node& node);
  /// What Kong derives the id from; nothing where it would give a random one.
  static std::optional<std::string> kongs_key(const Node& node);
  void validate(Node& node, const Catalog& catalog);
  void add_trees(json::object& errors) const;
  // The second round.
  void declare(Node& node, Sections& errors);
  void add_missing(Sections& errors) const;
  void store(Node& node, Sections& errors);

  [[nodiscard]] Node* find(std::string_view collection, std::string_view key) const;
  static json::value tree(const Nodes& nodes);
  static json::value tree(const Node& node);

  json::object root_;
  std::shared_ptr<const Collections> collections_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::pair<std::string_view, Nodes>> top_;
  std::map<std::string_view, Nodes>
      by_collection_;  ///< Objects alone, in the order in which Kong meets them.
  std::map<std::pair<std::string_view, std::string>, Node*> by_key_, by_id_;
  std::map<std::string, int> copies_;  ///< How often a nameless entity of this content was met.
  std::vector<Missing> missing_;       ///< References to what the document does not have.
  json::object bad_sections_;
  Image image_;
  Values values_ = Values::kDocuments;
};

}  // namespace gibbon::agent
