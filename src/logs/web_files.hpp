#pragma once

#include <string>
#include <string_view>

#include "http/message.hpp"

namespace gibbon::logs {

/// The page's files, as they lie in a directory. A path that names none gets index.html, for the page routes by
/// itself; but not one that looks like a file. Nothing outside the directory is ever served.
/// Threads: any.
class WebFiles {
 public:
  explicit WebFiles(std::string directory) : directory_(std::move(directory)) {}
  /// For GET and HEAD.
  [[nodiscard]] http::Response serve(const http::Request& request) const;

 private:
  std::string directory_;
};

}  // namespace gibbon::logs
