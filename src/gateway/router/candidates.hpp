#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/router/conditions.hpp"

namespace gibbon::gateway {

/// Lists of entries (by rank) that share host and path, and differ in their conditions alone. A long list is split by
/// what its entries demand (a header's value, an SNI, a method), so that a request looks at the few that can match.
/// Immutable once filled.
class CandidateLists {
 public:
  /// Adds a list; `ranks` ascending, `conditions_of(rank)` is null where an entry has none. Returns its id.
  template <typename ConditionsOf>
  std::uint32_t add(std::vector<std::uint32_t> ranks, ConditionsOf&& conditions_of) {
    List list;
    std::vector<const Conditions*> conditions;
    for (const std::uint32_t rank : ranks) conditions.push_back(conditions_of(rank));
    if (ranks.size() > kLong) {
      split(ranks, conditions, list);
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
  enum Demand : std::uint64_t { kMethod, kSni, kHeader };
  /// Keys may collide: whoever is visited is checked in full.
  using Map = std::unordered_map<std::uint64_t, std::vector<std::uint32_t>>;
  struct List {
    std::vector<std::uint32_t> rest;  ///< Everything, or what could not be split.
    std::vector<std::uint32_t> with_sni;
    std::vector<std::string> header_names;
    bool has_methods = false;
    std::unique_ptr<Map> by_demand;
  };

  /// A hash of the value in lower case.
  static std::uint64_t key(Demand demand, std::size_t name, std::string_view value) noexcept;
  void split(std::span<const std::uint32_t> ranks, std::span<const Conditions* const> conditions, List& list);

  template <typename Visit>
  static void look_up(const List& list, std::uint64_t key, Visit& visit) noexcept {
    const auto found = list.by_demand->find(key);
    if (found != list.by_demand->end()) visit(std::span<const std::uint32_t>(found->second));
  }

  std::vector<List> lists_;
};

}  // namespace gibbon::gateway
