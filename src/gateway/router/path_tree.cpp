#include "gateway/router/path_tree.hpp"

#include <algorithm>

namespace gibbon::gateway {

std::uint32_t PathForest::add(std::vector<Item> items) {
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.prefix < b.prefix; });
  struct Work {
    std::uint32_t node;
    std::size_t begin, end, depth;  // items[begin, end) share their first `depth` bytes, which lead to the node.
  };
  const auto root = static_cast<std::uint32_t>(nodes_.size());
  nodes_.emplace_back();
  std::vector<Work> queue;
  if (!items.empty()) queue.push_back({root, 0, items.size(), 0});

  // Breadth first, so that the children of a node lie side by side.
  for (std::size_t next = 0; next < queue.size(); ++next) {
    const Work work = queue[next];
    const std::string& first = items[work.begin].prefix;
    const std::string& last = items[work.end - 1].prefix;
    const auto differ = std::mismatch(first.begin() + static_cast<std::ptrdiff_t>(work.depth), first.end(),
                                      last.begin() + static_cast<std::ptrdiff_t>(work.depth), last.end());
    const auto depth = static_cast<std::size_t>(differ.first - first.begin());

    Node node;
    node.label = static_cast<std::uint32_t>(labels_.size());
    node.label_length = static_cast<std::uint32_t>(depth - work.depth);
    labels_.append(first, work.depth, depth - work.depth);
    std::size_t begin = work.begin;
    if (first.size() == depth) node.lists = items[begin++].lists;

    node.children = static_cast<std::uint32_t>(nodes_.size());
    node.first_byte = static_cast<std::uint32_t>(first_bytes_.size());
    while (begin < work.end) {
      const char byte = items[begin].prefix[depth];
      std::size_t end = begin + 1;
      while (end < work.end && items[end].prefix[depth] == byte) ++end;
      first_bytes_ += byte;
      queue.push_back({static_cast<std::uint32_t>(nodes_.size()), begin, end, depth});
      nodes_.emplace_back();
      ++node.child_count;
      begin = end;
    }
    nodes_[work.node] = node;
  }
  return root;
}

}  // namespace gibbon::gateway
