#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/store/catalog.hpp"

namespace gibbon::agent {

/// A declarative document taken apart into entities that still know where they stood, so that an error can be
/// shown there. Used once: construct, check(), then either take_image() or the errors. Ownership: borrows
/// `root`, which must outlive it.
class DeclarativeDocument {
 public:
  DeclarativeDocument(const json::object& root, std::shared_ptr<const Collections> collections);

  /// Gives every entity its id, resolves references, validates, and fills the image.
  void check(const Catalog& catalog);

  /// What is wrong with the entities, in the shape of the document: {"services":[null,{"host":"..."}]}.
  void add_errors(json::object& errors) const;
  /// References to what the document does not have: {"routes":{"r1":["invalid reference ..."]}}.
  [[nodiscard]] const json::object& broken_references() const { return broken_references_; }
  /// Moves what is wrong with single entities out of `errors` into a list.
  [[nodiscard]] json::array flatten_errors(json::object& errors) const;
  Image take_image() { return std::move(image_); }

 private:
  struct Node;
  using Nodes = std::vector<std::unique_ptr<Node>>;
  struct Node {
    const Collection* collection;
    const json::object* raw = nullptr;  ///< Null where the element is no object.
    json::object entity;
    Node* parent = nullptr;
    std::string parent_field;
    json::value error;  ///< Null, an object of violations, or a message.
    std::vector<std::pair<std::string, Nodes>> children;
    std::vector<std::pair<std::string, json::value>> bad_lists;  ///< Nested collections that are no arrays.
    std::string id;
  };

  Nodes collect(const json::array& list, const Collection& collection, Node* parent, std::string_view field);
  void resolve(Node& node);
  void identify(Node& node);
  void declare(Node& node);
  void validate(Node& node, const Catalog& catalog);
  Node* find(std::string_view collection, std::string_view key);
  void note_broken(const Node& node, std::string_view field, const json::value& value,
                   std::string_view collection);
  static json::value tree(const Nodes& nodes);
  static json::value tree(const Node& node);
  static void flatten(const Nodes& nodes, json::array& out);

  std::shared_ptr<const Collections> collections_;
  std::vector<std::pair<std::string, Nodes>> top_;
  std::map<std::string, std::vector<Node*>, std::less<>> by_collection_;
  std::map<std::pair<std::string, std::string>, Node*> by_id_, by_key_;
  json::object bad_sections_, broken_references_;
  Image image_;
  bool old_format_ = false;
};

}  // namespace gibbon::agent
