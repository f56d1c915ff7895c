// POST /config: the ways in which a document and its options may come.
#include "http/message.hpp"
#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

constexpr const char* kYaml = "_format_version: '3.0'\nservices:\n- name: a\n  host: h\n";
constexpr const char* kBad = "_format_version: '3.0'\nservices:\n- name: a\n";

class ConfigEndpoint : public ::testing::Test {
 protected:
  std::unique_ptr<TestHost> host_ = TestHost::without_database();
  Client client_{*host_};
};

TEST_F(ConfigEndpoint, SaysWhatIsMissing) {
  const auto answer = client_.send("POST", "/config");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, json::parse(R"({"message":"expected a declarative configuration"})"));
  const auto nothing = client_.send("POST", "/config", "hello", "text/yaml");
  EXPECT_EQ(nothing.body, json::parse(R"({"code":14,"name":"invalid declarative configuration",
    "message":"declarative config is invalid: {error=\"failed parsing declarative configuration: expected an object\"}",
    "fields":{"error":"failed parsing declarative configuration: expected an object"}})"))
      << nothing.text;
}

TEST_F(ConfigEndpoint, TakesADocumentInEachForm) {
  const auto took = [&](const Answer& answer) {
    EXPECT_EQ(answer.status, 201) << answer.text;
    EXPECT_EQ(answer.body.at("services").as_object().size(), 1u);
  };
  took(client_.send("POST", "/config", kYaml, "text/yaml"));
  took(client_.form("POST", "/config", "config=" + http::percent_encode(kYaml)));
  took(client_.json("POST", "/config", json::object{{"config", kYaml}}));
  took(client_.send("POST", "/config?config=" + http::percent_encode(kYaml)));
  took(client_.send("POST", "/config", R"({"_format_version":"3.0","services":[{"name":"a","host":"h"}]})",
                    "application/json"));
  took(client_.send("POST", "/config", R"({"_format_version":"3.0","services":[{"name":"a","host":"h"}]})",
                    "text/yaml"));
  took(client_.send(
      "POST", "/config",
      "--b\r\nContent-Disposition: form-data; name=\"config\"\r\n\r\n" + std::string(kYaml) + "\r\n--b--\r\n",
      "multipart/form-data; boundary=b"));
}

TEST_F(ConfigEndpoint, FlattensErrorsWhereverItIsAskedTo) {
  const auto flattens = [](const Answer& answer) {
    EXPECT_EQ(answer.status, 400) << answer.text;
    return answer.body.as_object().contains("flattened_errors");
  };
  for (const char* yes : {"1", "true", "TRUE", "on", "Yes"})
    EXPECT_TRUE(
        flattens(client_.send("POST", "/config?flatten_errors=" + std::string(yes), kBad, "text/yaml")))
        << yes;
  for (const char* no : {"0", "false", "no", "2"})
    EXPECT_FALSE(
        flattens(client_.send("POST", "/config?flatten_errors=" + std::string(no), kBad, "text/yaml")))
        << no;
  EXPECT_TRUE(
      flattens(client_.form("POST", "/config", "flatten_errors=1&config=" + http::percent_encode(kBad))));
  EXPECT_TRUE(
      flattens(client_.json("POST", "/config", json::object{{"config", kBad}, {"flatten_errors", true}})));
  EXPECT_TRUE(flattens(client_.json(
      "POST", "/config",
      json::parse(R"({"_format_version":"3.0","flatten_errors":1,"services":[{"name":"a"}]})"))));
}

TEST_F(ConfigEndpoint, TheSameTextIsNotLoadedTwiceWhereItIsAskedToCheck) {
  ASSERT_EQ(client_.send("POST", "/config", kYaml, "text/yaml").status, 201);
  const auto same = client_.send("POST", "/config?check_hash=1", kYaml, "text/yaml");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.text, "");
  EXPECT_EQ(client_.form("POST", "/config", "check_hash=1&config=" + http::percent_encode(kYaml)).status,
            304);
  EXPECT_EQ(client_.json("POST", "/config", json::object{{"config", kYaml}, {"check_hash", 1}}).status, 304);
  EXPECT_EQ(client_.send("POST", "/config?check_hash=true", kYaml, "text/yaml").status, 201);
  EXPECT_EQ(client_.send("POST", "/config", kYaml, "text/yaml").status, 201);
  // As in Kong, a document that came as JSON is always taken.
  const char* document = R"({"_format_version":"3.0","services":[]})";
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(client_.send("POST", "/config?check_hash=1", document, "application/json").status, 201);
}

TEST_F(ConfigEndpoint, WhatItShowsCanBePosted) {
  ASSERT_EQ(client_.send("POST", "/config", kYaml, "text/yaml").status, 201);
  const auto shown = client_.get("/config");
  EXPECT_EQ(shown.header("Content-Type"), "application/json; charset=utf-8");
  const auto posted = client_.json("POST", "/config", shown.body);
  ASSERT_EQ(posted.status, 201) << posted.text;
  EXPECT_EQ(client_.get("/config").body, shown.body) << "the times stay as well";
}

TEST_F(ConfigEndpoint, IsThereWithoutADatabaseAlone) {
  const auto with = TestHost::with_database();
  for (const char* method : {"GET", "POST"}) {
    const auto answer = Client(*with).send(method, "/config");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(
        answer.body,
        json::parse(
            R"({"message":"this endpoint is only available when Kong is configured to not use a database"})"));
  }
}

}  // namespace
}  // namespace gibbon::agent::test
