#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "http/message.hpp"

namespace gibbon::http {

/// Reads one request out of bytes as they come, straight into a Request whose memory is used again and again.
/// Beast's parser knows the grammar; this adds the checks that a server owes (RFC 9112): one Host, one framing.
class RequestParser final : private boost::beast::http::basic_parser<true> {
 public:
  /// `request` is overwritten, and must outlive the parser.
  RequestParser(Request& request, std::size_t max_header_bytes, std::uint64_t max_body_bytes);

  enum class State { kNeedMore, kDone, kFailed };
  /// Takes what it can of `data`; `*used` says how much. The rest must be given again, with more behind it.
  State feed(const char* data, std::size_t size, std::size_t* used);

  /// After kFailed: the status to answer with, and why.
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const std::string& message() const { return message_; }

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] bool keep_alive() const { return basic_parser::keep_alive(); }
  [[nodiscard]] bool http_1_0() const { return version_ < 11; }
  /// The client waits for "100 Continue" before it sends the body. True until it was asked once.
  bool take_expectation();

 private:
  using error_code = boost::beast::error_code;
  using string_view = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb, string_view method, string_view target, int version,
                       error_code& ec) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(boost::beast::http::field name, string_view name_text, string_view value,
                     error_code& ec) override;
  void on_header_impl(error_code& ec) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) override;
  std::size_t on_body_impl(string_view body, error_code& ec) override;
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t remain, string_view body, error_code& ec) override;
  void on_finish_impl(error_code&) override {}

  void refuse(int status, std::string message, error_code& ec);
  void explain(const error_code& ec);

  Request& request_;
  std::size_t header_count_ = 0, header_bytes_ = 0, max_header_bytes_;
  std::uint64_t max_body_bytes_;
  unsigned hosts_ = 0;
  int version_ = 11, status_ = 0;
  bool started_ = false, expects_continue_ = false;
  std::string message_;
};

}  // namespace gibbon::http
