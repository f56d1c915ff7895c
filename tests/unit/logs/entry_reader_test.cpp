#include "logs/entry_reader.hpp"

#include <gtest/gtest.h>

#include "logs/entry_key.hpp"

namespace gibbon::logs {
namespace {

ReadEntries read(std::string body, EntryReader::Form form = EntryReader::Form::kGuess) {
  EntryReader reader;
  return reader.read(body, form);
}

TEST(EntryReader, TakesTheGuidesEntry) {
  const std::string json =
      R"({"id": 1753298422993.277, "type": "kong_request_response", "timestamp": "2025-07-23T19:20:22.993Z",)"
      R"( "request": {"url": "http://localhost:8000/httpbin/post?a=b", "method": "POST",)"
      R"( "headers": {"content-type": "application/json"}, "body": "{\"test\": \"data\"}"},)"
      R"( "response": {"status_code": 200, "headers": {}, "body": "{\"success\": true}"}})";
  const auto out = read(json);
  ASSERT_EQ(out.entries.size(), 1u);
  const auto& entry = out.entries[0];
  EXPECT_EQ(entry.json, json);
  EXPECT_EQ(entry.id, "1753298422993.277");
  EXPECT_EQ(entry.entry_id, "");
  EXPECT_EQ(entry.timestamp_us, 1753298422993000);
  EXPECT_EQ(entry.method, "POST");
  EXPECT_EQ(entry.host, "localhost");
  EXPECT_EQ(entry.path, "/httpbin/post");
  EXPECT_EQ(entry.status, 200);
}

TEST(EntryReader, TakesWhatAFilterNeeds) {
  const auto out = read(R"({"entry_id":"0190-x","request_id":"abc","request":{"url":"https://u:p@[::1]:80?x=/y"},)"
                        R"("response":{"status":404},"service":{"name":"s"},"route":{"name":"r"},)"
                        R"("latencies":{"request":12.5},"started_at":1700000000123})");
  ASSERT_EQ(out.entries.size(), 1u);
  const auto& entry = out.entries[0];
  EXPECT_EQ(entry.entry_id, "0190-x");
  EXPECT_EQ(entry.request_id, "abc");
  EXPECT_EQ(entry.host, "[::1]");
  EXPECT_EQ(entry.path, "/");
  EXPECT_EQ(entry.status, 404);
  EXPECT_EQ(entry.service, "s");
  EXPECT_EQ(entry.route, "r");
  EXPECT_EQ(entry.duration_ms, 12.5);
  EXPECT_EQ(entry.timestamp_us, 1700000000123000);
}

TEST(EntryReader, FormsOfABody) {
  const struct {
    const char* body;
    std::size_t good, bad;
  } cases[] = {
      {"", 0, 0},
      {" \r\n ", 0, 0},
      {"[]", 0, 0},
      {"[ ]", 0, 0},
      {R"({"id":1})", 1, 0},
      {"{\n  \"id\": 1,\n  \"a\": {\n }\n}\n", 1, 0},
      {R"([{"id":1},{"id":2}])", 2, 0},
      {"[\n{\"id\":1}\n,\n{\"a\":\"]},{\\\"\"}\n]\n", 2, 0},
      {"{\"id\":1}\n{\"id\":2}\r\n\n{\"id\":3}", 3, 0},
      {R"({"id":1}{"id":2} {"id":3})", 3, 0},
      {"{\n\"id\":1}\n{\n\"id\":2}", 2, 0},
      {"\xef\xbb\xbf{\"id\":1}", 1, 0},
      {"{\"id\":1}\n{\"id\":2\n{\"id\":3}", 2, 1},
      {"{\"id\":1}\nnonsense\n[]\n7\n{\"id\":3}", 2, 3},
      {R"([{"id":1},7,null,"x",[],true,{"id":2}])", 2, 5},
      {R"([{"id":1},{"id":},{"id":2}])", 2, 1},
      {R"([{"id":1},{"id":]},{"id":2}])", 1, 2},
      {R"([{"id":1} {"id":2}])", 1, 1},
      {R"([{"id":1},{"id":2})", 2, 1},
      {R"([{"id":1},{"id":2)", 1, 1},
      {R"([{"id":1}] x)", 1, 1},
      {R"([{"id":1},])", 1, 1},
      {R"([,{"id":1}])", 1, 1},
      {R"({"id":1)", 0, 1},
      {R"({"id":"a)", 0, 1},
      {R"({"id":01})", 0, 1},
      {R"({"a":"\x"})", 0, 1},
      {"{\"a\":\"\xff\"}", 0, 1},
      {"name=value&x=y", 0, 1},
      {"42", 0, 1},
  };
  for (const auto& [body, good, bad] : cases) {
    const auto out = read(body);
    EXPECT_EQ(out.entries.size(), good) << body;
    EXPECT_EQ(out.invalid, bad) << body;
    EXPECT_EQ(out.problems.size(), bad) << body;
  }
}

