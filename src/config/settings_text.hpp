#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How the texts of configuration values are read.
namespace gibbon::settings {

std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);
/// The non-empty parts between commas, trimmed.
std::vector<std::string> split_list(std::string_view text);
/// The parts between spaces.
std::vector<std::string> split_words(std::string_view text);
/// on, off, true, false.
std::optional<bool> parse_boolean(std::string_view text);
std::optional<double> parse_number(std::string_view text);

/// An IPv4 or IPv6 address without brackets.
bool is_address(std::string_view text);
/// An address, or a range of them: "10.0.0.0/8".
bool is_address_range(std::string_view text);

/// "127.0.0.1:53" and "[::1]:53" of "127.0.0.1", "127.0.0.1:53", "::1" and "[::1]:53"; nothing where it is
/// neither.
std::optional<std::string> normalize_server(std::string_view text, unsigned default_port);

/// Whether `text` can stand in a header as a token: visible ASCII characters alone. The empty text can.
bool is_token(std::string_view text);

}  // namespace gibbon::settings
