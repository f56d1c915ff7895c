// The bundled logger's entry, and the JSON writer of the plugin kit that it is made with.

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

#include "../../../plugins/request-response-logger/entry.hpp"
#include "base/json.hpp"

namespace gibbon {
namespace {

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonWriter, EscapesWhatMustBe) {
  EXPECT_EQ(json_string(""), "\"\"");
  EXPECT_EQ(json_string("a\"b\\c\n\r\t\b\f"), R"("a\"b\\c\n\r\t\b\f")");
  EXPECT_EQ(json_string(std::string("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
  EXPECT_EQ(json_string("h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\xA6\x8D"), "\"h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\xA6\x8D\"");
  EXPECT_EQ(json_string("caf\xE9"), "\"caf\xC3\xA9\"");           // ISO 8859-1
  EXPECT_EQ(json_string("\xED\xA0\x80"), "\"\xC3\xAD\xC2\xA0\xC2\x80\"");  // a surrogate is not UTF-8
  EXPECT_EQ(json_string("x\xE2\x82"), "\"x\xC3\xA2\xC2\x82\"");
}

/// Each byte at each place of texts of each length: what a parser reads back is what went in.
TEST(JsonWriter, EveryByteAtEveryPlace) {
  for (const std::size_t size : {1u, 2u, 15u, 16u, 17u, 31u, 33u, 64u, 495u, 511u, 512u, 513u, 1100u}) {
    for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'a');
        text[at] = static_cast<char>(byte);
        boost::system::error_code code;
        const json::value value = json::parse(json_string(text), code);
        ASSERT_FALSE(code) << "byte " << byte << " at " << at << " of " << size;
        std::string wanted = text;
        if (byte >= 0x80) {
          const char both[] = {static_cast<char>(0xC0 | (byte >> 6)), static_cast<char>(0x80 | (byte & 0x3F))};
          wanted.replace(at, 1, both, 2);
        }
        ASSERT_EQ(std::string_view(value.as_string()), wanted) << "byte " << byte << " at " << at << " of " << size;
      }
    }
  }
  std::string all(3000, '"');
  EXPECT_EQ(json_string(all).size(), 6002u);
}

TEST(JsonWriter, ScansUtf8) {
  struct Case {
    std::string text;
    std::size_t valid;
    bool incomplete;
  };
  const Case cases[] = {
      {"", 0, false},
      {"plain text that is longer than sixteen bytes", 44, false},
      {"0123456789abcdef\xC3\xA9", 18, false},
      {"ab\xC3", 2, true},
      {"ab\xE2\x82", 2, true},
      {"ab\xF0\x9F\xA6", 2, true},
      {"ab\xC3(", 2, false},
      {"\xC0\xAF", 0, false},          // overlong
      {"\xE0\x80\xAF", 0, false},      // overlong
      {"\xED\xA0\x80", 0, false},      // surrogate
      {"\xF4\x90\x80\x80", 0, false},  // beyond U+10FFFF
      {"\xF5", 0, false},
      {"\x80", 0, false},
      {"\xED\x9F\xBF\xF4\x8F\xBF\xBF", 7, false},
  };
  for (const Case& c : cases) {
    const Utf8Scan scan = scan_utf8(c.text);
    EXPECT_EQ(scan.valid, c.valid) << c.text;
    EXPECT_EQ(scan.incomplete, c.incomplete) << c.text;
  }
}

TEST(JsonWriter, NumbersTimesAndBase64) {
  const auto number = [](double value) {
    std::string out;
    append_json_number(out, value);
    return out;
  };
  EXPECT_EQ(number(1753298422993.2773), "1753298422993.2773");
  EXPECT_EQ(number(1700000000000), "1700000000000");
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(-1.5), "-1.5");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "null");
  const auto time = [](std::uint64_t us) {
    std::string out;
    append_json_timestamp(out, us);
    return out;
  };
  EXPECT_EQ(time(0), "\"1970-01-01T00:00:00.000Z\"");
  EXPECT_EQ(time(1753298422993277), "\"2025-07-23T19:20:22.993Z\"");
  EXPECT_EQ(time(1709251199999999), "\"2024-02-29T23:59:59.999Z\"");
  EXPECT_EQ(time(4102444800000000), "\"2100-01-01T00:00:00.000Z\"");
  const auto base64 = [](std::string_view bytes) {
    std::string out;
    append_base64(out, bytes);
    return out;
  };
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

class LoggerEntry : public ::testing::Test {
 protected:
  LoggerEntry() {
    record.id = 1753298422993.0 + 1136 / 4096.0;
    record.entry_id = "019838ba-ccd1-7470-8000-000000000001";
    record.request_id = "00112233445566778899aabbccddeeff";
    record.started_us = 1753298422993277;
    record.method = "POST";
    record.scheme = "http";
    record.host = "localhost";
    record.target = "/httpbin/post";
    record.client_ip = "127.0.0.1";
    record.protocol = "HTTP/1.1";
    record.port = 8000;
    record.status = 200;
    record.tries = 1;
  }
  json::object entry() {
    record.request_headers = request_headers;
    record.response_headers = response_headers;
    text.clear();
    request_response_logger::append_entry(record, text);
    boost::system::error_code code;
    json::value value = json::parse(text, code);
    EXPECT_FALSE(code) << text;
    return code ? json::object{} : value.as_object();
  }
  std::string url() { return std::string(entry().at("request").at("url").as_string()); }

  ExchangeRecord record;
  std::vector<Header> request_headers, response_headers;
  std::string text;
};

