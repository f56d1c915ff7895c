#include "record/record.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "build_record.hpp"
#include "temporary_directory.hpp"

namespace gibbon::record {
namespace {

using gibbon::testing::SampleExchange;

/// As it comes out of a ring.
struct Written {
  explicit Written(const SampleExchange& exchange)
      : producer(std::move(RingProducer::claim(directory.path(), 65536)).value()) {
    EXPECT_TRUE(gibbon::testing::push(producer, exchange));
    RingConsumer consumer(std::move(RingMapping::open(directory.path() + "/ring.0")).value(), 0);
    RingConsumer::Item item;
    EXPECT_TRUE(consumer.next(&item));
    bytes.assign(reinterpret_cast<const char*>(item.bytes.data()), item.bytes.size());
  }
  [[nodiscard]] std::span<const std::byte> span() const {
    return {reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()};
  }
  gibbon::testing::TemporaryDirectory directory;
  RingProducer producer;
  std::string bytes;
};

SampleExchange sample() {
  SampleExchange e;
  for (std::uint8_t i = 0; i < 16; ++i) e.request_id[i] = static_cast<std::uint8_t>(0x10 + i);
  e.request_headers = {{"Host", "localhost:8000"}, {"X-Empty", ""}};
  e.response_headers = {{"Content-Type", "application/json"}};
  e.request_body = "{\"test\": \"data\"}";
  e.response_body = "partial";
  e.response_body_size = 5000;
  e.service_name = "httpbin";
  e.upstream_status = "502, 200";
  e.credential_id = "key";
  e.serialize_values = {{"a.b", "1"}, {"gone", ""}};
  e.tried = {{5, 6, "127.0.0.1", 8080, Try::State::kFailed, 502}, {7, 8, "::1", 81, Try::State::kAnswered, 0}};
  e.request_bytes = 140;
  e.receive_ms = 3;
  return e;
}

TEST(ParsedRecord, GivesBackWhatWasWritten) {
  Written written(sample());
  ParsedRecord record;
  ASSERT_TRUE(record.parse(written.span()).ok());
  const ExchangeRecord& e = record.exchange();
  EXPECT_EQ(e.method, "POST");
  EXPECT_EQ(e.target, "/httpbin/post?a=1");
  EXPECT_EQ(e.upstream, "127.0.0.1:8080");
  EXPECT_EQ(e.service_name, "httpbin");
  EXPECT_EQ(e.route_name, "");
  ASSERT_EQ(e.request_headers.size(), 2u);
  EXPECT_EQ(e.request_headers[0].value, "localhost:8000");
  EXPECT_EQ(e.request_headers[1].name, "X-Empty");
  EXPECT_EQ(e.request_headers[1].value, "");
  EXPECT_EQ(e.request_body.bytes, "{\"test\": \"data\"}");
  EXPECT_FALSE(e.request_body.truncated());
  EXPECT_EQ(e.response_body.bytes, "partial");
  EXPECT_TRUE(e.response_body.truncated());
  EXPECT_EQ(e.request_id, "101112131415161718191a1b1c1d1e1f");
  EXPECT_DOUBLE_EQ(e.id, 1753298422993.0 + 1136 / 4096.0);
  EXPECT_EQ(e.status, 200);
  EXPECT_EQ(e.port, 8000);
  EXPECT_EQ(e.upstream_status, "502, 200");
  EXPECT_EQ(e.credential_id, "key");
  EXPECT_EQ(e.request_bytes, 140u);
  EXPECT_EQ(e.receive_ms, 3);
  EXPECT_EQ(e.source, ExchangeRecord::Source::kUpstream);
  ASSERT_EQ(e.serialize_values.size(), 2u);
  EXPECT_EQ(e.serialize_values[0].path, "a.b");
  EXPECT_EQ(e.serialize_values[0].json, "1");
  EXPECT_EQ(e.serialize_values[1].json, "");
  ASSERT_EQ(e.tried.size(), 2u);
  EXPECT_EQ(e.tried[0].started_ns, 5u);
  EXPECT_EQ(e.tried[0].code, 502);
  EXPECT_EQ(e.tried[0].state, Try::State::kFailed);
  EXPECT_EQ(e.tried[1].ip, "::1");
  EXPECT_EQ(e.tried[1].port, 81);
}

TEST(QueuedEntry, GivesBackWhatWasWrittenAndRefusesDamage) {
  gibbon::testing::TemporaryDirectory directory;
  RingProducer producer(std::move(RingProducer::claim(directory.path(), 65536)).value());
  ASSERT_TRUE(gibbon::testing::push_entry(producer, sample(), "{\"own\":1}"));
  RingConsumer consumer(std::move(RingMapping::open(directory.path() + "/ring.0")).value(), 0);
  RingConsumer::Item item;
  ASSERT_TRUE(consumer.next(&item));
  EXPECT_EQ(type_of(item.bytes), kQueueRecord);
  QueuedEntry queued;
  ASSERT_TRUE(queued.parse(item.bytes).ok());
  EXPECT_EQ(queued.entry, "{\"own\":1}");
  EXPECT_EQ(queued.entry_uuid[6] >> 4, 7) << "a UUIDv7";
  std::vector<std::byte> bytes(item.bytes.begin(), item.bytes.end());
  std::fill_n(bytes.begin() + offsetof(QueueHead, length), 4, std::byte{0xff});
  EXPECT_FALSE(queued.parse(bytes).ok());
  for (std::size_t cut = 0; cut < item.bytes.size(); cut += 8) EXPECT_FALSE(queued.parse(item.bytes.first(cut)).ok()) << cut;
}

TEST(ParsedRecord, TheEntryIdIsAUuidV7ThatStaysTheSame) {
  Written written(sample());
  ParsedRecord first, second;
  ASSERT_TRUE(first.parse(written.span()).ok());
  ASSERT_TRUE(second.parse(written.span()).ok());
  const std::string id(first.exchange().entry_id);
  EXPECT_EQ(id, second.exchange().entry_id);
  ASSERT_EQ(id.size(), 36u);
  EXPECT_EQ(id.substr(0, 18), "019838ba-ccd1-7470");  // 1753298422993 ms, version 7, 1136/4096 ms
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);

