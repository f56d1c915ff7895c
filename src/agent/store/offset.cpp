#include "agent/store/offset.hpp"

#include <optional>

#include "base/json_text.hpp"

namespace gibbon::agent {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string to_base64(std::string_view bytes) {
  std::string text;
  unsigned buffer = 0, bits = 0;
  for (const char c : bytes) {
    buffer = buffer << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) text += kAlphabet[buffer >> (bits - 6) & 63];
  }
  if (bits > 0) text += kAlphabet[buffer << (6 - bits) & 63];
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  unsigned buffer = 0, bits = 0;
  for (const char c : text) {
    const auto digit = kAlphabet.find(c == '+' ? '-' : c == '/' ? '_' : c);
    if (digit == std::string_view::npos) return std::nullopt;
    buffer = buffer << 6 | static_cast<unsigned>(digit);
    if (bits += 6; bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(buffer >> bits & 255);
    }
  }
  return bytes;
}

}  // namespace

std::string encode_offset(const Offset& offset) {
  json::array parts{json::value(offset.id)};
  if (offset.index > 0) parts.emplace_back(offset.index);
  return to_base64(to_text(parts));
}

Outcome<Offset> decode_offset(std::string_view text) {
  const auto bytes = from_base64(text);
  if (!bytes) return invalid_offset(text, "bad base64 encoding");
  boost::system::error_code failed;
  const auto value = json::parse(*bytes, failed);
  const auto* parts = value.if_array();
  if (failed) return invalid_offset(text, "bad json encoding");
  if (parts == nullptr || parts->empty() || !(*parts)[0].is_string() ||
      (parts->size() > 1 && !(*parts)[1].is_int64()))
    return invalid_offset(text, "invalid offset");
  Offset offset{std::string((*parts)[0].get_string()), 0};
  if (parts->size() > 1) offset.index = (*parts)[1].get_int64();
  return offset;
}

}  // namespace gibbon::agent
