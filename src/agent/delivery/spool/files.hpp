#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

/// What the spool wants of the operating system, small enough to be replaced by a disk that fails.
namespace gibbon::agent {

/// An open file. Threads: one. Closes at the end.
class SpoolFile {
 public:
  virtual ~SpoolFile() = default;
  /// Writes all of `bytes` at `offset`. On an error any part of them may have been written.
  virtual Status write_at(std::uint64_t offset, std::string_view bytes) = 0;
  /// Reads up to bytes.size() at `offset`; less only at the end of the file.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> bytes) = 0;
  virtual Status truncate(std::uint64_t size) = 0;
  /// Makes what was written survive power loss.
  virtual Status sync() = 0;
  virtual Result<std::uint64_t> size() = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// Opens for reading and writing; makes the file (mode 0600) where it is missing.
  virtual Result<std::unique_ptr<SpoolFile>> open(const std::string& path) = 0;
  /// The names in a directory, sorted; none where it is missing.
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  /// Makes the directory with its parents, mode 0700.
  virtual Status make_directory(const std::string& path) = 0;
  virtual Status remove(const std::string& path) = 0;
  virtual Result<std::string> read(const std::string& path) = 0;
  /// Replaces a whole small file at once (mode 0600): a reader finds the old text or the new one.
  virtual Status replace(const std::string& path, std::string_view text) = 0;

  static FileSystem& real();
};

}  // namespace gibbon::agent
