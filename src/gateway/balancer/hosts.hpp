#pragma once

#include <netinet/in.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// What nginx's resolver does not know: the hosts file, and the search list of resolv.conf.
namespace gibbon::gateway {

/// An IPv4 or IPv6 address.
struct Address {
  sa_family_t family = AF_UNSPEC;
  std::array<std::uint8_t, 16> bytes{};  ///< Network order; the first 4 where AF_INET.
  std::uint32_t scope = 0;               ///< IPv6: the interface of a link-local address.
  bool operator==(const Address&) const = default;

  /// "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "fe80::1%eth0". Nothing where it is no address.
  static std::optional<Address> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  /// Fills `storage` and returns its length.
  socklen_t to_sockaddr(std::uint16_t port, sockaddr_storage* storage) const noexcept;
};

/// A hosts file. Names match whatever their case, with or without a final dot.
/// Threads: one at a time. A file that is missing counts as empty; one that may not be read keeps what it said when
/// it could be: nginx's master reads it for workers that may not.
class HostsFile {
 public:
  explicit HostsFile(std::string path) : path_(std::move(path)) {}

  /// Reads the file again where its time, size or inode changed. True where it did. Costs one stat().
  bool refresh();
  /// The addresses of `name` in the file's order, without repetition; null where the file does not name it.
  [[nodiscard]] const std::vector<Address>* find(std::string_view name) const;

  /// Parses the text of a hosts file; lines that make no sense are passed over.
  using Names = std::unordered_map<std::string, std::vector<Address>>;
  static Names parse(std::string_view text);

 private:
  std::string path_;
  Names names_;
  struct Seen {
    timespec modified{};
    off_t size = -1;
    ino_t inode = 0;
  } seen_;
};

/// What resolv.conf says, with the C library's defaults.
struct ResolverConfig {
  std::vector<std::string> nameservers;  ///< "192.0.2.1", "[2001:db8::1]"; 127.0.0.1 where the file names none.
  std::vector<std::string> search;       ///< Lower case, without final dots.
  std::uint32_t ndots = 1;
  std::uint32_t timeout_s = 5;
  std::uint32_t attempts = 2;

  static ResolverConfig parse(std::string_view text);
  /// A file that cannot be read gives the defaults.
  static ResolverConfig load(const std::string& path);

  /// The names to ask for in turn until one has addresses: with at least `ndots` dots the name itself first, with
  /// fewer last; with a final dot the name alone. In lower case, without final dots.
  [[nodiscard]] std::vector<std::string> candidates(std::string_view name) const;
};

}  // namespace gibbon::gateway
