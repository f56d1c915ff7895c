#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/percent.hpp"

namespace gibbon::http {

struct Header {
  std::string name, value;
};

/// A request that was read whole.
struct Request {
  std::string method;   ///< "GET"
  std::string target;   ///< As it was sent, with its query.
  std::string path;     ///< The target without its query; percent-encoded still.
  std::string query;    ///< What follows '?', percent-encoded still.
  std::vector<Header> headers;
  std::string body;
  std::string client;   ///< "address:port"
  /// The first value of a header, compared without case; empty where there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// An answer. Content-Length, Date, Connection and, where it is missing, Server are the server's to add.
struct Response {
  int status = 200;
  std::vector<Header> headers;
  std::string body;
};

using gibbon::parse_query;
using gibbon::percent_decode;
using gibbon::percent_encode;

}  // namespace gibbon::http
