#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/client/url.hpp"
#include "gibbon/async.hpp"

/// HTTP/1.1 as a client speaks it (RFC 9112), in memory: whoever uses it reads and writes the bytes.
namespace gibbon::gateway::client {

/// The bytes of a request: its head, with Host, Content-Length and Connection, and its body. Headers of these names,
/// and Transfer-Encoding, are left out of what the caller gives.
/// Throws WaitError (kProtocol) where the method or a header would break the message.
std::string request_bytes(const HttpRequest& request, const Url& url);

/// Takes an answer apart, however its bytes are cut. Interim answers (1xx) are passed over.
class ResponseParser {
 public:
  /// All lines of an answer together: status line, headers, chunk sizes and trailers.
  static constexpr std::size_t kMostHeadBytes = 64 * 1024;

  enum class State : std::uint8_t { kIncomplete, kComplete, kFailed };

  /// `method`: of the request, since HEAD has no body.
  ResponseParser(std::string_view method, std::size_t max_body_bytes);
  State feed(std::string_view bytes);
  /// The other end has closed.
  State end();

  /// Anything has come at all.
  [[nodiscard]] bool has_begun() const { return begun_; }
  /// Of one that is complete: the connection can serve another request.
  [[nodiscard]] bool can_be_kept() const { return keep_alive_ && !surplus_; }
  /// Of one that is complete.
  HttpResponse& response() { return response_; }
  /// Of one that has failed.
  [[nodiscard]] WaitError::Kind failure_kind() const { return failure_kind_; }
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  enum class Part : std::uint8_t { kStatus, kHeader, kLength, kUntilClose, kChunkSize, kChunk, kChunkEnd, kTrailer, kDone, kFailed };

  bool take_line(std::string_view& bytes);
  void read_line();
  void read_status();
  void read_header();
  void add_header(std::string_view line);
  void end_of_head();
  bool read_transfer_encoding(bool& chunked);
  bool read_content_length(bool& given);
  void read_chunk_size();
  std::size_t take_body(std::string_view bytes, std::uint64_t most);
  void fail(WaitError::Kind kind, std::string what);
  void fail(std::string what) { fail(WaitError::Kind::kProtocol, std::move(what)); }
  [[nodiscard]] State state() const;

  Part part_ = Part::kStatus;
  bool head_request_, begun_ = false, keep_alive_ = false, surplus_ = false, http_11_ = false;
  std::size_t max_body_bytes_;
  std::string line_;
  std::size_t line_bytes_ = 0;   ///< Of all lines.
  std::uint64_t remaining_ = 0;  ///< Of the body, or of the chunk.
  HttpResponse response_;
  WaitError::Kind failure_kind_ = WaitError::Kind::kProtocol;
  std::string failure_;
};

}  // namespace gibbon::gateway::client