TEST_F(LoggerEntry, IsTheGuidesEntry) {
  request_headers = {{"Content-Type", "application/json"}};
  response_headers = {{"content-type", "application/json"}};
  record.request_body = {"{\"test\": \"data\"}", 16, true};
  record.response_body = {"{\"success\": true}", 17, true};
  record.service_id = "s-1";
  record.service_name = "httpbin";
  record.route_id = "r-1";
  record.upstream = "127.0.0.1:8080";
  record.duration_ms = 12;
  record.gateway_ms = 2;
  record.upstream_ms = 10;
  entry();
  EXPECT_EQ(text,
            R"({"id":1753298422993.2773,"type":"kong_request_response","timestamp":"2025-07-23T19:20:22.993Z",)"
            R"("request":{"url":"http://localhost:8000/httpbin/post","method":"POST",)"
            R"("headers":{"content-type":"application/json"},"body":"{\"test\": \"data\"}","body_size":16,)"
            R"("body_truncated":false},"response":{"status_code":200,"headers":{"content-type":"application/json"},)"
            R"("body":"{\"success\": true}","body_size":17,"body_truncated":false},)"
            R"("entry_id":"019838ba-ccd1-7470-8000-000000000001","request_id":"00112233445566778899aabbccddeeff",)"
            R"("client_ip":"127.0.0.1","protocol":"HTTP/1.1","service":{"id":"s-1","name":"httpbin"},)"
            R"("route":{"id":"r-1"},"latencies":{"request":12,"kong":2,"proxy":10},"upstream":"127.0.0.1:8080",)"
            R"("tries":1})");
}

TEST_F(LoggerEntry, WhatThereWasNotIsAbsent) {
  record.request_body = {"", 0, true};  // recorded, and empty
  const json::object e = entry();
  EXPECT_EQ(e.at("request").at("body").as_string(), "");
  EXPECT_FALSE(e.at("response").as_object().contains("body"));
  EXPECT_FALSE(e.at("response").as_object().contains("body_size"));
  for (const char* key : {"service", "route", "upstream"}) EXPECT_FALSE(e.contains(key)) << key;
  EXPECT_EQ(e.at("latencies").at("proxy").as_int64(), -1);
}

TEST_F(LoggerEntry, RepeatedHeadersAreArraysInTheirOrder) {
  response_headers = {{"Set-Cookie", "a"}, {"X-One", "1"}, {"set-cookie", "b"}, {"SET-COOKIE", "c"}, {"Via", "caf\xE9"}};
  const json::object headers = entry().at("response").at("headers").as_object();
  EXPECT_EQ(json::serialize(headers), "{\"set-cookie\":[\"a\",\"b\",\"c\"],\"x-one\":\"1\",\"via\":\"caf\xC3\xA9\"}");
}

TEST_F(LoggerEntry, Bodies) {
  record.request_body = {"h\xC3\xA9\xE2\x82", 100, true};  // cut within a character
  record.response_body = {"\xff\x00\x01", 3, true};
  record.response_body.bytes = std::string_view("\xff\x00\x01", 3);
  json::object e = entry();
  EXPECT_EQ(e.at("request").at("body").as_string(), "h\xC3\xA9");
  EXPECT_EQ(e.at("request").at("body_size").as_int64(), 100);
  EXPECT_TRUE(e.at("request").at("body_truncated").as_bool());
  EXPECT_FALSE(e.at("request").as_object().contains("body_encoding"));
  EXPECT_EQ(e.at("response").at("body").as_string(), "/wAB");
  EXPECT_EQ(e.at("response").at("body_encoding").as_string(), "base64");
  record.request_body = {"h\xC3\xA9\xE2\x82", 5, true};  // not cut: these bytes are not text
  e = entry();
  EXPECT_EQ(e.at("request").at("body_encoding").as_string(), "base64");
}

TEST_F(LoggerEntry, Urls) {
  struct Case {
    const char *scheme, *host, *host_header, *target;
    std::uint16_t port;
    const char* url;
  };
  const Case cases[] = {
      {"http", "localhost", "localhost:8000", "/a?b=c", 8000, "http://localhost:8000/a?b=c"},
      {"http", "localhost", "localhost:9000", "/", 8000, "http://localhost:9000/"},
      {"http", "example.test", "example.test", "/", 8000, "http://example.test:8000/"},
      {"http", "example.test", "example.test", "/", 80, "http://example.test/"},
      {"https", "example.test", "example.test:443", "/", 8443, "https://example.test/"},
      {"https", "example.test", "example.test", "/", 80, "https://example.test:80/"},
      {"http", "[::1]", "[::1]:8000", "/", 8000, "http://[::1]:8000/"},
      {"http", "[::1]", "[::1]", "/", 80, "http://[::1]/"},
      {"http", "", "", "/", 8000, "http://unknown:8000/"},
      {"http", "h", "h", "*", 80, "http://h/*"},
      {"http", "h", "h", "", 80, "http://h/"},
      {"http", "proxy", "proxy", "http://other.test:81/x?y", 8000, "http://other.test:81/x?y"},
      {"http", "h", "h", "/?u=http://x/", 80, "http://h/?u=http://x/"},
      {"http", "h", "h:evil", "/", 8000, "http://h:8000/"},
  };
  for (const Case& c : cases) {
    record.scheme = c.scheme;
    record.host = c.host;
    record.target = c.target;
    record.port = c.port;
    request_headers = {{"Host", c.host_header}};
    EXPECT_EQ(url(), c.url);
  }
}

}  // namespace
}  // namespace gibbon
