#pragma once

#include <span>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "logs/entry_reader.hpp"
#include "logs/writer.hpp"

/// The answers of the log service's API. Those on /logs say what a POST may hold, which is how a shipper learns that
/// it can send batches.
namespace gibbon::logs {

enum class Body { kEmpty, kSome };

http::Response json_answer(int status, std::string body);
http::Response logs_error(int status, std::string_view message);
/// To a POST whose good entries are stored: 201, or 400 where some were not good.
http::Response entries_answer(const ReadEntries& read, const Writer::Outcome& outcome, Body body);
http::Response not_stored(std::string_view error);
http::Response queue_full();
http::Response page_answer(std::span<const StoredEntry> rows, const std::string& next);
http::Response options_answer(bool takes_entries);
http::Response method_not_allowed(std::string allowed);

}  // namespace gibbon::logs
