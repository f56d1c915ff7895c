#pragma once

#include <simdjson.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "logs/store/store.hpp"

namespace gibbon::logs {

/// What the body of a POST held.
struct ReadEntries {
  struct Problem {
    std::size_t index = 0;  ///< Which of the body's entries, from 0.
    std::string message;
  };
  std::vector<Entry> entries;     ///< The good ones, in their order.
  std::vector<Problem> problems;  ///< The first hundred.
  std::size_t invalid = 0;        ///< How many problems there were in all.
  std::size_t bytes = 0;          ///< Of the good ones, with what it costs to hold them.
};

/// Reads entries out of JSON: one object, an array of objects, or several objects, one per line or in a row.
/// Any object is an entry; what it holds is kept as it came. One without `entry_id` and `id` gets an `entry_id`.
/// Threads: one at a time.
class EntryReader {
 public:
  enum class Form { kGuess, kLines };
  /// `body` gets room behind its end, which simdjson reads (but does not use); otherwise it stays as it is.
  ReadEntries read(std::string& body, Form form);

 private:
  void read_lines(std::string_view text, ReadEntries& out);
  void read_array(std::string_view text, ReadEntries& out);
  void read_values(std::string_view text, ReadEntries& out);
  void read_one(std::string_view text, std::size_t index, ReadEntries& out);
  Status fill(simdjson::dom::object object, std::string_view text, Entry& entry);

  simdjson::dom::parser parser_;
};

/// A moment as shippers write it, in microseconds since the epoch: "2025-07-23T19:20:22.993Z" with any fraction and
/// offset, or a number of seconds, milliseconds or microseconds. False where it is none of these.
bool parse_timestamp(std::string_view text, std::int64_t* us);
bool parse_timestamp(double number, std::int64_t* us);

}  // namespace gibbon::logs
