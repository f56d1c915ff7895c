#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Writing JSON for a plugin's encode(): functions that append to a string, fast enough for every exchange.
/// Whatever bytes go in, what comes out is valid JSON in valid UTF-8. Threads: any.
namespace gibbon {

/// How far a text is UTF-8 (RFC 3629: no surrogates, no overlong forms).
struct Utf8Scan {
  std::size_t valid = 0;    ///< Bytes up to the end of the last whole character before anything that is not UTF-8.
  bool incomplete = false;  ///< What follows is nothing but the beginning of a character: the text was cut there.
};

namespace detail {

/// The length of the character at `p`; 0 where it is not UTF-8, -1 where the text ends within it.
inline int utf8_length(const unsigned char* p, const unsigned char* end) {
  const unsigned char lead = *p;
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const int length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (int i = 1; i < length; ++i) {
    if (p + i == end) return -1;
    if (p[i] < (i == 1 ? low : 0x80) || p[i] > (i == 1 ? high : 0xBF)) return 0;
  }
  return length;
}

/// How many of the bytes at `p` need nothing done: neither escapes nor other than ASCII.
inline std::size_t plain_run(const unsigned char* p, const unsigned char* end) {
  const unsigned char* const begin = p;
#if defined(__SSE2__)
  for (; end - p >= 16; p += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    // Signed: what is above 0x7F is below 0x20 too.
    const __m128i odd = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
                                     _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                                  _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    if (const int mask = _mm_movemask_epi8(odd))
      return static_cast<std::size_t>(p - begin) + static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  while (p != end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') ++p;
  return static_cast<std::size_t>(p - begin);
}

/// Writes the escape of an ASCII character to `to`, at most 6 bytes; returns how many.
inline std::size_t write_escape(unsigned char c, char* to) {
  constexpr char kHex[] = "0123456789abcdef";
  to[0] = '\\';
  switch (c) {
    case '"': case '\\': to[1] = static_cast<char>(c); return 2;
    case '\n': to[1] = 'n'; return 2;
    case '\r': to[1] = 'r'; return 2;
    case '\t': to[1] = 't'; return 2;
    case '\b': to[1] = 'b'; return 2;
    case '\f': to[1] = 'f'; return 2;
    default: break;
  }
  std::memcpy(to + 1, "u00", 3);
  to[4] = kHex[c >> 4];
  to[5] = kHex[c & 15];
  return 6;
}

}  // namespace detail

inline Utf8Scan scan_utf8(std::string_view text) {
  const auto* const begin = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = begin + text.size();
  const unsigned char* p = begin;
  while (p != end) {
#if defined(__SSE2__)
    while (end - p >= 16 && _mm_movemask_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))) == 0) p += 16;
    if (p == end) break;
#endif
    const int length = detail::utf8_length(p, end);
    if (length <= 0) return {static_cast<std::size_t>(p - begin), length < 0};
    p += length;
  }
  return {text.size(), false};
}

/// Appends `text` as a JSON string with its quotes. A byte that is not UTF-8 is taken as ISO 8859-1, as header
/// values may be: it is kept, as the character of that number.
inline void append_json_string(std::string& out, std::string_view text) {
  constexpr std::size_t kBlock = 512;
  std::array<char, kBlock + 16> block;
  std::size_t used = 0;
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = p + text.size();
  block[used++] = '"';
  while (p != end) {
    if (used > kBlock - 16) {
      out.append(block.data(), used);
      used = 0;
    }
    std::size_t run = detail::plain_run(p, end);
    if (run > kBlock - used) {
      out.append(block.data(), used);
      used = 0;
      out.append(reinterpret_cast<const char*>(p), run);
    } else if (run > 0) {
      std::memcpy(block.data() + used, p, run);
      used += run;
    }
    p += run;
    if (p == end) break;
    if (*p < 0x80) {
      used += detail::write_escape(*p++, block.data() + used);
    } else if (const int length = detail::utf8_length(p, end); length > 0) {
      std::memcpy(block.data() + used, p, static_cast<std::size_t>(length));
      used += static_cast<std::size_t>(length);
      p += length;
    } else {
      block[used++] = static_cast<char>(0xC0 | (*p >> 6));
      block[used++] = static_cast<char>(0x80 | (*p & 0x3F));
      ++p;
    }
  }
  block[used++] = '"';
  out.append(block.data(), used);
}

/// Appends a whole number.
template <typename Integer>
inline void append_json_integer(std::string& out, Integer value) {
  char text[24];
  const auto written = std::to_chars(text, text + sizeof text, value);
  out.append(text, written.ptr);
}

/// Appends a number with the fewest digits that give the same double again, never with an exponent below 1e21;
/// null where it is not a number.
inline void append_json_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char text[40];
  const bool plain = std::fabs(value) < 1e21 && (value == 0 || std::fabs(value) >= 1e-6);
  const auto written = plain ? std::to_chars(text, text + sizeof text, value, std::chars_format::fixed)
                             : std::to_chars(text, text + sizeof text, value);
  out.append(text, written.ptr);
}

inline void append_json_bool(std::string& out, bool value) { out += value ? "true" : "false"; }

/// Appends the bytes in base64 (RFC 4648 section 4, with padding), without quotes.
inline void append_base64(std::string& out, std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  char* to = out.data() + start;
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  for (; left >= 3; left -= 3, p += 3) {
    const unsigned v = (static_cast<unsigned>(p[0]) << 16) | (static_cast<unsigned>(p[1]) << 8) | p[2];
    *to++ = kDigits[v >> 18];
    *to++ = kDigits[(v >> 12) & 63];
    *to++ = kDigits[(v >> 6) & 63];
    *to++ = kDigits[v & 63];
  }
  if (left == 0) return;
  const unsigned v = (static_cast<unsigned>(p[0]) << 16) | (left == 2 ? static_cast<unsigned>(p[1]) << 8 : 0u);
  *to++ = kDigits[v >> 18];
  *to++ = kDigits[(v >> 12) & 63];
  *to++ = left == 2 ? kDigits[(v >> 6) & 63] : '=';
  *to++ = '=';
}

/// Appends a moment as a JSON string: "2025-07-23T19:20:22.993Z". `us`: microseconds since the epoch.
inline void append_json_timestamp(std::string& out, std::uint64_t us) {
  const std::uint64_t ms = us / 1000, seconds = ms / 1000;
  // Days to a date, in eras of 400 years that begin in March.
  const std::uint64_t z = seconds / 86400 + 719468;
  const std::uint64_t era = z / 146097, day_of_era = z % 146097;
  const std::uint64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint64_t shifted_month = (5 * day_of_year + 2) / 153;
  const std::uint64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const std::uint64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const std::uint64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  char text[] = "\"0000-00-00T00:00:00.000Z\"";
  const auto put = [&text](std::size_t last, int digits, std::uint64_t value) {
    for (; digits > 0; --digits, value /= 10) text[last--] = static_cast<char>('0' + value % 10);
  };
  put(4, 4, year);
  put(7, 2, month);
  put(10, 2, day);
  put(13, 2, seconds / 3600 % 24);
  put(16, 2, seconds / 60 % 60);
  put(19, 2, seconds % 60);
  put(23, 3, ms % 1000);
  out.append(text, sizeof text - 1);
}

}  // namespace gibbon
