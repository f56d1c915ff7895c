#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.hpp"
#include "config/settings.hpp"

namespace gibbon::app {

/// Whom nginx's workers run as.
struct Account {
  std::string user, group;
  uid_t uid = 0;
  gid_t gid = 0;
};

/// nginx_user, else `kong` where it exists, else `www-data`; this process's own where it is not root, since
/// then nginx cannot change it. Errors: no such user or group.
Result<Account> worker_account(const Settings& settings);

/// Whether `account` may enter every folder on the way to `path`, and `path` itself.
bool can_reach(const std::string& path, const Account& account);

}  // namespace gibbon::app
