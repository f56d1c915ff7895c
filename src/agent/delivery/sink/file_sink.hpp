#pragma once

#include "agent/delivery/sink/sink.hpp"
#include "base/result.hpp"

namespace gibbon::agent {

/// A file to which each entry is appended as a line: those of a load in one write, so that lines of several writers do
/// not mix. The file is made, with mode 0644, where it is missing, and stays open unless the destination says otherwise.
/// What a full disk took of a load is taken back, or ended with a newline where that is impossible.
/// A pipe or a device that is not ready counts as away.
class FileSink final : public Sink {
 public:
  explicit FileSink(const Destination& destination) : path_(destination.url), reopens_(destination.reopen) {}
  ~FileSink() override { reopen(); }
  [[nodiscard]] std::size_t most_entries() const override;
  void send(SinkLoad load, Done done) override;
  void reopen() override;

 private:
  Status open();
  Status append(std::string_view lines);
  void take_back(std::size_t written);

  std::string path_;
  bool reopens_;
  int fd_ = -1;
  bool torn_ = false;  ///< The file ends within a line that is not whole.
};

}  // namespace gibbon::agent