TEST(EntryReader, LinesAreReadAloneWhereTheTypeSaysSo) {
  const auto out = read("{\"id\":\n{\"id\":2}\n\n{\"id\":3}", EntryReader::Form::kLines);
  EXPECT_EQ(out.entries.size(), 2u);
  ASSERT_EQ(out.problems.size(), 1u);
  EXPECT_EQ(out.problems[0].index, 0u);
  EXPECT_NE(out.problems[0].message.find("not valid JSON"), std::string::npos);
}

TEST(EntryReader, NamesTheIndexAndTheKind) {
  const auto out = read(R"([{"id":1},[1],{"id":2},"x"])");
  ASSERT_EQ(out.problems.size(), 2u);
  EXPECT_EQ(out.problems[0].index, 1u);
  EXPECT_EQ(out.problems[0].message, "an entry is a JSON object, and this is an array");
  EXPECT_EQ(out.problems[1].index, 3u);
  EXPECT_EQ(out.problems[1].message, "an entry is a JSON object, and this is a string");
}

TEST(EntryReader, BoundsTheListOfProblems) {
  std::string body = "[1";
  for (int i = 0; i < 999; ++i) body += ",1";
  const auto out = read(body + "]");
  EXPECT_EQ(out.invalid, 1000u);
  EXPECT_EQ(out.problems.size(), 100u);
}

TEST(EntryReader, MakesAnEntryIdWhereThereIsNone) {
  const auto out = read(R"([{"a":1},{},{"id":null},{"id":{}}])");
  ASSERT_EQ(out.entries.size(), 4u);
  for (const auto& entry : out.entries) {
    EXPECT_EQ(entry.entry_id.size(), 36u);
    EXPECT_EQ(entry.entry_id[14], '7');
    EXPECT_TRUE(entry.json.starts_with("{\"entry_id\":\"" + entry.entry_id + "\"")) << entry.json;
  }
  EXPECT_NE(out.entries[0].entry_id, out.entries[1].entry_id);
  EXPECT_TRUE(out.entries[0].json.ends_with(R"(","a":1})"));
  EXPECT_TRUE(out.entries[1].json.ends_with("\"}"));
  EXPECT_EQ(read(out.entries[1].json).entries.size(), 1u);
}

TEST(EntryReader, KeepsNumbersThatFitNoMachineType) {
  const std::string big = R"({"id":5,"big":123456789012345678901234567890,"response":{"status_code":201}})";
  const auto kept = read(big);
  ASSERT_EQ(kept.entries.size(), 1u);
  EXPECT_EQ(kept.entries[0].json, big);
  EXPECT_EQ(kept.entries[0].status, 201);
}

