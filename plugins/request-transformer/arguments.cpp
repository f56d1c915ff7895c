#include "arguments.hpp"

#include <algorithm>

namespace transformers {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

/// Percent-encodes all but what encodeURIComponent() leaves.
void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~!*'()";
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (kPlain.find(c) != kPlain.npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
}

std::string encoded(const Arguments::Argument& argument) {
  std::string out;
  for (const auto& value : argument.values) {
    if (!out.empty()) out += '&';
    append_encoded(out, argument.name);
    if (!value) continue;
    out += '=';
    append_encoded(out, *value);
  }
  return out;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += '&';
    out += part;
  }
  return out;
}

}  // namespace

Arguments::Arguments(std::string_view text) {
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    const std::size_t equals = one.find('=');
    const std::string name = decoded(one.substr(0, equals));
    if (name.empty()) continue;
    std::optional<std::string> value;
    if (equals != one.npos) value = decoded(one.substr(equals + 1));
    Argument* known = argument(name);
    if (known == nullptr) known = &all_.emplace_back(Argument{name, {}});
    known->values.push_back(std::move(value));
  }
}

Arguments::Argument* Arguments::argument(std::string_view name) {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Argument& a) { return a.name == name; });
  return found == all_.end() ? nullptr : &*found;
}

const Arguments::Values* Arguments::find(std::string_view name) const {
  const Argument* found = const_cast<Arguments*>(this)->argument(name);
  return found == nullptr ? nullptr : &found->values;
}

void Arguments::set(std::string_view name, std::string value) {
  Argument* known = argument(name);
  if (known == nullptr) known = &all_.emplace_back(Argument{std::string(name), {}});
  known->values.assign(1, std::move(value));
}

void Arguments::remove(std::string_view name) {
  std::erase_if(all_, [&](const Argument& a) { return a.name == name; });
}

bool Arguments::rename(std::string_view from, std::string_view to) {
  if (from == to || argument(from) == nullptr) return false;
  remove(to);
  argument(from)->name = to;
  return true;
}

void Arguments::append(std::string_view name, std::string value) {
  Argument* known = argument(name);
  const bool is_flag = known != nullptr && known->values.size() == 1 && !known->values.front();
  if (known == nullptr || is_flag) return set(name, std::move(value));
  known->values.emplace_back(std::move(value));
}

void Arguments::merge(const Arguments& others) {
  for (const Argument& other : others.all_) {
    Argument* known = argument(other.name);
    if (known == nullptr) all_.push_back(other);
    else known->values.insert(known->values.end(), other.values.begin(), other.values.end());
  }
}

std::string Arguments::encoded() const {
  std::vector<std::string> parts;
  for (const Argument& argument : all_) parts.push_back(transformers::encoded(argument));
  return joined(parts);
}

std::string Arguments::sorted() const {
  std::vector<std::string> parts;
  for (const Argument& argument : all_) parts.push_back(transformers::encoded(argument));
  std::sort(parts.begin(), parts.end());
  return joined(parts);
}

}  // namespace transformers
