#include "config/target_view.hpp"

#include <arpa/inet.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>

#include "base/json_text.hpp"
#include "config/shared_file.hpp"

namespace gibbon::config {
namespace {

constexpr std::uint16_t kDefaultPort = 8000;

std::uint16_t read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? port : kDefaultPort;
}

std::string file_name(const std::string& upstream_id) { return "targets." + upstream_id; }

json::object to_json(const TargetView& view) {
  json::array addresses;
  for (const TargetView::Address& address : view.addresses)
    addresses.push_back({{"ip", address.ip}, {"port", address.port}, {"weight", address.weight}});
  return {{"target", view.target}, {"dns", view.dns}, {"addresses", std::move(addresses)}};
}

TargetView from_json(const json::object& object) {
  TargetView view;
  view.target = object.at("target").as_string();
  view.dns = object.at("dns").as_string();
  for (const json::value& each : object.at("addresses").as_array()) {
    const json::object& address = each.as_object();
    view.addresses.push_back({std::string(address.at("ip").as_string()),
                              address.at("port").to_number<std::uint16_t>(),
                              address.at("weight").to_number<std::uint32_t>()});
  }
  return view;
}

}  // namespace

TargetPlan TargetPlan::parse(const Target& target) {
  const std::string& text = target.target;
  TargetPlan plan{text, text, kDefaultPort, target.weight};
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  const bool bare_ipv6 = bracket == std::string::npos && text.find(':') != colon;
  if (colon != std::string::npos && !bare_ipv6 && (bracket == std::string::npos || colon > bracket)) {
    plan.host = text.substr(0, colon);
    plan.port = read_port(std::string_view(text).substr(colon + 1));
  }
  return plan;
}

std::optional<std::string> literal_address(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const std::string text(host);
  unsigned char bytes[16];
  char shown[INET6_ADDRSTRLEN];
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, text.c_str(), bytes) == 1 &&
        inet_ntop(family, bytes, shown, sizeof shown) != nullptr)
      return shown;
  }
  return std::nullopt;
}

Status save_target_views(const std::string& directory, const std::string& upstream_id,
                         const std::vector<TargetView>& views) {
  if (views.empty()) {
    const std::string path = directory + '/' + file_name(upstream_id);
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return system_error("cannot remove " + path);
    return {};
  }
  json::array list;
  for (const TargetView& view : views) list.push_back(to_json(view));
  return write_shared_file(directory, file_name(upstream_id), to_text(list));
}

Result<std::vector<TargetView>> load_target_views(const std::string& directory,
                                                  const std::string& upstream_id) {
  std::vector<TargetView> views;
  std::ifstream file(directory + '/' + file_name(upstream_id));
  if (!file) return views;
  std::ostringstream text;
  text << file.rdbuf();
  try {
    const json::value list = json::parse(text.str());
    for (const json::value& each : list.as_array()) views.push_back(from_json(each.as_object()));
  } catch (const std::exception& problem) {
    return Error{file_name(upstream_id) + " in " + directory + ": " + problem.what(), {}};
  }
  return views;
}

}  // namespace gibbon::config
