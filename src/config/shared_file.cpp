#include "config/shared_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace gibbon::config {
namespace {

Status write_all(int descriptor, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error("cannot write " + path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Error system_error(const std::string& what) { return {what + ": " + std::strerror(errno), {}}; }

Result<int> create_shared_file(const std::string& directory, std::string* path) {
  *path = directory + "/new.XXXXXX";
  const int descriptor = mkostemp(path->data(), O_CLOEXEC);
  if (descriptor < 0) return system_error("cannot create a file in " + directory);
  struct stat owner {};
  const bool done =
      stat(directory.c_str(), &owner) == 0 &&
      (geteuid() != 0 || owner.st_uid == 0 || fchown(descriptor, owner.st_uid, owner.st_gid) == 0);
  if (done) return descriptor;
  Error error = system_error("cannot hand a file to the owner of " + directory);
  close(descriptor);
  unlink(path->c_str());
  return error;
}

Status write_shared_file(const std::string& directory, const std::string& name, std::string_view text) {
  const std::string path = directory + "/" + name;
  std::string temporary;
  const Result<int> file = create_shared_file(directory, &temporary);
  if (!file) return file.error();
  Status status = write_all(*file, text, temporary);
  close(*file);
  if (status && rename(temporary.c_str(), path.c_str()) != 0)
    status = system_error("cannot rename to " + path);
  if (!status) unlink(temporary.c_str());
  return status;
}

}  // namespace gibbon::config
