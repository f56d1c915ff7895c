#pragma once

#include <string>

#include "record/record.hpp"

namespace gibbon::agent {

/// Takes secrets out of a record before anything is made of it: the values of authorization, proxy-authorization,
/// cookie, set-cookie, x-api-key and apikey, in both directions, and the userinfo of a request target in absolute form.
/// Threads: one for each object. The record's views point into the redactor until the next call.
class Redactor {
 public:
  void redact(record::ParsedRecord& record);

 private:
  std::string target_;
};

}  // namespace gibbon::agent
