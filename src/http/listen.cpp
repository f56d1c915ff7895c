#include <boost/asio/ip/address.hpp>
#include <charconv>

#include "http/server.hpp"

namespace gibbon::http {

Result<Listen> parse_listen(std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return Error{"listen address \"" + std::string(text) + "\": " + std::string(what) +
                     "; the form is ADDRESS:PORT, as in 127.0.0.1:3000 or [::1]:3000",
                 {}};
  };
  Listen listen;
  std::string_view host, port = text;
  if (text.starts_with('[')) {
    const auto close = text.find("]:");
    if (close == std::string_view::npos) return wrong("no \"]:\" before the port");
    host = text.substr(1, close - 1);
    port = text.substr(close + 2);
  } else if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (host.find(':') != std::string_view::npos) return wrong("an IPv6 address stands in brackets");
    if (host.empty()) return wrong("no address before the port");
  }
  if (host == "*") host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  if (!host.empty()) {
    boost::system::error_code error;
    boost::asio::ip::make_address(std::string(host), error);
    if (error) return wrong("not an IPv4 or IPv6 address");
    listen.host = host;
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), listen.port);
  if (port.empty() || error != std::errc{} || end != port.data() + port.size()) {
    return wrong("the port is not a number from 0 to 65535");
  }
  return listen;
}

}  // namespace gibbon::http
