#include "schema/regex.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace gibbon::schema {

std::string regex_error(std::string_view pattern) {
  int code = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* const compiled = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                             PCRE2_ANCHORED, &code, &offset, nullptr);
  if (compiled != nullptr) {
    pcre2_code_free(compiled);
    return {};
  }
  PCRE2_UCHAR text[256];
  if (pcre2_get_error_message(code, text, sizeof text) < 0) text[0] = 0;
  std::string error = "pcre2_compile() failed: " + std::string(reinterpret_cast<const char*>(text)) +
                      " in \"" + std::string(pattern) + "\"";
  if (offset < pattern.size()) error += " at \"" + std::string(pattern.substr(offset)) + "\"";
  return error;
}

}  // namespace gibbon::schema
