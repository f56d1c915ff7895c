#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/entities.hpp"

/// Where the targets of an upstream point. The gateway's workers resolve the names among them; one worker at
/// a time writes what it found into the shared directory, a file per upstream (`targets.<upstream id>`), for
/// the agent to show. Targets that are addresses speak for themselves.
namespace gibbon::config {

/// A target's text taken apart.
struct TargetPlan {
  std::string target;  ///< "host:port", as stored.
  std::string host;
  std::uint16_t port = 0;
  std::uint32_t weight = 0;

  /// "host:port", "[ipv6]:port"; a missing port is Kong's 8000.
  static TargetPlan parse(const Target& target);
  bool operator==(const TargetPlan&) const = default;
};

/// The address that `host` is, as the gateway writes addresses; nothing where it is a name.
std::optional<std::string> literal_address(std::string_view host);

struct TargetView {
  struct Address {
    std::string ip;
    std::uint16_t port = 0;
    std::uint32_t weight = 0;
  };
  std::string target;  ///< "host:port", as stored.
  std::string dns;     ///< "A", "AAAA", "SRV", or why there is no address.
  std::vector<Address> addresses;
};

/// Replaces the file of `upstream_id`; without targets, removes it.
Status save_target_views(const std::string& directory, const std::string& upstream_id,
                         const std::vector<TargetView>& views);
/// Empty where there is no file. Errors: one that cannot be read.
Result<std::vector<TargetView>> load_target_views(const std::string& directory,
                                                  const std::string& upstream_id);

}  // namespace gibbon::config
