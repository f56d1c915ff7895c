#include "agent/delivery/sink/file_sink.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "../record/temporary_directory.hpp"

namespace gibbon::agent {
namespace {

using Outcome = SinkAnswer::Outcome;

class FileSinkTest : public ::testing::Test {
 protected:
  Destination to(bool reopen = false) const {
    Destination d;
    d.kind = Destination::Kind::kFile;
    d.url = path;
    d.reopen = reopen;
    return d;
  }
  static SinkAnswer send(FileSink& sink, std::string_view lines) {
    SinkAnswer got;
    int calls = 0;
    sink.send({lines, 1, {}}, [&](const SinkAnswer& answer) {
      got = answer;
      ++calls;
    });
    EXPECT_EQ(calls, 1);
    return got;
  }
  std::string content() const {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  gibbon::testing::TemporaryDirectory directory;
  std::string path = directory.path() + "/out.log";
};

TEST_F(FileSinkTest, AppendsLinesToAFileThatItMakes) {
  const mode_t mask = ::umask(022);
  FileSink sink(to());
  EXPECT_EQ(send(sink, "{\"a\":1}\n{\"a\":2}\n").outcome, Outcome::kDelivered);
  ::umask(mask);
  EXPECT_EQ(send(sink, "{\"a\":3}\n").outcome, Outcome::kDelivered);
  EXPECT_EQ(content(), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0644u);
}

TEST_F(FileSinkTest, KeepsTheFileUntilItIsToldToReopen) {
  FileSink sink(to());
  send(sink, "1\n");
  std::filesystem::rename(path, path + ".1");
  send(sink, "2\n");
  EXPECT_FALSE(std::filesystem::exists(path));
  sink.reopen();
  send(sink, "3\n");
  EXPECT_EQ(content(), "3\n");
}

TEST_F(FileSinkTest, OpensTheFileForEachWriteWhereItShall) {
  FileSink sink(to(true));
  send(sink, "1\n");
  std::filesystem::rename(path, path + ".1");
  send(sink, "2\n");
  EXPECT_EQ(content(), "2\n");
}

TEST_F(FileSinkTest, AMissingDirectoryIsAwayUntilItIsThere) {
  path = directory.path() + "/later/out.log";
  FileSink sink(to());
  const SinkAnswer answer = send(sink, "1\n");
  EXPECT_EQ(answer.outcome, Outcome::kAway);
  EXPECT_EQ(answer.reason, "cannot open " + path + ": No such file or directory");
  std::filesystem::create_directory(directory.path() + "/later");
  EXPECT_EQ(send(sink, "1\n").outcome, Outcome::kDelivered);
  EXPECT_EQ(content(), "1\n");
}

TEST_F(FileSinkTest, APipeWithoutAReaderIsAwayAndHoldsNobodyUp) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  FileSink sink(to());
  EXPECT_EQ(send(sink, "1\n").outcome, Outcome::kAway);
}

TEST_F(FileSinkTest, AFullDiskLeavesNoHalfLine) {
  FileSink sink(to());
  ASSERT_EQ(send(sink, "first\n").outcome, Outcome::kDelivered);
  // The limit of a file's size takes a part of the load, as a full disk does.
  const auto before = ::signal(SIGXFSZ, SIG_IGN);
  rlimit old{}, small{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  small = {10, old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const SinkAnswer answer = send(sink, "second and longer\n");
  ::setrlimit(RLIMIT_FSIZE, &old);
  ::signal(SIGXFSZ, before);
  EXPECT_EQ(answer.outcome, Outcome::kAway);
  EXPECT_EQ(content(), "first\n");
  EXPECT_EQ(send(sink, "second and longer\n").outcome, Outcome::kDelivered);
  EXPECT_EQ(content(), "first\nsecond and longer\n");
}

}  // namespace
}  // namespace gibbon::agent
