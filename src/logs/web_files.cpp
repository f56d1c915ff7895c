#include "logs/web_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "http/server.hpp"

namespace gibbon::logs {
namespace {

/// Everything comes from here, and nothing goes anywhere else. Styles alone may stand inline: components set them.
constexpr const char* kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

std::string_view content_type(std::string_view path) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"},        {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},   {".css", "text/css; charset=utf-8"},
      {".json", "application/json; charset=utf-8"}, {".map", "application/json; charset=utf-8"},
      {".svg", "image/svg+xml"},                    {".png", "image/png"},
      {".jpg", "image/jpeg"},                       {".webp", "image/webp"},
      {".gif", "image/gif"},                        {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},                     {".woff", "font/woff"},
      {".ttf", "font/ttf"},                         {".wasm", "application/wasm"},
      {".txt", "text/plain; charset=utf-8"},        {".webmanifest", "application/manifest+json"}};
  for (const auto& [suffix, type] : kTypes) {
    if (path.ends_with(suffix)) return type;
  }
  return "application/octet-stream";
}

/// Segments that a file of the page can have: none is hidden, goes up, or holds what a file system may misread.
bool harmless(std::string_view path) {
  if (!path.starts_with('/') || path.find('\0') != std::string_view::npos ||
      path.find('\\') != std::string_view::npos) {
    return false;
  }
  return path.find("/.") == std::string_view::npos;
}

struct File {
  std::string bytes, etag;
};

std::optional<File> read_file(const std::string& directory, const std::string& path) {
  std::error_code failed;
  const auto root = std::filesystem::canonical(directory, failed);
  if (failed) return std::nullopt;
  const auto file = std::filesystem::canonical(directory + path, failed);  // Links are followed, but not out.
  if (failed || !file.native().starts_with(root.native() + "/")) return std::nullopt;
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  struct stat about {};
  File out;
  const bool regular = ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
  if (regular) {
    out.etag = fmt::format("\"{:x}-{:x}-{:x}\"", about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
    out.bytes.resize(static_cast<std::size_t>(about.st_size));
    std::size_t got = 0;
    while (got < out.bytes.size()) {
      const auto count = ::read(fd, out.bytes.data() + got, out.bytes.size() - got);
      if (count <= 0) break;
      got += static_cast<std::size_t>(count);
    }
    out.bytes.resize(got);
  }
  ::close(fd);
  return regular ? std::optional(std::move(out)) : std::nullopt;
}

/// What an If-None-Match header names (RFC 9110, 13.1.2), of tags without blanks or commas.
bool names(std::string_view if_none_match, std::string_view etag) {
  if (if_none_match == "*") return true;
  return if_none_match.find(etag) != std::string_view::npos;
}

}  // namespace

http::Response WebFiles::serve(const http::Request& request) const {
  std::string path = http::percent_decode(request.path);
  if (!harmless(path)) return http::error_response(404, "Not found");
  if (path == "/") path = "/index.html";
  std::optional<File> file;
  if (!directory_.empty()) file = read_file(directory_, path);
  if (!file) {
    if (path != "/index.html") return http::error_response(404, "Not found");
    return {200,
            {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}},
            "Gibbon's log service is running, but the files of its web page are missing" +
                (directory_.empty() ? std::string() : " in " + directory_) +
                ".\n\n  GET /logs?limit=10   the newest entries\n  GET /logs/stream     new ones as they come\n"
                "  GET /status          how it is doing\n"};
  }
  http::Response response;
  response.headers = {{"ETag", file->etag},
                      // The build puts a hash of the content into the names below /assets/.
                      {"Cache-Control",
                       path.starts_with("/assets/") ? "public, max-age=31536000, immutable" : "no-cache"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Content-Security-Policy", kContentSecurityPolicy}};
  if (names(request.header("If-None-Match"), file->etag)) {
    response.status = 304;
    return response;
  }
  response.headers.push_back({"Content-Type", std::string(content_type(path))});
  response.body = std::move(file->bytes);
  return response;
}

}  // namespace gibbon::logs
