#include "gibbon/log_record.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"
#include "gibbon/custom_fields.hpp"

namespace gibbon {
namespace {

struct Sample {
  std::vector<Header> request_headers = {{"host", "h:8000"}, {"Authorization", "secret"}, {"x-dup", "a"}, {"X-Dup", "b"}};
  std::vector<Header> response_headers = {{"Content-Type", "text/plain"}};
  std::vector<Try> tried = {{1795389813222000001u, 26880, "127.0.0.1", 18080, Try::State::kFailed, 502},
                            {1795389813224000000u, 2000000, "127.0.0.2", 18080, Try::State::kAnswered, 0}};
  std::vector<SerializeValue> values;
  ExchangeRecord record;

  ExchangeRecord& make() {
    record.request_id = "a92a774a4b9a5275e9c81e7e8ff0924e";
    record.started_us = 1795389813221500u;
    record.method = "GET";
    record.scheme = "http";
    record.host = "h";
    record.port = 8000;
    record.target = "/p/get?x=1&x=2&flag&e=%20a+b";
    record.status = 200;
    record.client_ip = "127.0.0.1";
    record.service_id = "S";
    record.service_json = R"({"id":"S","retries":5})";
    record.route_id = "R";
    record.route_name = "r";
    record.upstream_uri = "/get?x=1";
    record.upstream_status = "502, 200";
    record.source = ExchangeRecord::Source::kUpstream;
    record.request_bytes = 140;
    record.response_bytes = 1435;
    record.duration_ms = 5;
    record.gateway_ms = 1;
    record.upstream_ms = 3;
    record.receive_ms = 1;
    record.request_headers = request_headers;
    record.response_headers = response_headers;
    record.tried = tried;
    record.serialize_values = values;
    return record;
  }
  json::object entry() {
    std::string out;
    append_log_record(make(), out);
    return json::parse(out).get_object();
  }
};

TEST(LogRecord, HasTheFieldsOfKongs) {
  const json::object entry = Sample().entry();
  EXPECT_EQ(entry.at("request"), json::parse(R"({"id":"a92a774a4b9a5275e9c81e7e8ff0924e","uri":"/p/get?x=1&x=2&flag&e=%20a+b",
      "url":"http://h:8000/p/get?x=1&x=2&flag&e=%20a+b","querystring":{"x":["1","2"],"flag":true,"e":" a b"},
      "method":"GET","headers":{"host":"h:8000","authorization":"REDACTED","x-dup":["a","b"]},"size":140})"));
  EXPECT_EQ(entry.at("response"), json::parse(R"({"status":200,"headers":{"content-type":"text/plain"},"size":1435})"));
  EXPECT_EQ(entry.at("latencies"), json::parse(R"({"kong":1,"proxy":3,"request":5,"receive":1})"));
  EXPECT_EQ(entry.at("tries"), json::parse(R"([{"balancer_start":1795389813222,"balancer_start_ns":1795389813222000001,
      "balancer_latency":0,"balancer_latency_ns":26880,"ip":"127.0.0.1","port":18080,"state":"failed","code":502},
      {"balancer_start":1795389813224,"balancer_start_ns":1795389813224000000,"balancer_latency":2,
      "balancer_latency_ns":2000000,"ip":"127.0.0.2","port":18080}])"));
  EXPECT_EQ(entry.at("service"), json::parse(R"({"id":"S","retries":5})"));
  EXPECT_EQ(entry.at("route"), json::parse(R"({"id":"R","name":"r"})")) << "where nothing more is known";
  EXPECT_EQ(entry.at("upstream_status"), "502, 200");
  EXPECT_EQ(entry.at("started_at"), 1795389813221);
  EXPECT_EQ(entry.at("source"), "upstream");
  EXPECT_EQ(entry.at("workspace_name"), "default");
  for (const char* absent : {"consumer", "authenticated_entity"}) EXPECT_FALSE(entry.contains(absent)) << absent;
}

TEST(LogRecord, TellsOfTlsAndOfWhoAsked) {
  Sample sample;
  sample.record.tls_version = "TLSv1.3";
  sample.record.tls_cipher = "TLS_AES_256_GCM_SHA384";
  sample.record.tls_client_verify = "NONE";
  sample.record.credential_id = "K";
  sample.record.credential_consumer_id = "C";
  sample.record.consumer_id = "C";
  sample.record.consumer_username = "bob";
  const json::object entry = sample.entry();
  EXPECT_EQ(entry.at("request").at("tls"),
            json::parse(R"({"version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384","client_verify":"NONE"})"));
  EXPECT_EQ(entry.at("authenticated_entity"), json::parse(R"({"id":"K","consumer_id":"C"})"));
  EXPECT_EQ(entry.at("consumer"), json::parse(R"({"id":"C","username":"bob"})"));
}

TEST(LogRecord, TakesWhatPluginsHaveSet) {
  Sample sample;
  sample.values = {{"correlation_id", R"("id-1")"}, {"a.b.c", "[1, {\"x\": 2}]"}, {"a.b.d", "3"}, {"request.headers.host", ""},
                   {"request.size", "7"}, {"response", ""}, {"client_ip.x", "1"}, {R"(with\.dot)", "true"}, {"nobody", ""}};
  const json::object entry = sample.entry();
  EXPECT_EQ(entry.at("correlation_id"), "id-1");
  EXPECT_EQ(entry.at("a"), json::parse(R"({"b":{"c":[1,{"x":2}],"d":3}})"));
  EXPECT_FALSE(entry.at("request").at("headers").get_object().contains("host"));
  EXPECT_EQ(entry.at("request").at("size"), 7);
  EXPECT_FALSE(entry.contains("response"));
  EXPECT_EQ(entry.at("client_ip"), "127.0.0.1") << "no object: left as it is";
  EXPECT_EQ(entry.at("with.dot"), true);
  EXPECT_FALSE(entry.contains("nobody"));
}

TEST(SetJsonField, TakesOutTheFirstTheLastAndTheOnlyMember) {
  const auto without = [](std::string text, std::string_view path) {
    EXPECT_TRUE(set_json_field(text, 0, path, {}));
    return text;
  };
  EXPECT_EQ(without(R"({"a":1,"b":"}"})", "a"), R"({"b":"}"})");
  EXPECT_EQ(without(R"({"a":1,"b":"}"})", "b"), R"({"a":1})");
  EXPECT_EQ(without(R"({"a":[{"b":2}]})", "a"), "{}");
  std::string empty = "{ }";
  EXPECT_TRUE(set_json_field(empty, 0, "a.b", "1"));
  EXPECT_EQ(json::parse(empty), json::parse(R"({"a":{"b":1}})"));
}

