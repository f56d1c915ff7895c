// Every case of tests/cases/admin/*.json in its order, each file on a gateway of its own. A case is a request
// and the answer that Kong gives: adding one is adding a line. A list compares with its order; timestamps are
// "<time>".
#include "base/json_text.hpp"
#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

json::array load_cases(const std::string& name) {
  std::ifstream file(std::string(GIBBON_SOURCE_DIR) + "/tests/cases/admin/" + name);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return json::parse(text).as_array();
}

Answer perform(const Client& client, const json::object& test) {
  const std::string method(test.at("method").as_string()), path(test.at("path").as_string());
  if (const auto* body = test.if_contains("json")) return client.json(method, path, *body);
  if (const auto* form = test.if_contains("form")) {
    std::string text;
    for (const auto& pair : form->as_array())
      text += (text.empty() ? "" : "&") + std::string(pair.as_string());
    return client.form(method, path, text);
  }
  if (const auto* parts = test.if_contains("multipart")) {
    std::string text;
    for (const auto& part : parts->as_array())
      text += "--limit\r\nContent-Disposition: form-data; name=\"" + std::string(part.at(0).as_string()) +
              "\"\r\n\r\n" + std::string(part.at(1).as_string()) + "\r\n";
    return client.send(method, path, text + "--limit--\r\n", "multipart/form-data; boundary=limit");
  }
  if (const auto* body = test.if_contains("body"))
    return client.send(method, path, std::string(body->as_string()),
                       std::string(test.at("content_type").as_string()));
  return client.send(method, path);
}

void run_cases(const std::string& file, Host& host) {
  const Client client(host);
  for (const auto& value : load_cases(file)) {
    const auto& test = value.as_object();
    SCOPED_TRACE(file + ": " + std::string(test.at("title").as_string()));
    const auto answer = perform(client, test);
    EXPECT_EQ(answer.status, test.at("status").as_int64()) << answer.text;
    if (const auto* expected = test.if_contains("expect")) {
      EXPECT_EQ(without_times(answer.body), *expected)
          << "got  " << to_text(without_times(answer.body)) << "\nwant " << to_text(*expected);
    }
    if (const auto* text = test.if_contains("text")) {
      EXPECT_EQ(answer.text, text->as_string());
    }
    if (const auto* headers = test.if_contains("headers")) {
      for (const auto& [name, expected] : headers->as_object()) {
        EXPECT_EQ(answer.header(name), expected.as_string()) << name;
      }
    }
  }
}

TEST(AdminCases, Information) { run_cases("information.json", *TestHost::with_database()); }
TEST(AdminCases, Services) { run_cases("services.json", *TestHost::with_database()); }
TEST(AdminCases, Routes) { run_cases("routes.json", *TestHost::with_database()); }
TEST(AdminCases, Plugins) { run_cases("plugins.json", *TestHost::with_database()); }

TEST(AdminCases, Conventions) { run_cases("conventions.json", *TestHost::with_database()); }

TEST(AdminCases, WithoutDatabase) {
  const auto host = TestHost::without_database();
  const auto loaded = Client(*host).json("POST", "/config", json::parse(R"({"_format_version":"3.0",
      "services":[{"name":"svc1","url":"http://127.0.0.1:18080","routes":[{"name":"r1","paths":["/r1"]}]}]})"));
  ASSERT_EQ(loaded.status, 201) << loaded.text;
  run_cases("dbless.json", *host);
}

}  // namespace
}  // namespace gibbon::agent::test
