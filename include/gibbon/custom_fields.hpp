#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gibbon/config_view.hpp"
#include "gibbon/log_record.hpp"
#include "gibbon/schema.hpp"

/// The custom_fields_by_lua of logging plugins: fields of the log record that the configuration names. No Lua runs:
/// what is understood is `return` with a literal (nil takes the field out), or with one of these functions of Kong's:
///
///     kong.request.get_method() get_scheme() get_host() get_port() get_path() get_path_with_query() get_raw_query()
///                  get_header("name") get_query_arg("name") get_start_time()
///     kong.response.get_status() get_header("name") get_source()
///     kong.client.get_ip() get_forwarded_ip()
namespace gibbon {

/// One expression, parsed.
class CustomField {
 public:
  /// Nothing where it is not understood.
  static std::optional<CustomField> parse(std::string_view code) {
    Reader in{code};
    CustomField field;
    if (!in.word("return")) return std::nullopt;
    in.space();
    if (!field.take(in)) return std::nullopt;
    in.space();
    if (!in.left.empty() && in.left.front() == ';') in.left.remove_prefix(1);
    in.space();
    if (!in.left.empty()) return std::nullopt;
    return field;
  }

  /// The field's JSON; empty: it is taken out.
  [[nodiscard]] std::string value(const ExchangeRecord& record) const {
    if (function_ == kLiteral) return literal_;
    std::string json;
    const std::string_view uri = detail::target_without_origin(record.target);
    const std::size_t mark = uri.find('?');
    const auto text = [&](std::string_view value) { append_json_string(json, value); };
    switch (function_) {
      case kLiteral: break;
      case kMethod: text(record.method); break;
      case kScheme: text(record.scheme); break;
      case kHost: text(record.host); break;
      case kPort: append_json_integer(json, record.port); break;
      case kPath: text(uri.substr(0, mark)); break;
      case kPathWithQuery: text(uri); break;
      case kRawQuery: text(mark == std::string_view::npos ? std::string_view() : uri.substr(mark + 1)); break;
      case kRequestHeader: header(record.request_headers, json); break;
      case kResponseHeader: header(record.response_headers, json); break;
      case kQueryArgument: argument(uri, json); break;
      case kStartTime: append_json_integer(json, record.started_us / 1000); break;
      case kStatus: append_json_integer(json, record.status); break;
      case kSource:
        text(record.source == ExchangeRecord::Source::kUpstream ? "service"
             : record.source == ExchangeRecord::Source::kExit   ? "exit"
                                                                : "error");
        break;
      case kIp: text(record.client_ip); break;
    }
    return json;
  }

 private:
  enum Function {
    kLiteral, kMethod, kScheme, kHost, kPort, kPath, kPathWithQuery, kRawQuery, kRequestHeader, kResponseHeader,
    kQueryArgument, kStartTime, kStatus, kSource, kIp
  };
  struct Known {
    std::string_view name;
    Function function;
    bool takes_name;
  };
  static constexpr std::array kFunctions = {
      Known{"kong.request.get_method", kMethod, false}, Known{"kong.request.get_scheme", kScheme, false},
      Known{"kong.request.get_host", kHost, false}, Known{"kong.request.get_port", kPort, false},
      Known{"kong.request.get_path", kPath, false}, Known{"kong.request.get_path_with_query", kPathWithQuery, false},
      Known{"kong.request.get_raw_query", kRawQuery, false}, Known{"kong.request.get_header", kRequestHeader, true},
      Known{"kong.request.get_query_arg", kQueryArgument, true},
      Known{"kong.request.get_start_time", kStartTime, false}, Known{"kong.response.get_status", kStatus, false},
      Known{"kong.response.get_header", kResponseHeader, true}, Known{"kong.response.get_source", kSource, false},
      Known{"kong.client.get_ip", kIp, false}, Known{"kong.client.get_forwarded_ip", kIp, false},
  };