TEST(CustomField, IsALiteralOrAFunctionOfKongs) {
  Sample sample;
  const ExchangeRecord& record = sample.make();
  const auto value = [&](std::string_view code) {
    const auto field = CustomField::parse(code);
    return field ? field->value(record) : "refused";
  };
  EXPECT_EQ(value(R"(return "a\"b")"), R"("a\"b")");
  EXPECT_EQ(value(" return 'text' ; "), R"("text")");
  EXPECT_EQ(value("return nil"), "");
  EXPECT_EQ(value("return -1.5"), "-1.5");
  EXPECT_EQ(value("return true"), "true");
  EXPECT_EQ(value(R"(return kong.request.get_header("X-DUP"))"), R"("a")");
  EXPECT_EQ(value(R"(return kong.request.get_header("x_dup"))"), R"("a")");
  EXPECT_EQ(value(R"(return kong.request.get_header("absent"))"), "");
  EXPECT_EQ(value(R"(return kong.request.get_query_arg('e'))"), R"(" a b")");
  EXPECT_EQ(value("return kong.request.get_method()"), R"("GET")");
  EXPECT_EQ(value("return kong.request.get_path()"), R"("/p/get")");
  EXPECT_EQ(value("return kong.response.get_status()"), "200");
  EXPECT_EQ(value("return kong.response.get_source()"), R"("service")");
  EXPECT_EQ(value("return kong.client.get_ip()"), R"("127.0.0.1")");
  for (const char* code : {"", "return", "returnnil", "return os.time()", "return 1 + 1", "return \"a", "local x = 1",
                           "return kong.request.get_header()", "return kong.request.get_method", "return -nil", "return 1x"})
    EXPECT_EQ(value(code), "refused") << code;
  EXPECT_TRUE(check_custom_field("return os.execute('x')").has_value());
  EXPECT_FALSE(check_custom_field("return nil").has_value());
}

}  // namespace
}  // namespace gibbon
