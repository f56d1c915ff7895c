#include <charconv>

#include "config/settings.hpp"
#include "config/settings_text.hpp"

namespace gibbon {

namespace {

using settings::is_address;

Error wrong_form(std::string_view key) {
  return Error{
      std::string(key) +
          " must be of form: [off] | <ip>:<port> [ssl] [http2] [proxy_protocol] [deferred] [bind] "
          "[reuseport] [backlog=%d+] [ipv6only=on] [ipv6only=off] [so_keepalive=on] [so_keepalive=off] "
          "[so_keepalive=%w*:%w*:%d*], [... next entry ...]",
      std::string(key)};
}

template <typename T>
bool read_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

bool is_host_name(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
             std::string_view::npos &&
         text.find_first_not_of("0123456789.") != std::string_view::npos;
}

/// "<ip>:<port>", the ip in brackets where it is IPv6.
bool read_address(std::string_view text, Listener& listener) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos || !is_address(host)) return false;
  } else if (host.find(':') != std::string_view::npos || !(is_address(host) || is_host_name(host))) {
    return false;
  }
  std::uint32_t port = 0;
  if (!read_number(text.substr(colon + 1), port) || port == 0 || port > 65535) return false;
  listener.ip = host;
  listener.port = static_cast<std::uint16_t>(port);
  return true;
}

/// "idle:interval:count", each of them optional.
bool is_keepalive_times(std::string_view text) {
  const auto first = text.find(':');
  const auto second = first == std::string_view::npos ? first : text.find(':', first + 1);
  return second != std::string_view::npos &&
         text.find_first_not_of("0123456789smhd:") == std::string_view::npos &&
         text.find(':', second + 1) == std::string_view::npos;
}

bool read_flag(std::string_view word, Listener& listener) {
  const auto after = [&](std::string_view name) { return word.substr(name.size()); };
  if (word == "ssl") return listener.ssl = true;
  if (word == "http2") return listener.http2 = true;
  if (word == "proxy_protocol") return listener.proxy_protocol = true;
  if (word == "deferred") return listener.deferred = true;
  if (word == "bind") return listener.bind = true;
  if (word == "reuseport") return listener.reuseport = true;
  if (word.starts_with("backlog=")) {
    std::uint32_t backlog = 0;
    if (!read_number(after("backlog="), backlog)) return false;
    listener.backlog = backlog;
    return true;
  }
  if (word == "ipv6only=on" || word == "ipv6only=off") {
    listener.ipv6only = after("ipv6only=");
    return true;
  }
  if (word.starts_with("so_keepalive=")) {
    listener.so_keepalive = after("so_keepalive=");
    return listener.so_keepalive == "on" || listener.so_keepalive == "off" ||
           is_keepalive_times(listener.so_keepalive);
  }
  return false;
}

}  // namespace

std::string Listener::address() const {
  return (ip.find(':') == std::string::npos ? ip : "[" + ip + "]") + ":" + std::to_string(port);
}

std::string Listener::text() const {
  std::string text = address();
  if (ssl) text += " ssl";
  if (http2) text += " http2";
  if (proxy_protocol) text += " proxy_protocol";
  if (deferred) text += " deferred";
  if (bind) text += " bind";
  if (reuseport) text += " reuseport";
  if (backlog) text += " backlog=" + std::to_string(*backlog);
  if (!ipv6only.empty()) text += " ipv6only=" + ipv6only;
  if (!so_keepalive.empty()) text += " so_keepalive=" + so_keepalive;
  return text;
}

Result<std::vector<Listener>> parse_listeners(std::string_view key, std::string_view value) {
  const auto entries = settings::split_list(value);
  if (entries.empty()) return wrong_form(key);
  std::vector<Listener> listeners;
  if (entries.front() == "off") return listeners;
  for (const std::string& entry : entries) {
    Listener listener;
    bool addressed = false;
    for (const std::string& word : settings::split_words(entry)) {
      if (read_flag(word, listener)) continue;
      if (addressed || !read_address(word, listener)) return wrong_form(key);
      addressed = true;
    }
    if (!addressed) return wrong_form(key);
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

}  // namespace gibbon
