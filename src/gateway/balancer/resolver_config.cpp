#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "base/ascii.hpp"
#include "gateway/balancer/hosts.hpp"
#include "gateway/balancer/words.hpp"

namespace gibbon::gateway {
namespace {

// The C library's limits; beyond them it cuts silently, and so do we.
constexpr std::size_t kMaxNameservers = 3;
constexpr std::uint32_t kMaxNdots = 15, kMaxTimeout = 30, kMaxAttempts = 5;

std::string domain(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return ascii_lower(name);
}

/// Sets `value` from "name:number" where `option` is that option.
void read_option(std::string_view option, std::string_view name, std::uint32_t most, std::uint32_t& value) {
  if (!option.starts_with(name) || option.substr(name.size(), 1) != ":") return;
  option.remove_prefix(name.size() + 1);
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(option.data(), option.data() + option.size(), number);
  if (parsed.ec == std::errc()) value = std::min(number, most);
}

}  // namespace

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

ResolverConfig ResolverConfig::parse(std::string_view text) {
  ResolverConfig config;
  each_line(text, "#;", [&config](const std::vector<std::string_view>& words) {
    const auto values = [&words](auto use) { std::for_each(words.begin() + 1, words.end(), use); };
    if (words[0] == "nameserver" && words.size() > 1) {
      const std::optional<Address> address = Address::parse(words[1]);
      if (!address || config.nameservers.size() == kMaxNameservers) return;
      const std::string server = address->text();
      config.nameservers.push_back(address->family == AF_INET6 ? '[' + server + ']' : server);
    } else if (words[0] == "search" || (words[0] == "domain" && words.size() > 1)) {
      // The last of these lines counts.
      config.search.clear();
      values([&config](std::string_view name) {
        if (std::string lower = domain(name); !lower.empty()) config.search.push_back(std::move(lower));
      });
    } else if (words[0] == "options") {
      values([&config](std::string_view option) {
        read_option(option, "ndots", kMaxNdots, config.ndots);
        read_option(option, "timeout", kMaxTimeout, config.timeout_s);
        read_option(option, "attempts", kMaxAttempts, config.attempts);
      });
    }
  });
  config.timeout_s = std::max(config.timeout_s, 1U);
  config.attempts = std::max(config.attempts, 1U);
  if (config.nameservers.empty()) config.nameservers.emplace_back("127.0.0.1");
  return config;
}

ResolverConfig ResolverConfig::load(const std::string& path) {
  return parse(read_file(path).value_or(std::string()));
}

std::vector<std::string> ResolverConfig::candidates(std::string_view name) const {
  const bool absolute = name.ends_with('.');
  const std::string own = domain(name);
  if (own.empty()) return {};
  if (absolute) return {own};
  const bool own_first = static_cast<std::size_t>(std::count(own.begin(), own.end(), '.')) >= ndots;
  std::vector<std::string> names;
  const auto add = [&names](std::string candidate) {
    if (std::find(names.begin(), names.end(), candidate) == names.end()) names.push_back(std::move(candidate));
  };
  if (own_first) add(own);
  for (const std::string& suffix : search) add(own + '.' + suffix);
  add(own);
  return names;
}

}  // namespace gibbon::gateway
