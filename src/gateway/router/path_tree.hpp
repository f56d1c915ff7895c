#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace gibbon::gateway {

/// Radix trees of path prefixes, any number of them in one pool of nodes. Immutable once built.
class PathForest {
 public:
  /// What stands at a node: the id of a list of plain entries and of a list of regex entries.
  struct Lists {
    std::uint32_t plain = UINT32_MAX, regex = UINT32_MAX;  ///< UINT32_MAX: none.
  };
  struct Item {
    std::string prefix;
    Lists lists;
  };

  /// Adds a tree of `items`, whose prefixes must differ, and returns its root.
  std::uint32_t add(std::vector<Item> items);

  /// Calls `visit(lists)` for every item whose prefix `path` begins with, the shortest first.
  template <typename Visit>
  void walk(std::uint32_t root, std::string_view path, Visit&& visit) const noexcept {
    const Node* node = &nodes_[root];
    std::size_t at = 0;
    for (;;) {
      if (path.size() - at < node->label_length ||
          std::memcmp(path.data() + at, labels_.data() + node->label, node->label_length) != 0) {
        return;
      }
      at += node->label_length;
      if (node->lists.plain != UINT32_MAX || node->lists.regex != UINT32_MAX) visit(node->lists);
      if (at == path.size() || node->child_count == 0) return;
      const char* bytes = first_bytes_.data() + node->first_byte;
      const void* found = std::memchr(bytes, path[at], node->child_count);
      if (found == nullptr) return;
      node = &nodes_[node->children + static_cast<std::size_t>(static_cast<const char*>(found) - bytes)];
    }
  }

 private:
  struct Node {
    std::uint32_t label = 0, label_length = 0;  ///< In labels_; it includes the byte that led here.
    std::uint32_t children = 0, child_count = 0, first_byte = 0;
    Lists lists;
  };
  std::vector<Node> nodes_;
  std::string labels_, first_bytes_;
};

}  // namespace gibbon::gateway
