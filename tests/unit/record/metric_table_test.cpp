#include "record/metric_table.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <fstream>
#include <map>
#include <thread>

#include "temporary_directory.hpp"

namespace gibbon::record {
namespace {

using testing::TemporaryDirectory;
using Values = std::vector<double>;

const MetricSource kCounter{"p", {MetricFamily::Type::kCounter, "count_total", "", {"a", "b"}, {}}};
const MetricSource kHistogram{"p", {MetricFamily::Type::kHistogram, "time_ms", "", {"a"}, {1, 10}}};

MetricWriter writer(const TemporaryDirectory& directory, std::uint32_t slot = 0) {
  auto made = MetricWriter::open(directory.path(), slot);
  if (!made.ok()) throw std::runtime_error(made.error().message);
  return std::move(made).value();
}

void add(MetricWriter& to, const MetricSource& source, std::vector<std::string_view> labels, double value = 1) {
  to.add(source, labels, value);
}

/// "plugin family a,b" to its values.
std::map<std::string, Values> read(const std::string& path, std::uint64_t* errors = nullptr) {
  auto reader = MetricReader::open(path);
  if (!reader.ok()) throw std::runtime_error(reader.error().message);
  std::map<std::string, Values> all;
  MetricSeries series;
  while (reader.value().next(&series)) {
    std::string name = std::string(series.plugin) + " " + std::string(series.family);
    for (const std::string_view label : series.labels) name.append(" ").append(label);
    Values values;
    for (std::size_t i = 0; i < series.values.size(); ++i)
      values.push_back(i + 1 == series.values.size() ? std::bit_cast<double>(series.values[i])
                                                     : static_cast<double>(series.values[i]));
    EXPECT_TRUE(all.emplace(name, values).second) << name;
  }
  if (errors != nullptr) *errors = reader.value().errors();
  return all;
}

TEST(MetricTable, CountsAndPutsIntoBuckets) {
  TemporaryDirectory directory;
  MetricWriter to = writer(directory);
  add(to, kCounter, {"x", "y"});
  add(to, kCounter, {"x", "y"}, 2.5);
  add(to, kCounter, {"xy", ""});
  add(to, kCounter, {"", "xy"});
  for (const double value : {0.5, 1.0, 1.5, 10.0, 11.0}) add(to, kHistogram, {"x"}, value);
  const std::map<std::string, Values> wanted = {{"p count_total x y", {3.5}},
                                                {"p count_total xy ", {1}},
                                                {"p count_total  xy", {1}},
                                                {"p time_ms x", {2, 2, 1, 24}}};
  EXPECT_EQ(read(directory.path() + "/metrics.0"), wanted);
  EXPECT_EQ(to.errors(), 0U);
}

TEST(MetricTable, GoesOnWhereAWorkerTakesASlotOver) {
  TemporaryDirectory directory;
  for (int worker = 1; worker <= 3; ++worker) {
    MetricWriter to = writer(directory, 4);
    for (int i = 0; i < 1000; ++i) add(to, kCounter, {"x", std::to_string(i)});
  }
  const auto all = read(directory.path() + "/metrics.4");
  EXPECT_EQ(all.size(), 1000U);
  for (const auto& [name, values] : all) EXPECT_EQ(values, Values{3}) << name;
  EXPECT_EQ(metric_files(directory.path()), std::vector<std::string>{directory.path() + "/metrics.4"});
}

TEST(MetricTable, CountsWhatFindsNoRoom) {
  TemporaryDirectory directory;
  MetricWriter to = writer(directory);
  const std::string large(1024 * 1024, 'x');
  int taken = 0;
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t before = to.errors();
    add(to, kCounter, {large, std::to_string(i)});
    taken += to.errors() == before ? 1 : 0;
  }
  EXPECT_EQ(taken, 15);
  add(to, kCounter, {"one label is missing"});
  std::uint64_t errors = 0;
  EXPECT_EQ(read(directory.path() + "/metrics.0", &errors).size(), 15U);
  EXPECT_EQ(errors, 6U);
  add(to, kCounter, {large, "0"});
  EXPECT_EQ(to.errors(), 6U) << "a series that exists goes on";
}

TEST(MetricTable, ReplacesADamagedFile) {
  TemporaryDirectory directory;
  std::ofstream(directory.path() + "/metrics.0") << "not a table";
  EXPECT_FALSE(MetricReader::open(directory.path() + "/metrics.0").ok());
  MetricWriter to = writer(directory);
  add(to, kCounter, {"x", "y"});
  EXPECT_EQ(read(directory.path() + "/metrics.0").size(), 1U);
}

TEST(MetricTable, IsReadWhileItIsWritten) {
  TemporaryDirectory directory;
  MetricWriter to = writer(directory);
  std::thread work([&] {
    for (int i = 0; i < 20'000; ++i) {
      add(to, kCounter, {"x", std::to_string(i % 500)});
      add(to, kHistogram, {"x"}, 3);
    }
  });
  for (int i = 0; i < 50; ++i)
    for (const auto& [name, values] : read(directory.path() + "/metrics.0")) EXPECT_LE(values.size(), 4U) << name;
  work.join();
  EXPECT_EQ(read(directory.path() + "/metrics.0").at("p time_ms x"), (Values{0, 20'000, 0, 60'000}));
}

}  // namespace
}  // namespace gibbon::record