  struct Reader {
    std::string_view left;
    void space() { left.remove_prefix(std::min(left.find_first_not_of(" \t\r\n"), left.size())); }
    static bool in_name(char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    }
    std::string_view name() {
      std::size_t size = 0;
      while (size < left.size() && in_name(left[size])) ++size;
      const std::string_view taken = left.substr(0, size);
      left.remove_prefix(size);
      return taken;
    }
    bool word(std::string_view wanted) {
      space();
      return name() == wanted;
    }
    bool sign(char wanted) {
      space();
      if (left.empty() || left.front() != wanted) return false;
      left.remove_prefix(1);
      return true;
    }
    /// A quoted text, with the escapes that texts have in common.
    std::optional<std::string> text() {
      space();
      if (left.empty() || (left.front() != '"' && left.front() != '\'')) return std::nullopt;
      const char quote = left.front();
      std::string value;
      for (std::size_t i = 1; i < left.size() && left[i] != '\n'; ++i) {
        if (left[i] == quote) {
          left.remove_prefix(i + 1);
          return value;
        }
        if (left[i] != '\\') {
          value += left[i];
          continue;
        }
        if (++i == left.size()) return std::nullopt;
        constexpr std::string_view kEscapes = "n\nt\tr\r\\\\\"\"''";
        std::size_t at = 0;
        while (at < kEscapes.size() && kEscapes[at] != left[i]) at += 2;
        if (at >= kEscapes.size()) return std::nullopt;
        value += kEscapes[at + 1];
      }
      return std::nullopt;
    }
  };

  bool take(Reader& in) {
    if (in.left.empty()) return false;
    if (const auto quoted = in.text()) {
      append_json_string(literal_, *quoted);
      return true;
    }
    const bool minus = in.sign('-');
    const std::string_view name = in.name();
    if (!minus && name == "nil") return true;
    if (!minus && (name == "true" || name == "false")) {
      literal_ = name;
      return true;
    }
    if (!name.empty() && name.front() >= '0' && name.front() <= '9') {
      double number = 0;
      const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
      if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) return false;
      append_json_number(literal_, minus ? -number : number);
      return true;
    }
    for (const Known& known : kFunctions) {
      if (minus || known.name != name) continue;
      function_ = known.function;
      if (!in.sign('(')) return false;
      if (known.takes_name) {
        const auto argument = in.text();
        if (!argument) return false;
        argument_ = *argument;
      }
      return in.sign(')');
    }
    return false;
  }

  void header(std::span<const Header> headers, std::string& json) const {
    const auto same = [](char a, char b) { return a == b || (a == '_' && b == '-') || (a == '-' && b == '_'); };
    for (const Header& one : headers) {
      bool found = one.name.size() == argument_.size();
      for (std::size_t i = 0; found && i < argument_.size(); ++i)
        found = same(detail::lower(one.name[i]), detail::lower(argument_[i]));
      if (!found) continue;
      append_json_string(json, one.value);
      return;
    }
  }
  void argument(std::string_view uri, std::string& json) const {
    for (const auto& [name, value] : query_arguments(uri)) {
      if (name != argument_) continue;
      if (value) {
        append_json_string(json, *value);
      } else {
        json = "true";
      }
      return;
    }
  }

  Function function_ = kLiteral;
  std::string literal_, argument_;
};

/// All of a configuration's.
class CustomFields {
 public:
  CustomFields() = default;
  explicit CustomFields(const ConfigView& config, std::string_view field = "custom_fields_by_lua") {
    const auto codes = config.record(field);
    for (const std::string& path : config.keys(field))
      if (auto parsed = CustomField::parse(codes->string(path))) fields_.emplace_back(path, std::move(*parsed));
  }
  /// Appends Kong's log record with these fields.
  void append_record(const ExchangeRecord& record, std::string& out) const {
    const std::size_t start = out.size();
    append_log_record(record, out);
    set(record, start, out);
  }
  /// Sets them in the JSON object that begins at `object` in `out`.
  void set(const ExchangeRecord& record, std::size_t object, std::string& out) const {
    for (const auto& [path, field] : fields_) set_json_field(out, object, path, field.value(record));
  }

 private:
  std::vector<std::pair<std::string, CustomField>> fields_;
};

/// For the rows of a schema: what CustomField does not understand is refused.
inline std::optional<std::string> check_custom_field(std::string_view code) {
  if (CustomField::parse(code)) return std::nullopt;
  return "only 'return' with a literal or with a function such as kong.request.get_header(\"name\") is understood";
}

namespace typedefs {

/// The row itself: see above.
inline Field custom_fields_by_lua() {
  return fields::map(fields::string().len_min(1), fields::string().len_min(1).validated_by(check_custom_field))
      .description("Fields of the log record by their dotted names: 'return' with a literal, or with a function of "
                   "kong.request, kong.response or kong.client.");
}

}  // namespace typedefs
}  // namespace gibbon
