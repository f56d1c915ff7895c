#include <charconv>
#include <cmath>
#include <ctime>

#include "logs/entry_reader.hpp"

namespace gibbon::logs {
namespace {

bool digits(std::string_view text, std::size_t at, std::size_t count, int* value) {
  if (at + count > text.size()) return false;
  const auto parsed = std::from_chars(text.data() + at, text.data() + at + count, *value);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + at + count && text[at] != '-';
}

/// Days since the epoch of a date of the proleptic Gregorian calendar.
std::int64_t days_from_civil(int year, int month, int day) {
  const std::int64_t y = year - (month <= 2 ? 1 : 0), era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719468;
}

}  // namespace

bool parse_timestamp(std::string_view text, std::int64_t* us) {
  int year, month, day, hour, minute, second;
  if (!digits(text, 0, 4, &year) || !digits(text, 5, 2, &month) || !digits(text, 8, 2, &day) ||
      !digits(text, 11, 2, &hour) || !digits(text, 14, 2, &minute) || !digits(text, 17, 2, &second)) {
    return false;
  }
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' ||
      text[16] != ':' || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) {
    return false;
  }
  text.remove_prefix(19);
  std::int64_t fraction = 0;
  if (text.starts_with('.') || text.starts_with(',')) {
    text.remove_prefix(1);
    std::int64_t unit = 100'000;
    std::size_t count = 0;
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++count, unit /= 10) {
      fraction += (text[0] - '0') * unit;
    }
    if (count == 0) return false;
  }
  std::int64_t offset_minutes = 0;
  if (text.starts_with('+') || text.starts_with('-')) {
    int hours, minutes;
    const std::size_t at = text.size() > 3 && text[3] == ':' ? 4 : 3;
    if (!digits(text, 1, 2, &hours) || !digits(text, at, 2, &minutes) || text.size() != at + 2) return false;
    offset_minutes = (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
  } else if (!text.empty() && text != "Z" && text != "z") {
    return false;
  }
  const std::int64_t minutes = (days_from_civil(year, month, day) * 24 + hour) * 60 + minute - offset_minutes;
  *us = (minutes * 60 + second) * 1'000'000 + fraction;
  return true;
}

bool parse_timestamp(double number, std::int64_t* us) {
  // The three units lie so far apart that no moment from 1973 to 5138 can be mistaken.
  if (!(number > 0) || number > 4e17) return false;
  if (number < 1e11) {
    number *= 1e6;
  } else if (number < 1e14) {
    number *= 1e3;
  }
  *us = std::llround(number);
  return true;
}

}  // namespace gibbon::logs
