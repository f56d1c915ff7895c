#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "agent/delivery/spool/files.hpp"

namespace gibbon::testing {

/// The real disk, which fails when the test says so. Threads: `fault` may be set from any.
class FaultyFiles final : public agent::FileSystem {
 public:
  enum class Fault {
    kNone,
    kWrite,       ///< EIO: nothing is written.
    kShortWrite,  ///< ENOSPC: the first half is written.
    kShortWriteForGood,  ///< And the half cannot be taken back.
    kRead,
    kOpen,
  };
  std::atomic<Fault> fault{Fault::kNone};
  std::atomic<int> failures{0};

  Result<std::unique_ptr<agent::SpoolFile>> open(const std::string& path) override {
    if (fails(Fault::kOpen)) return Error{"cannot open " + path + ": injected", {}};
    auto file = real_.open(path);
    if (!file) return file.error();
    return std::unique_ptr<agent::SpoolFile>(std::make_unique<File>(*this, std::move(*file)));
  }
  Result<std::vector<std::string>> list(const std::string& directory) override { return real_.list(directory); }
  Status make_directory(const std::string& path) override { return real_.make_directory(path); }
  Status remove(const std::string& path) override { return real_.remove(path); }
  Result<std::string> read(const std::string& path) override { return real_.read(path); }
  Status replace(const std::string& path, std::string_view text) override { return real_.replace(path, text); }

 private:
  bool fails(Fault kind) {
    if (fault != kind) return false;
    ++failures;
    return true;
  }

  class File final : public agent::SpoolFile {
   public:
    File(FaultyFiles& files, std::unique_ptr<agent::SpoolFile> real) : files_(files), real_(std::move(real)) {}
    Status write_at(std::uint64_t offset, std::string_view bytes) override {
      if (files_.fails(Fault::kWrite)) return Error{"injected: input/output error", {}};
      if (files_.fails(Fault::kShortWrite) || files_.fails(Fault::kShortWriteForGood)) {
        if (Status half = real_->write_at(offset, bytes.substr(0, bytes.size() / 2)); !half) return half;
        return Error{"injected: no space left on device", {}};
      }
      return real_->write_at(offset, bytes);
    }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<char> bytes) override {
      if (files_.fails(Fault::kRead)) return Error{"injected: input/output error", {}};
      return real_->read_at(offset, bytes);
    }
    Status truncate(std::uint64_t size) override {
      if (files_.fails(Fault::kShortWriteForGood)) return Error{"injected: input/output error", {}};
      return real_->truncate(size);
    }
    Status sync() override { return real_->sync(); }
    Result<std::uint64_t> size() override { return real_->size(); }

   private:
    FaultyFiles& files_;
    std::unique_ptr<agent::SpoolFile> real_;
  };

  agent::FileSystem& real_ = agent::FileSystem::real();
};

}  // namespace gibbon::testing
