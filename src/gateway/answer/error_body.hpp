#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/result.hpp"

/// The form of the answers that the gateway gives itself: which media type a client prefers, and Kong's bodies in it.
namespace gibbon::gateway {

enum class MediaType { kJson, kHtml, kXml, kPlain, kGrpc };
inline constexpr std::size_t kTemplateCount = 4;  ///< gRPC has none: its message travels in a header.

/// The media type that an Accept header's value prefers: the highest quality, the first one of several. What is not
/// known, and an empty value, is JSON. Names are compared as they are written, parameters but for `q` do not count.
MediaType preferred_type(std::string_view accept) noexcept;

/// The Content-Type of a body; empty for gRPC.
std::string_view content_type_of(MediaType type) noexcept;

/// The bodies of errors: Kong's own, or a file's text in the place of one.
class ErrorTemplates {
 public:
  ErrorTemplates();

  /// `text` with two "%s", for the message and for the request's id; "%%" stands for a percent sign.
  /// Errors: another conversion, or more of them than two.
  Status replace(MediaType type, std::string_view text);

  /// The body; empty for gRPC. The message stands in it as it is.
  [[nodiscard]] std::string render(MediaType type, std::string_view message, std::string_view request_id) const;

 private:
  struct Parts {
    std::string before, between, after;
    int places = 2;  ///< How many of message and id it has.
  };
  std::array<Parts, kTemplateCount> templates_;
};

/// gRPC's status for an HTTP status, as Kong maps them, and that status's name.
int grpc_status_of(int http_status) noexcept;
std::string_view grpc_message_of(int grpc_status) noexcept;

}  // namespace gibbon::gateway
