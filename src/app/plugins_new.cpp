// `gibbon plugins new`: the files of a plugin to begin with. @NAME@ and @IDENTIFIER@ stand for the plugin's name.
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "app/plugins_command.hpp"
#include "base/bundle.hpp"
#include "base/installation.hpp"

namespace gibbon::app {
namespace {

namespace fs = std::filesystem;

struct File {
  const char* name;
  const char* text;
  fs::perms mode = fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read | fs::perms::others_read;
};

constexpr fs::perms kProgram = static_cast<fs::perms>(0755);

const File kFiles[] = {
    {"schema.cpp", R"TEXT(#include "gibbon/schema.hpp"

/// What `config` holds. The rows give validation, defaults and GET /schemas/plugins/@NAME@.
gibbon::Schema @IDENTIFIER@_schema() {
  using namespace gibbon::fields;
  return record({
      {"header", string().default_value("X-@NAME@").format("header_name").description("The header that answers get.")},
      {"value", string().required().description("Its value.")},
  });
}
)TEXT"},
    {"handler.cpp", R"TEXT(#include <string>

#include "gibbon/plugin.hpp"

gibbon::Schema @IDENTIFIER@_schema();

namespace {

/// `config`, read once for each configuration, not for each request.
struct Config {
  explicit Config(const gibbon::ConfigView& view) : header(view.string("header")), value(view.string("value")) {}
  std::string header, value;
};

struct Handler {
  static constexpr int PRIORITY = 1000;  // Higher runs earlier.
  static constexpr const char* VERSION = "0.1.0";
  static constexpr auto FAILURE_POLICY = gibbon::FailurePolicy::kOpen;  // kClosed: a request is refused where it throws.

  static void header_filter(gibbon::Exchange& exchange, const Config& config) {
    exchange.response().set_header(config.header, config.value);
  }
};

}  // namespace

GIBBON_PLUGIN("@NAME@", Handler, Config, @IDENTIFIER@_schema)
)TEXT"},
    {"test.cpp", R"TEXT(// Runs the plugin's phases without a gateway. Any test framework will do in the place of expect_equal().
#include "gibbon/testing.hpp"

extern "C" const gibbon::PluginDescriptor* gibbon_plugin();

using gibbon::testing::expect;
using gibbon::testing::expect_equal;
using gibbon::testing::Gateway;

namespace {

void answers_get_the_header() {
  Gateway gateway(*gibbon_plugin(), R"({"value": "hello"})");
  const auto answer = gateway.send({.method = "GET", .target = "/x"});
  expect_equal(answer.status, 200);
  expect_equal(answer.header("X-@NAME@"), "hello");
}

void the_value_is_required() {
  try {
    Gateway gateway(*gibbon_plugin(), "{}");
    expect(false);
  } catch (const std::invalid_argument& refused) {
    expect_equal(std::string(refused.what()), "schema violation (config.value: required field missing)");
  }
}

}  // namespace

int main() {
  answers_get_the_header();
  the_value_is_required();
  return gibbon::testing::failures();
}
)TEXT"},
    {"CMakeLists.txt", R"TEXT(cmake_minimum_required(VERSION 3.20)
project(@IDENTIFIER@ LANGUAGES CXX)
enable_testing()
find_package(Gibbon REQUIRED)
gibbon_add_plugin(@NAME@ SOURCES schema.cpp handler.cpp TESTS test.cpp OUTPUT ${CMAKE_BINARY_DIR})
)TEXT"},
    {"build", R"TEXT(#!/bin/bash
# Builds out/@NAME@.so and runs its test. GIBBON_PREFIX: where Gibbon is installed.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
cmake -S . -B out -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_PREFIX_PATH="${GIBBON_PREFIX:-@PREFIX@}"
cmake --build out
ctest --test-dir out --output-on-failure
echo "out/@NAME@.so is built and tested"
)TEXT", kProgram},
    {"README.md", R"TEXT(# @NAME@

A plugin for Gibbon.

    ./build        # builds out/@NAME@.so and runs test.cpp

It needs g++, cmake, and Gibbon with its headers; the test also libfmt-dev, libpcre2-dev and libssl-dev. To use it, say in
gibbon.conf where it is, and that it is wanted:

    plugin_path = @FOLDER@/out
    plugins = bundled,@NAME@

    gibbon check gibbon.conf

| field | |
| --- | --- |
| `header` | The header that answers get. Default: `X-@NAME@`. |
| `value` | Its value. Required. |
)TEXT"},
};

std::string filled(std::string text, const std::vector<std::pair<std::string, std::string>>& words) {
  for (const auto& [word, value] : words) {
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += value.size())
      text.replace(at, word.size(), value);
  }
  return text;
}

/// What is wrong with a name; empty: nothing.
std::string problem_of(const std::string& name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (name.empty()) return "is empty";
  if (name.size() > 64) return "is longer than 64 characters";
  if (!is_letter(name[0])) return "must begin with a small letter";
  for (const char c : name)
    if (!is_letter(c) && !is_digit(c) && c != '-') return "may have small letters, digits and '-' alone";
  if (name.back() == '-') return "must not end with '-'";
  if (name == "bundled" || name == "off") return "means something else in `plugins`";
  for (const std::string_view taken : kBundle)
    if (name == taken) return "is one of Kong's own plugins";
  if (name == "request-response-logger") return "is one of Gibbon's own plugins";
  return {};
}

}  // namespace

Result<std::string> make_plugin_folder(const std::string& name, const std::string& directory) {
  if (const std::string problem = problem_of(name); !problem.empty())
    return Error{"'" + name + "' is no name for a plugin: it " + problem, ""};
  std::error_code failed;
  const fs::path folder = fs::absolute(directory, failed).lexically_normal() / name;
  fs::create_directories(folder.parent_path(), failed);
  if (failed) return Error{folder.parent_path().string() + ": " + failed.message(), ""};
  if (!fs::create_directory(folder, failed)) {
    return Error{folder.string() + (failed ? ": " + failed.message() : " already exists. Will not overwrite it."), ""};
  }
  std::string identifier = name;
  for (char& c : identifier)
    if (c == '-') c = '_';
  const std::string prefix = fs::path(Installation::here().executable).parent_path().parent_path().string();
  for (const File& file : kFiles) {
    const fs::path path = folder / file.name;
    std::ofstream out(path);
    out << filled(file.text, {{"@NAME@", name}, {"@IDENTIFIER@", identifier}, {"@PREFIX@", prefix}, {"@FOLDER@", folder.string()}});
    if (!out.flush()) return Error{path.string() + ": cannot be written", ""};
    fs::permissions(path, file.mode, failed);
  }
  return folder.string();
}

}  // namespace gibbon::app
