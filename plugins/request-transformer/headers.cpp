#include "headers.hpp"

#include <algorithm>

namespace transformers {
namespace {

char folded(char c) { return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return folded(x) == folded(y); });
}

bool is_host(std::string_view name) { return same_name(name, "host"); }

}  // namespace

void Headers::load(std::string_view name, std::string_view value) {
  if (is_host(name)) return;
  Header* known = header(name);
  if (known == nullptr) known = &all_.emplace_back(Header{std::string(name), {}});
  known->values.emplace_back(value);
}

Headers::Header* Headers::header(std::string_view name) {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Header& h) { return same_name(h.name, name); });
  return found == all_.end() ? nullptr : &*found;
}

void Headers::set(std::string_view name, std::vector<std::string> values) {
  Header* known = header(name);
  if (known == nullptr) known = &all_.emplace_back();
  *known = {std::string(name), std::move(values), true};
}

void Headers::remove(std::string_view name) {
  if (std::erase_if(all_, [&](const Header& h) { return same_name(h.name, name); }) > 0) removed_.emplace_back(name);
}

void Headers::rename(std::string_view from, std::string_view to) {
  const Header* known = header(from);
  if (known == nullptr || from == to) return;
  std::vector<std::string> values = known->values;
  remove(from);
  set(to, std::move(values));
}

void Headers::replace(std::string_view name, std::string_view value) {
  const Header* known = header(name);
  if (known == nullptr && !is_host(name)) return;
  set(known == nullptr ? name : std::string(known->name), {std::string(value)});
}

void Headers::add(std::string_view name, std::string_view value) {
  if (header(name) == nullptr && !is_host(name)) set(name, {std::string(value)});
}

void Headers::append(std::string_view name, std::string_view value) {
  if (is_host(name)) return;
  const Header* known = header(name);
  std::vector<std::string> values = known == nullptr ? std::vector<std::string>() : known->values;
  values.emplace_back(value);
  set(name, std::move(values));
}

}  // namespace transformers
