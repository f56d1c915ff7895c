#pragma once

#include <map>
#include <string>
#include <vector>

#include "request-transformer/expression.hpp"

namespace gibbon::test {

/// A request's values, as a table.
class TableEnvironment final : public transformers::Environment {
 public:
  using Root = transformers::Root;
  transformers::Value find(Root root, std::string_view name) override {
    const auto found = values.find({root, std::string(name)});
    if (found == values.end()) return {};
    if (found->second.size() == 1) return {found->second.front()};
    std::vector<transformers::Value> list;
    for (const std::string& value : found->second) list.push_back({value});
    return {std::make_shared<const std::vector<transformers::Value>>(std::move(list))};
  }
  std::map<std::pair<Root, std::string>, std::vector<std::string>> values = {
      {{Root::kHeaders, "x"}, {"one"}},       {{Root::kHeaders, "x-y"}, {"Two"}},
      {{Root::kHeaders, "many"}, {"a", "b"}}, {{Root::kQuery, "q"}, {"5"}},
      {{Root::kCaptures, "1"}, {"first"}},    {{Root::kCaptures, "user"}, {"ada"}},
      {{Root::kShared, "tenant"}, {"acme"}}};
};

}  // namespace gibbon::test
