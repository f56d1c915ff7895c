#include "agent/delivery/spool/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace gibbon::agent {
namespace {

Error failure(const char* what, const std::string& path, int code) {
  return Error{std::string("cannot ") + what + " " + path + ": " + std::strerror(code), {}};
}

class RealFile final : public SpoolFile {
 public:
  RealFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  RealFile(const RealFile&) = delete;
  RealFile& operator=(const RealFile&) = delete;
  ~RealFile() override { ::close(fd_); }

  Status write_at(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return failure("write", path_, n < 0 ? errno : ENOSPC);
      bytes.remove_prefix(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> bytes) override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = ::pread(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failure("read", path_, errno);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  Status truncate(std::uint64_t size) override {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return failure("truncate", path_, errno);
    return {};
  }

  Status sync() override {
    if (::fdatasync(fd_) != 0) return failure("sync", path_, errno);
    return {};
  }

  Result<std::uint64_t> size() override {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) return failure("read", path_, errno);
    return static_cast<std::uint64_t>(info.st_size);
  }

 private:
  int fd_;
  std::string path_;
};

class RealFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<SpoolFile>> open(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return failure("open", path, errno);
    return std::unique_ptr<SpoolFile>(std::make_unique<RealFile>(fd, path));
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    std::vector<std::string> names;
    DIR* dir = ::opendir(directory.c_str());
    if (dir == nullptr) {
      if (errno == ENOENT) return names;
      return failure("list", directory, errno);
    }
    while (const dirent* entry = ::readdir(dir)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(dir);
    std::sort(names.begin(), names.end());
    return names;
  }

  Status make_directory(const std::string& path) override {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
    const std::filesystem::path parent = std::filesystem::path(path).parent_path();
    std::error_code code;
    if (!parent.empty()) std::filesystem::create_directories(parent, code);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failure("make the directory", path, errno);
    return {};
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failure("remove", path, errno);
    return {};
  }

  Result<std::string> read(const std::string& path) override {
    Result<std::unique_ptr<SpoolFile>> file = open_existing(path);
    if (!file) return file.error();
    Result<std::uint64_t> size = (*file)->size();
    if (!size) return size.error();
    std::string text(std::min<std::uint64_t>(*size, 1 << 20), '\0');
    Result<std::size_t> n = (*file)->read_at(0, text);
    if (!n) return n.error();
    text.resize(*n);
    return text;
  }

  Status replace(const std::string& path, std::string_view text) override {
    const std::string unfinished = path + ".new";
    Result<std::unique_ptr<SpoolFile>> file = open(unfinished);
    if (!file) return file.error();
    for (Status step : {(*file)->truncate(0), (*file)->write_at(0, text), (*file)->sync()})
      if (!step) return step;
    if (::rename(unfinished.c_str(), path.c_str()) != 0) return failure("replace", path, errno);
    return {};
  }

 private:
  static Result<std::unique_ptr<SpoolFile>> open_existing(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return failure("open", path, errno);
    return std::unique_ptr<SpoolFile>(std::make_unique<RealFile>(fd, path));
  }
};

}  // namespace

FileSystem& FileSystem::real() {
  static RealFileSystem files;
  return files;
}

}  // namespace gibbon::agent
