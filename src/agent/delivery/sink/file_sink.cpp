#include "agent/delivery/sink/file_sink.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

namespace gibbon::agent {
namespace {

Error failure(const char* what, const std::string& path) {
  return {std::string(what) + " " + path + ": " + std::strerror(errno), {}};
}

}  // namespace

std::size_t FileSink::most_entries() const { return std::numeric_limits<std::size_t>::max(); }

void FileSink::reopen() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Status FileSink::open() {
  if (fd_ >= 0) return {};
  // Nothing may wait here: the thread serves all endpoints.
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
  if (fd_ < 0) return failure("cannot open", path_);
  return {};
}

/// Where nobody else has appended since, the file is as it was before.
void FileSink::take_back(std::size_t written) {
  const off_t end = ::lseek(fd_, 0, SEEK_CUR);
  struct stat info {};
  const bool last = end >= 0 && ::fstat(fd_, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == end;
  if (last && ::ftruncate(fd_, end - static_cast<off_t>(written)) == 0) return;
  torn_ = true;
}

Status FileSink::append(std::string_view lines) {
  std::size_t written = 0;
  while (written < lines.size()) {
    const ssize_t count = ::write(fd_, lines.data() + written, lines.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count > 0) {
      written += static_cast<std::size_t>(count);
      continue;
    }
    if (count == 0) errno = EIO;
    const Error error = failure("cannot write to", path_);
    if (written > 0) take_back(written);
    return error;
  }
  return {};
}

void FileSink::send(SinkLoad load, Done done) {
  Status status = open();
  if (status && torn_) {
    status = append("\n");
    torn_ = !status.ok();
  }
  if (status) status = append(load.lines);
  if (reopens_ || !status) reopen();
  if (status) {
    done({SinkAnswer::Outcome::kDelivered});
  } else {
    done({SinkAnswer::Outcome::kAway, status.error().message});
  }
}

}  // namespace gibbon::agent