TEST(EntryReader, EntriesStandOnOneLine) {
  const auto out = read("{\n \"id\": 1,\r\n \"a\": \"b\\n\"\n}");
  ASSERT_EQ(out.entries.size(), 1u);
  EXPECT_EQ(out.entries[0].json, "{  \"id\": 1,   \"a\": \"b\\n\" }");
}

TEST(EntryReader, KeysTellRepeatsFromOthers) {
  const auto key = [](const char* json) { return read(json).entries.at(0).key; };
  EXPECT_EQ(key(R"({"entry_id":"0190163D-8694-739B-AEA5-966C26F8AD91","a":1})"),
            key(R"({"entry_id":"0190163d-8694-739b-aea5-966c26f8ad91","a":2})"));
  EXPECT_NE(key(R"({"entry_id":"a"})"), key(R"({"entry_id":"b"})"));
  EXPECT_EQ(key(R"({"id":1753298422993.277})"), key(R"({"id":1753298422993.277})"));
  EXPECT_NE(key(R"({"id":1,"a":1})"), key(R"({"id":2,"a":1})"));
  EXPECT_NE(key(R"({"id":1,"a":1})"), key(R"({"id":1,"a":2})")) << "another entry with a colliding id";
  EXPECT_NE(key(R"({"id":"x"})"), key(R"({"entry_id":"x"})"));
}

TEST(EntryReader, ManyEntriesThroughOneReader) {
  EntryReader reader;
  for (int size = 0; size < 3000; size += 7) {
    std::string body = R"({"id":1,"a":")" + std::string(static_cast<std::size_t>(size), 'x') + "\"}";
    body.shrink_to_fit();
    ASSERT_EQ(reader.read(body, EntryReader::Form::kGuess).entries.size(), 1u) << size;
  }
}

TEST(Timestamp, Forms) {
  const struct {
    const char* text;
    std::int64_t us;
  } cases[] = {{"1970-01-01T00:00:00Z", 0},
               {"2025-07-23T19:20:22.993Z", 1753298422993000},
               {"2025-07-23T21:20:22.993456789+02:00", 1753298422993456},
               {"2025-07-23 19:20:22", 1753298422000000},
               {"2025-07-23T14:20:22-0500", 1753298422000000},
               {"2024-02-29T12:00:00z", 1709208000000000},
               {"1969-12-31T23:59:59.5Z", -500000}};
  for (const auto& [text, us] : cases) {
    std::int64_t got = 1;
    EXPECT_TRUE(parse_timestamp(text, &got)) << text;
    EXPECT_EQ(got, us) << text;
  }
  for (const char* text : {"", "now", "2025-07-23", "2025-13-01T00:00:00Z", "2025-07-23T19:20:22.Z",
                           "2025-07-23T19:20:22+2", "2025-07-23T25:00:00Z", "2025-07-23T19:20:22ZZ"}) {
    std::int64_t got;
    EXPECT_FALSE(parse_timestamp(text, &got)) << text;
  }
}

TEST(Timestamp, Numbers) {
  std::int64_t us = 0;
  for (const double number : {1753298422.993, 1753298422993.0, 1753298422993000.0}) {
    ASSERT_TRUE(parse_timestamp(number, &us));
    EXPECT_EQ(us, 1753298422993000);
  }
  EXPECT_FALSE(parse_timestamp(0.0, &us));
  EXPECT_FALSE(parse_timestamp(-1.0, &us));
  EXPECT_FALSE(parse_timestamp(1e300, &us));
}

TEST(EntryId, IsAUuidOfVersionSeven) {
  const auto first = make_entry_id(), second = make_entry_id();
  EXPECT_EQ(first.size(), 36u);
  EXPECT_EQ(first[14], '7');
  EXPECT_NE(std::string("89ab").find(first[19]), std::string::npos);
  EXPECT_NE(first, second);
  EXPECT_LE(first.substr(0, 8), second.substr(0, 8));
  EXPECT_EQ(key_of_entry_id(first).size(), 17u);
}

}  // namespace
}  // namespace gibbon::logs
