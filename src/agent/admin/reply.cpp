#include "agent/admin/reply.hpp"

#include <spdlog/spdlog.h>

#include "base/json_text.hpp"
#include "http/server.hpp"

namespace gibbon::agent {

http::Response json_reply(int status, const json::value& body) {
  http::Response response;
  response.status = status;
  response.headers.push_back({"Content-Type", "application/json; charset=utf-8"});
  response.body = to_text(body);
  return response;
}

http::Response message_reply(int status, std::string_view text) {
  json::object body;
  body["message"] = text;
  return json_reply(status, body);
}

http::Response error_reply(const StoreError& error) {
  if (error.http_status() == 500) {
    spdlog::error("the store failed: {}", error.message);
    return message_reply(500, "An unexpected error occurred");
  }
  return json_reply(error.http_status(), error.to_json());
}

http::Response bare_reply(int status) {
  http::Response response;
  response.status = status;
  response.headers.push_back({"Content-Type", "text/html; charset=UTF-8"});
  const auto title = std::to_string(status) + " " + std::string(http::reason_phrase(status));
  response.body = "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
                  "</h1></center>\r\n</body>\r\n</html>\r\n";
  return response;
}

http::Response not_found_reply() { return message_reply(404, "Not found"); }

http::Response no_content_reply() {
  http::Response response;
  response.status = 204;
  return response;
}

}  // namespace gibbon::agent
