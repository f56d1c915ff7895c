#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "common/pair.hpp"
#include "gibbon/schema.hpp"
#include "schema/describe.hpp"
#include "support/plugin_rows.hpp"

gibbon::Schema request_transformer_schema();
gibbon::Schema response_transformer_schema();

namespace gibbon::test {
namespace {

void drop_descriptions(json::value& value) {
  if (json::array* array = value.if_array()) {
    for (json::value& element : *array) drop_descriptions(element);
  } else if (json::object* object = value.if_object()) {
    object->erase("description");
    for (auto& member : *object) drop_descriptions(member.value());
  }
}

json::value rules(const Schema& schema) {
  json::value described = schema::describe_plugin(schema);
  drop_descriptions(described);
  return described;
}

TEST(TransformerSchemas, AreKongs) {
  EXPECT_EQ(rules(request_transformer_schema()), rules(plugin_rows().at("request-transformer")));
  EXPECT_EQ(rules(response_transformer_schema()), rules(plugin_rows().at("response-transformer")));
}

TEST(TransformerSchemas, KnowNamesOfHeaders) {
  EXPECT_EQ(transformers::check_header("x-a_1:any thing"), std::nullopt);
  EXPECT_EQ(transformers::check_header("x a:1"), "'x a' is not a valid header");
  EXPECT_EQ(transformers::check_header(":1"), "'' is not a valid header");
  EXPECT_EQ(transformers::check_header_names("x:y"), std::nullopt);
  EXPECT_EQ(transformers::check_header_names("x:y z"), "'y z' is not a valid header");
  EXPECT_EQ(transformers::check_header_names("x:"), "'' is not a valid header");
}

}  // namespace
}  // namespace gibbon::test
