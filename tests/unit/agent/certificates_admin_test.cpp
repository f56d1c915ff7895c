// /certificates, /snis and /ca_certificates: what they do beside storing entities.
#include "../support/certificates.hpp"
#include "test_host.hpp"

namespace gibbon::agent::test {
namespace {

using gibbon::test::issue;
using gibbon::test::Issued;
using gibbon::test::KeyKind;

constexpr const char* kUnknown = "a9a7b3ad-6bb5-4d8e-8f5e-2b4f5b8c0001";

class CertificatesTest : public ::testing::Test {
 protected:
  json::object pair(const Issued& issued, const json::value& snis = {}) {
    json::object body{{"cert", issued.cert_text()}, {"key", issued.key_text()}};
    if (!snis.is_null()) body["snis"] = snis;
    return body;
  }
  json::object made(const json::object& body) {
    const auto answer = client_.json("POST", "/certificates", body);
    EXPECT_EQ(answer.status, 201) << answer.text;
    return answer.body.is_object() ? answer.body.get_object() : json::object();
  }
  std::string path(const json::object& certificate) {
    return "/certificates/" + std::string(certificate.at("id").as_string());
  }
  std::size_t count(const std::string& collection) {
    return client_.get(collection).body.at("data").as_array().size();
  }

  std::unique_ptr<TestHost> host_ = TestHost::with_database();
  Client client_{*host_};
  const Issued issued_ = issue("a.test"), other_ = issue("b.test");
};

TEST_F(CertificatesTest, ShowTheirNamesSorted) {
  const auto certificate = made(pair(issued_, {"b.test", "*.a.test", "a.test"}));
  EXPECT_EQ(certificate.at("snis"), json::value({"*.a.test", "a.test", "b.test"}));
  EXPECT_EQ(certificate.at("cert_alt"), nullptr);
  EXPECT_EQ(client_.get(path(certificate)).body, json::value(certificate));
  EXPECT_EQ(client_.get("/certificates/b.test").body, json::value(certificate));
  EXPECT_EQ(client_.get("/certificates").body.at("data").at(0), json::value(certificate));
  EXPECT_EQ(client_.get("/certificates/b.test/snis").body.at("data").as_array().size(), 3u);
  EXPECT_EQ(client_.get("/certificates/b.test/snis/a.test").body.at("name"), "a.test");
  EXPECT_EQ(client_.get("/snis/a.test").body.at("certificate").at("id"), certificate.at("id"));
  EXPECT_EQ(made(pair(other_)).at("snis"), json::value(json::array()));
  const auto* stored =
      host_->store().read()->find("certificates", certificate.at("id").as_string())->if_contains("snis");
  EXPECT_EQ(stored, nullptr);
}

TEST_F(CertificatesTest, RefuseNamesThatAreTaken) {
  const auto twice = client_.json("POST", "/certificates", pair(issued_, {"a.test", "b.test", "a.test"}));
  EXPECT_EQ(twice.status, 400);
  EXPECT_EQ(twice.body.at("message"), "schema violation (snis: a.test is duplicated)");
  EXPECT_EQ(count("/certificates"), 0u);
  const auto first = made(pair(issued_, {"a.test"}));
  const auto taken = client_.json("POST", "/certificates", pair(other_, {"a.test", "b.test"}));
  EXPECT_EQ(taken.status, 400);
  EXPECT_EQ(taken.body.at("fields").at("snis").as_string(),
            "a.test already associated with existing certificate '" +
                std::string(first.at("id").as_string()) + "'");
  const auto bad = client_.json("POST", "/certificates", pair(other_, {"b.test", "a.*.b"}));
  EXPECT_EQ(bad.status, 400) << bad.text;
  EXPECT_EQ(bad.body.at("fields").at("snis"),
            json::value({nullptr, "wildcard must be leftmost or rightmost character"}))
      << bad.text;
  EXPECT_EQ(count("/certificates"), 1u);
  EXPECT_EQ(count("/snis"), 1u);
}

TEST_F(CertificatesTest, ArePatchedById) {
  const auto certificate = made(pair(issued_, {"a.test", "b.test"}));
  const auto kept = client_.json("PATCH", path(certificate), {{"tags", {"x"}}});
  EXPECT_EQ(kept.status, 200) << kept.text;
  EXPECT_EQ(kept.body.at("snis"), json::value({"a.test", "b.test"}));
  const auto moved = client_.json("PATCH", path(certificate), {{"snis", {"c.test", "b.test"}}});
  EXPECT_EQ(moved.body.at("snis"), json::value({"b.test", "c.test"}));
  EXPECT_EQ(client_.get("/snis/a.test").status, 404);
  EXPECT_EQ(client_.form("PATCH", "/certificates/c.test", "snis=d.test").body.at("snis"),
            json::value({"d.test"}));
  EXPECT_EQ(client_.json("PATCH", path(certificate), {{"snis", nullptr}}).body.at("snis"),
            json::value(json::array()));
  const auto mismatch =
      client_.json("PATCH", path(certificate), {{"cert", other_.cert_text()}, {"key", issued_.key_text()}});
  EXPECT_EQ(mismatch.body.at("message"), "schema violation (certificate does not match key)")
      << mismatch.text;
}

TEST_F(CertificatesTest, ArePutByAName) {
  const auto created = client_.json("PUT", "/certificates/a.test", pair(issued_, {"b.test"}));
  EXPECT_EQ(created.status, 200) << created.text;
  EXPECT_EQ(created.body.at("snis"), json::value({"a.test", "b.test"}));
  const auto replaced = client_.json("PUT", "/certificates/b.test", pair(other_, "c.test"));
  EXPECT_EQ(replaced.status, 200) << replaced.text;
  EXPECT_EQ(replaced.body.at("id"), created.body.at("id"));
  EXPECT_EQ(replaced.body.at("snis"), json::value({"b.test", "c.test"}));
  const auto emptied = client_.json("PUT", "/certificates/c.test", pair(issued_));
  EXPECT_EQ(emptied.body.at("snis"), json::value(json::array()));
  EXPECT_EQ(count("/certificates"), 1u);
  EXPECT_EQ(count("/snis"), 0u);
}

TEST_F(CertificatesTest, AreUnknownInTwoWays) {
  for (const char* method : {"GET", "PATCH", "DELETE"}) {
    const auto answer = client_.json(method, "/certificates/nobody.test", json::object());
    EXPECT_EQ(answer.status, 404) << method;
    EXPECT_EQ(answer.body, json::value({{"message", "SNI not found"}}));
  }
  EXPECT_EQ(client_.get("/certificates/nobody.test/snis").body, json::value({{"message", "SNI not found"}}));
  const auto answer = client_.get(std::string("/certificates/") + kUnknown);
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body.at("message").as_string(),
            "could not find the entity with primary key '{id=\"" + std::string(kUnknown) + "\"}'");
}

TEST_F(CertificatesTest, GoWithTheirNamesOrNotAtAll) {
  const auto certificate = made(pair(issued_, {"a.test", "b.test"}));
  const auto service = client_.json(
      "POST", "/services",
      {{"name", "s"}, {"url", "https://h.test"}, {"client_certificate", {{"id", certificate.at("id")}}}});
  EXPECT_EQ(service.status, 201) << service.text;
  const auto refused = client_.send("DELETE", "/certificates/a.test");
  EXPECT_EQ(refused.status, 400) << refused.text;
  EXPECT_EQ(count("/snis"), 2u) << "nothing of a refused change stays";
  EXPECT_EQ(client_.send("DELETE", "/services/s").status, 204);
  EXPECT_EQ(client_.send("DELETE", "/certificates/a.test").status, 204);
  EXPECT_EQ(count("/certificates"), 0u);
  EXPECT_EQ(count("/snis"), 0u);
}

TEST_F(CertificatesTest, HaveTwoTypesOfKey) {
  const auto rsa = issue("a.test", {.kind = KeyKind::kRsa});
  auto both = pair(rsa);
  both["cert_alt"] = issued_.cert_text();
  const auto half = client_.json("POST", "/certificates", both);
  EXPECT_EQ(half.body.at("message"),
            "schema violation (all or none of these fields must be set: 'cert_alt', 'key_alt')");
  both["key_alt"] = other_.key_text();
  EXPECT_EQ(client_.json("POST", "/certificates", both).body.at("message"),
            "schema violation (alternative certificate does not match key)");
  both["key_alt"] = issued_.key_text();
  EXPECT_EQ(made(both).at("cert_alt").as_string(), issued_.cert_text());
}

TEST_F(CertificatesTest, SayWhatCannotBeReadWithoutShowingIt) {
  const auto answer =
      client_.json("POST", "/certificates", {{"cert", "my secret certificate"}, {"key", "my secret key"}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_TRUE(
      answer.body.at("fields").at("cert").as_string().starts_with("invalid certificate: x509.new: error:"));
  EXPECT_TRUE(
      answer.body.at("fields").at("key").as_string().starts_with("invalid key: pkey.new:load_key: error:"));
  EXPECT_EQ(answer.text.find("secret"), std::string::npos);
}

TEST_F(CertificatesTest, AuthoritiesAreKeptWhileTheyAreTrusted) {
  const auto authority = issue("authority", {.authority = true});
  const auto made = client_.json("POST", "/ca_certificates", {{"cert", authority.cert_text()}});
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(made.body.at("cert_digest").as_string(), certificate_digest(authority.certificate.get()));
  const auto again = client_.json("POST", "/ca_certificates", {{"cert", authority.cert_text()}});
  EXPECT_EQ(again.status, 409) << again.text;
  const std::string id(made.body.at("id").as_string());
  const auto service = client_.json("POST", "/services",
                                    {{"name", "s"}, {"url", "https://h.test"}, {"ca_certificates", {id}}});
  ASSERT_EQ(service.status, 201) << service.text;
  const auto refused = client_.send("DELETE", "/ca_certificates/" + id);
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body.at("code"), 19);
  EXPECT_EQ(refused.body.at("name"), "referenced by others");
  EXPECT_EQ(refused.body.at("message").as_string(), "ca certificate " + id +
                                                        " is still referenced by services (id = " +
                                                        std::string(service.body.at("id").as_string()) + ")");
  EXPECT_EQ(client_.send("DELETE", "/services/s").status, 204);
  EXPECT_EQ(client_.send("DELETE", "/ca_certificates/" + id).status, 204);
}

TEST(CertificatesWithoutADatabase, AreReadWithNestedNames) {
  const auto host = TestHost::without_database();
  const Client client(*host);
  const auto issued = issue("a.test");
  const json::value document = {{"_format_version", "3.0"},
                                {"certificates",
                                 {{{"cert", issued.cert_text()},
                                   {"key", issued.key_text()},
                                   {"snis", {{{"name", "a.test"}}, {{"name", "b.test"}}}}}}}};
  const auto posted = client.json("POST", "/config", document);
  ASSERT_EQ(posted.status, 201) << posted.text;
  EXPECT_EQ(client.get("/certificates/b.test").body.at("snis"), json::value({"a.test", "b.test"}));
  const auto refused = client.json("PATCH", "/certificates/b.test", {{"tags", {"x"}}});
  EXPECT_EQ(refused.status, 405) << refused.text;
}

}  // namespace
}  // namespace gibbon::agent::test
