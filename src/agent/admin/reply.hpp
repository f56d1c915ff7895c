#pragma once

#include <string_view>

#include "agent/store/error.hpp"
#include "base/json.hpp"
#include "http/message.hpp"

/// Answers as Kong words them.
namespace gibbon::agent {

http::Response json_reply(int status, const json::value& body);
/// {"message": text}
http::Response message_reply(int status, std::string_view text);
/// A StoreError with its status; a database error becomes "An unexpected error occurred" and is logged.
http::Response error_reply(const StoreError& error);
/// A status for which Kong has no words: the page that nginx shows.
http::Response bare_reply(int status);
http::Response not_found_reply();
http::Response no_content_reply();

}  // namespace gibbon::agent
