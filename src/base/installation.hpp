#pragma once

#include <string>

namespace gibbon {

/// Where the parts that ship with Gibbon lie: found from the running executable, so that a build folder works
/// like an installed tree.
struct Installation {
  static const Installation& here();

  std::string executable;  ///< bin/gibbon
  std::string module;      ///< lib/gibbon/ngx_http_gibbon_module.so
  std::string plugins;     ///< lib/gibbon/plugins
  std::string web;         ///< share/gibbon/web
};

}  // namespace gibbon
