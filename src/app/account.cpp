#include "app/account.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/settings_text.hpp"

namespace gibbon::app {

namespace {

Account of(const passwd& entry) {
  const group* own = ::getgrgid(entry.pw_gid);
  return {entry.pw_name, own != nullptr ? own->gr_name : "", entry.pw_uid, entry.pw_gid};
}

}  // namespace

Result<Account> worker_account(const Settings& settings) {
  if (::geteuid() != 0) {
    const passwd* self = ::getpwuid(::geteuid());
    return self != nullptr ? of(*self) : Account{"", "", ::geteuid(), ::getegid()};
  }
  if (settings.nginx_user.empty()) {
    for (const char* name : {"kong", "www-data", "nobody"}) {
      if (const passwd* entry = ::getpwnam(name)) return of(*entry);
    }
    return Error{"nginx_user: neither 'kong' nor 'www-data' exists; name a user", "nginx_user"};
  }
  const auto words = settings::split_words(settings.nginx_user);
  const passwd* entry = ::getpwnam(words[0].c_str());
  if (entry == nullptr) return Error{"nginx_user: no such user '" + words[0] + "'", "nginx_user"};
  Account account = of(*entry);
  if (words.size() > 1) {
    const group* named = ::getgrnam(words[1].c_str());
    if (named == nullptr) return Error{"nginx_user: no such group '" + words[1] + "'", "nginx_user"};
    account.group = words[1];
    account.gid = named->gr_gid;
  }
  return account;
}

bool can_reach(const std::string& path, const Account& account) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    struct stat info;
    if (::stat(path.substr(0, end).c_str(), &info) != 0) return false;
    const mode_t needed = info.st_uid == account.uid   ? S_IXUSR
                          : info.st_gid == account.gid ? S_IXGRP
                                                       : S_IXOTH;
    if (account.uid != 0 && (info.st_mode & needed) == 0) return false;
  }
  return true;
}

}  // namespace gibbon::app
