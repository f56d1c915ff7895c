#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/router/conditions.hpp"

namespace gibbon::gateway {

/// Lists of entries (by rank) that share host and path (for a regex, how it begins). A long list is split by what its
/// entries demand (a header's value, an SNI, a piece of text in the path, a method), so that a request looks at the few
/// that can match. Immutable once filled.
class CandidateLists {
 public:
  /// What one entry demands. `literals`: texts that every path has that it matches.
  struct Demands {
    const Conditions* conditions = nullptr;  ///< Null where there are none.
    std::span<const std::string> literals;
  };

  /// Adds a list; `ranks` ascending, `demands_of(rank)` gives Demands. Returns its id.
  template <typename DemandsOf>
  std::uint32_t add(std::vector<std::uint32_t> ranks, DemandsOf&& demands_of) {
    List list;
    if (ranks.size() > kLong) {
      std::vector<Demands> demands;
      for (const std::uint32_t rank : ranks) demands.push_back(demands_of(rank));
      split(ranks, demands, list);
    } else {
      list.rest = std::move(ranks);
    }
    lists_.push_back(std::move(list));
    return static_cast<std::uint32_t>(lists_.size() - 1);
  }

  /// Calls `visit(ranks)` with spans of ascending ranks: together all entries of list `id` that can match `input`.
  template <typename Visit>
  void each(std::uint32_t id, const MatchInput& input, Visit&& visit) const noexcept {
    const List& list = lists_[id];
    if (!list.rest.empty()) visit(std::span<const std::uint32_t>(list.rest));
    if (list.by_demand == nullptr) return;
    if (list.has_methods) look_up(list, key(kMethod, 0, input.method), visit);
    if (!list.known_grams.empty()) {
      for (std::size_t i = 0; i + kGram <= input.path.size(); ++i) {
        const std::uint32_t gram = gram_at(input.path, i);
        if (list.known_grams[gram_hash(gram)]) look_up(list, key(kText, gram, {}), visit);
      }
    }
    if (!list.with_sni.empty()) {
      if (input.scheme == "http") {
        visit(std::span<const std::uint32_t>(list.with_sni));
      } else {
        look_up(list, key(kSni, 0, input.sni), visit);
      }
    }
    if (input.headers.each == nullptr) return;
    for (std::size_t i = 0; i < list.header_names.size(); ++i) {
      auto each_value = [&](std::string_view value) { look_up(list, key(kHeader, i, value), visit); };
      using EachValue = decltype(each_value);
      input.headers.each(
          input.headers.context, list.header_names[i],
          [](void* argument, std::string_view value) {
            (*static_cast<EachValue*>(argument))(value);
            return true;
          },
          &each_value);
    }
  }

 private:
  static constexpr std::size_t kLong = 8;
  enum Demand : std::uint64_t { kMethod, kSni, kHeader, kText };
  /// Keys may collide: whoever is visited is checked in full.
  using Map = std::unordered_map<std::uint64_t, std::vector<std::uint32_t>>;
  struct List {
    std::vector<std::uint32_t> rest;  ///< Everything, or what could not be split.
    std::vector<std::uint32_t> with_sni;
    std::vector<std::string> header_names;
    bool has_methods = false;
    std::vector<bool> known_grams;  ///< By hash; empty: none.
    std::unique_ptr<Map> by_demand;
  };

  /// A hash of the value in lower case.
  static std::uint64_t key(Demand demand, std::size_t name, std::string_view value) noexcept;
  static void split(std::span<const std::uint32_t> ranks, std::span<const Demands> demands, List& list);

  /// So many bytes of a literal are what is looked for: the ones that fewest of the list's entries have.
  static constexpr std::size_t kGram = 4, kGramHashes = 1 << 16;
  static std::uint32_t gram_at(std::string_view text, std::size_t at) noexcept {
    std::uint32_t gram = 0;
    std::memcpy(&gram, text.data() + at, kGram);
    return gram;
  }
  static std::size_t gram_hash(std::uint32_t gram) noexcept { return (gram * 0x9E3779B1U) >> 16; }

  template <typename Visit>
  static void look_up(const List& list, std::uint64_t key, Visit& visit) noexcept {
    const auto found = list.by_demand->find(key);
    if (found != list.by_demand->end()) visit(std::span<const std::uint32_t>(found->second));
  }

  std::vector<List> lists_;
};

}  // namespace gibbon::gateway
