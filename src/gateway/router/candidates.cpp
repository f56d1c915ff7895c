#include "gateway/router/candidates.hpp"

#include <algorithm>

#include "base/ascii.hpp"

namespace gibbon::gateway {

std::uint64_t CandidateLists::key(Demand demand, std::size_t name, std::string_view value) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325U ^ (demand << 32 | name);
  for (const char c : value) {
    hash = (hash ^ static_cast<unsigned char>(ascii_lower(c))) * 0x100000001B3U;
  }
  return hash;
}

void CandidateLists::split(std::span<const std::uint32_t> ranks, std::span<const Demands> demands, List& list) {
  list.by_demand = std::make_unique<Map>();
  const auto file = [&list](std::uint64_t key, std::uint32_t rank) {
    std::vector<std::uint32_t>& ranks_of_key = (*list.by_demand)[key];
    if (ranks_of_key.empty() || ranks_of_key.back() != rank) ranks_of_key.push_back(rank);
  };
  const auto each_gram = [](std::span<const std::string> literals, auto&& visit) {
    for (const std::string& literal : literals)
      for (std::size_t i = 0; i + kGram <= literal.size(); ++i) visit(gram_at(literal, i));
  };
  std::vector<std::uint32_t> uses;  // Of grams, by hash.
  for (const Demands& each : demands) {
    each_gram(each.literals, [&uses](std::uint32_t gram) {
      if (uses.empty()) uses.resize(kGramHashes);
      ++uses[gram_hash(gram)];
    });
  }
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const Conditions* c = demands[i].conditions;
    const HeaderCondition* header = nullptr;
    if (c != nullptr) {
      const auto plain = std::find_if(c->headers.begin(), c->headers.end(),
                                      [](const HeaderCondition& h) { return !h.pattern; });
      if (plain != c->headers.end()) header = &*plain;
    }
    std::uint32_t rarest = 0, rarest_uses = UINT32_MAX;
    each_gram(demands[i].literals, [&](std::uint32_t gram) {
      if (uses[gram_hash(gram)] < rarest_uses) rarest = gram, rarest_uses = uses[gram_hash(gram)];
    });
    if (header != nullptr) {
      auto name = std::find(list.header_names.begin(), list.header_names.end(), header->name);
      if (name == list.header_names.end()) name = list.header_names.insert(name, header->name);
      const auto index = static_cast<std::size_t>(name - list.header_names.begin());
      for (const std::string& value : header->values) file(key(kHeader, index, value), ranks[i]);
    } else if (c != nullptr && !c->snis.empty()) {
      for (const std::string& sni : c->snis) file(key(kSni, 0, sni), ranks[i]);
      list.with_sni.push_back(ranks[i]);
    } else if (rarest_uses != UINT32_MAX) {
      file(key(kText, rarest, {}), ranks[i]);
      list.known_grams.resize(kGramHashes);
      list.known_grams[gram_hash(rarest)] = true;
    } else if (c != nullptr && !c->methods.empty()) {
      for (const std::string& method : c->methods) file(key(kMethod, 0, method), ranks[i]);
      list.has_methods = true;
    } else {
      list.rest.push_back(ranks[i]);
    }
  }
}

}  // namespace gibbon::gateway
