#include "schema/literals.hpp"

#include <cmath>
#include <cstdio>

namespace gibbon::schema {
namespace {

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

template <typename T>
json::value array_of(const std::vector<T>& elements) {
  json::array array;
  for (const T& element : elements) array.emplace_back(element);
  return array;
}

/// Of a row that is wrong, which metaschema() refuses, null is made.
json::value parsed(const std::string& text) {
  boost::system::error_code failed;
  json::value value = json::parse(text, failed);
  return failed ? json::value(nullptr) : value;
}

}  // namespace

json::value to_json(const Literal& literal) {
  return std::visit(Overloaded{
                        [](std::nullptr_t) { return json::value(nullptr); },
                        [](bool value) { return json::value(value); },
                        [](std::int64_t value) { return json::value(value); },
                        [](double value) { return simplest_number(value); },
                        [](const std::string& value) { return json::value(value); },
                        [](const std::vector<std::string>& value) { return array_of(value); },
                        [](const std::vector<std::int64_t>& value) { return array_of(value); },
                        [](const JsonText& value) { return parsed(value.text); },
                    },
                    literal);
}

bool equals(const json::value& value, const Literal& literal) {
  const json::value wanted = to_json(literal);
  if (value.is_number() && wanted.is_number()) return number_of(value) == number_of(wanted);
  return value == wanted;
}

std::string to_string(const Literal& literal) {
  const json::value value = to_json(literal);
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_number()) return number_text(number_of(value));
  return json::serialize(value);
}

std::string to_string(const std::vector<Literal>& literals) {
  std::string text;
  for (const Literal& literal : literals) text += (text.empty() ? "" : ", ") + to_string(literal);
  return text;
}

std::string number_text(double number) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.14g", number);
  return buffer;
}

double number_of(const json::value& value) {
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  return value.is_double() ? value.get_double() : 0;
}

json::value simplest_number(const json::value& value) {
  if (!value.is_double()) return value;
  const double number = value.get_double();
  if (std::floor(number) != number || std::fabs(number) >= 9007199254740992.0) return value;
  return static_cast<std::int64_t>(number);
}

}  // namespace gibbon::schema
