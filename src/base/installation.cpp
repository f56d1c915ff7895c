#include "base/installation.hpp"

#include <filesystem>

namespace gibbon {

const Installation& Installation::here() {
  static const Installation installation = [] {
    std::error_code ignored;
    const std::filesystem::path executable = std::filesystem::read_symlink("/proc/self/exe", ignored);
    const std::filesystem::path root = executable.parent_path().parent_path();
    return Installation{.executable = executable.string(),
                        .module = (root / "lib/gibbon/ngx_http_gibbon_module.so").string(),
                        .plugins = (root / "lib/gibbon/plugins").string(),
                        .web = (root / "share/gibbon/web").string()};
  }();
  return installation;
}

}  // namespace gibbon
