#include "gateway/balancer/hosts.hpp"

#include <algorithm>
#include <cerrno>

#include "base/ascii.hpp"
#include "gateway/balancer/words.hpp"

namespace gibbon::gateway {
namespace {

std::string name_key(std::string_view name) {
  if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
  return ascii_lower(name);
}

}  // namespace

HostsFile::Names HostsFile::parse(std::string_view text) {
  Names names;
  each_line(text, "#", [&names](const std::vector<std::string_view>& words) {
    const std::optional<Address> address = Address::parse(words[0]);
    if (!address) return;
    for (std::size_t i = 1; i < words.size(); ++i) {
      std::vector<Address>& addresses = names[name_key(words[i])];
      if (std::find(addresses.begin(), addresses.end(), *address) == addresses.end()) addresses.push_back(*address);
    }
  });
  return names;
}

bool HostsFile::refresh() {
  struct stat now{};
  Seen seen;
  if (stat(path_.c_str(), &now) == 0) {
    seen = {now.st_mtim, now.st_size, now.st_ino};
  } else if (errno == EACCES) {
    return false;
  }
  if (seen.size == seen_.size && seen.inode == seen_.inode && seen.modified.tv_sec == seen_.modified.tv_sec &&
      seen.modified.tv_nsec == seen_.modified.tv_nsec) {
    return false;
  }
  std::optional<std::string> text = seen.size < 0 ? std::string() : read_file(path_);
  if (!text) return false;
  seen_ = seen;
  names_ = parse(*text);
  return true;
}

const std::vector<Address>* HostsFile::find(std::string_view name) const {
  const auto found = names_.find(name_key(name));
  return found == names_.end() ? nullptr : &found->second;
}

}  // namespace gibbon::gateway