  SampleExchange other = sample();
  other.plugin_id[3] = 1;
  Written another(other);
  ASSERT_TRUE(second.parse(another.span()).ok());
  EXPECT_NE(id, second.exchange().entry_id) << "two plugins that record a request make two entries";
}

TEST(ParsedRecord, RefusesEveryCutAndEveryWrongLength) {
  const Written written(sample());
  ParsedRecord record;
  for (std::size_t cut = 0; cut < written.bytes.size(); cut += 8) {
    // An allocation of the exact size, so that a sanitizer sees a read beyond it.
    auto copy = std::make_unique<std::byte[]>(cut);
    std::copy_n(written.span().data(), cut, copy.get());
    EXPECT_FALSE(record.parse({copy.get(), cut}).ok());
    if (cut >= sizeof(RecordHead)) {
      const auto size = static_cast<std::uint32_t>(cut);
      std::memcpy(copy.get(), &size, sizeof size);
      EXPECT_FALSE(record.parse({copy.get(), cut}).ok()) << cut;
    }
  }
  for (std::size_t at = offsetof(ExchangeHead, request_header_count); at < offsetof(ExchangeHead, unused); at += 4) {
    std::string bytes = written.bytes;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), 4, '\xff');
    EXPECT_FALSE(record.parse({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}).ok()) << at;
  }
  for (const std::size_t body : {offsetof(ExchangeHead, request_body), offsetof(ExchangeHead, response_body)}) {
    std::string bytes = written.bytes;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(body + offsetof(BodyHead, captured)), 4, '\xff');
    EXPECT_FALSE(record.parse({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}).ok()) << body;
  }
  std::string unknown = written.bytes;
  unknown[4] = 9;
  EXPECT_FALSE(record.parse({reinterpret_cast<const std::byte*>(unknown.data()), unknown.size()}).ok());
}

}  // namespace
}  // namespace gibbon::record
