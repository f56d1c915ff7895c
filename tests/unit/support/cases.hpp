#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "base/json.hpp"

/// Cases as data: tests/cases/*.json.
namespace gibbon::test {

inline json::object load_cases(const std::string& file) {
  std::ifstream in(std::string(GIBBON_SOURCE_DIR) + "/tests/cases/" + file);
  std::stringstream text;
  text << in.rdbuf();
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 64;
  json::value value = json::parse(text.str(), error, {}, options);
  EXPECT_FALSE(error) << file << ": " << error.message();
  return value.is_object() ? value.get_object() : json::object();
}

/// JSON text in a test.
inline json::object object_of(std::string_view text) { return json::parse(text).as_object(); }

}  // namespace gibbon::test
