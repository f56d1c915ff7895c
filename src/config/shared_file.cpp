#include "config/shared_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
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

Status share_with_owner(int descriptor, const std::string& directory) {
  if (fchmod(descriptor, 0600) != 0) return system_error("cannot set the mode of a file in " + directory);
  struct stat owner {};
  if (stat(directory.c_str(), &owner) != 0) return system_error("cannot read " + directory);
  if (geteuid() == 0 && owner.st_uid != 0 && fchown(descriptor, owner.st_uid, owner.st_gid) != 0) {
    return system_error("cannot hand a file to the owner of " + directory);
  }
  return {};
}

Status write_shared_file(const std::string& directory, const std::string& name, std::string_view text) {
  const std::string path = directory + "/" + name;
  const std::string temporary = path + "." + std::to_string(getpid()) + ".new";
  unlink(temporary.c_str());
  const int descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return system_error("cannot create " + temporary);
  Status status = share_with_owner(descriptor, directory);
  if (status) status = write_all(descriptor, text, temporary);
  close(descriptor);
  if (status && rename(temporary.c_str(), path.c_str()) != 0) status = system_error("cannot rename to " + path);
  if (!status) unlink(temporary.c_str());
  return status;
}

}  // namespace gibbon::config
