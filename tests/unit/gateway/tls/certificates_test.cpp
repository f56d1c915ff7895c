#include "gateway/tls/certificates.hpp"

#include <gtest/gtest.h>

#include "../../support/certificates.hpp"
#include "handshake.hpp"

namespace gibbon::gateway::tls {
namespace {

using gibbon::test::issue;
using gibbon::test::Issued;
using gibbon::test::KeyKind;

config::Certificate entity(const std::string& id, const Issued& issued, const std::string& chain = {}) {
  config::Certificate certificate;
  certificate.id = id;
  certificate.cert = issued.cert_text() + chain;
  certificate.key = issued.key_text();
  return certificate;
}

config::Sni sni(const std::string& name, const std::string& certificate) { return {"", name, certificate}; }

struct Built {
  Cache cache;
  std::vector<Error> problems;
  std::unique_ptr<const Certificates> certificates;
  void build(const config::Snapshot& snapshot) {
    certificates = Certificates::build(snapshot, cache, &problems);
  }
};

TEST(Certificates, AreChosenInKongsOrder) {
  const std::pair<const char*, const char*> names[] = {{"a.example.com", "exact"},
                                                       {"*.example.com", "below"},
                                                       {"example.*", "any end"},
                                                       {"a.example.*", "deep end"},
                                                       {"*.b.example.com", "deeper"}};
  config::Snapshot snapshot;
  for (const auto& [name, id] : names) {
    snapshot.certificates.push_back(entity(id, issue(name)));
    snapshot.snis.push_back(sni(name, id));
  }
  Built built;
  built.build(snapshot);
  ASSERT_TRUE(built.problems.empty());
  const auto chosen = [&](std::string_view name) -> std::string {
    const Certificate* found = built.certificates->for_server_name(name);
    for (const auto& certificate : snapshot.certificates)
      if (found != nullptr && found->digest() == Certificate::digest_of(certificate)) return certificate.id;
    return "";
  };
  EXPECT_EQ(chosen("a.example.com"), "exact");
  EXPECT_EQ(chosen("A.Example.COM"), "exact");
  EXPECT_EQ(chosen("c.example.com"), "below");
  EXPECT_EQ(chosen("a.example.org"), "deep end");
  EXPECT_EQ(chosen("x.b.example.com"), "deeper");
  EXPECT_EQ(chosen("b.example.com"), "below");
  EXPECT_EQ(chosen("y.c.example.com"), "") << "one label for one star";
  EXPECT_EQ(chosen("example.com"), "any end");
  EXPECT_EQ(chosen("example.de"), "any end");
  EXPECT_EQ(chosen(".example.com"), "");
  EXPECT_EQ(chosen("a..com"), "");
  EXPECT_EQ(chosen("com"), "");
  EXPECT_EQ(chosen("."), "");
  EXPECT_EQ(chosen(""), "");
  EXPECT_EQ(chosen(std::string(300, 'a')), "");

  snapshot.certificates.push_back(entity("default", issue("default")));
  snapshot.snis.push_back(sni("*", "default"));
  built.build(snapshot);
  EXPECT_EQ(chosen("com"), "default");
  EXPECT_EQ(chosen("a..com"), "default");
  EXPECT_EQ(chosen("x.y.example.com"), "default");
  EXPECT_EQ(chosen("c.example.com"), "below");
  EXPECT_EQ(chosen(""), "") << "without a name the gateway's own stands";
}

TEST(Certificates, AreParsedOncePerContent) {
  config::Snapshot snapshot;
  snapshot.certificates = {entity("a", issue("a.test")), entity("b", issue("b.test"))};
  snapshot.snis = {sni("a.test", "a"), sni("b.test", "b")};
  Built built;
  built.build(snapshot);
  const auto before = std::move(built.certificates);
  snapshot.certificates[1] = entity("b", issue("b.test"));
  built.build(snapshot);
  EXPECT_EQ(before->for_server_name("a.test"), built.certificates->for_server_name("a.test"));
  EXPECT_NE(before->for_server_name("b.test"), built.certificates->for_server_name("b.test"));
}

TEST(Certificates, AreForgottenWithTheirGeneration) {
  config::Snapshot snapshot;
  snapshot.certificates = {entity("a", issue("a.test"))};
  snapshot.snis = {sni("a.test", "a")};
  Built built;
  built.build(snapshot);
  EXPECT_EQ(built.cache.size(), 1U);
  built.certificates.reset();
  built.build({});
  EXPECT_EQ(built.cache.size(), 0U);
}

TEST(Certificates, ThatCannotBeReadAreLeftOut) {
  config::Snapshot snapshot;
  const auto good = issue("good.test");
  auto bad = entity("bad", good);
  bad.key = issue("other.test").key_text();
  snapshot.certificates = {bad, entity("good", good)};
  snapshot.snis = {sni("bad.test", "bad"), sni("good.test", "good")};
  Built built;
  built.build(snapshot);
  ASSERT_EQ(built.problems.size(), 1U);
  EXPECT_EQ(built.problems[0].message, "certificate bad is left out: certificate does not match key");
  EXPECT_EQ(built.certificates->for_server_name("bad.test"), nullptr);
  EXPECT_NE(built.certificates->for_server_name("good.test"), nullptr);
}

config::Service https_service(const std::string& host) {
  config::Service service;
  service.id = "service of " + host;
  service.protocol = "https";
  service.host = host;
  return service;
}

TEST(Certificates, GiveAServiceItsIdentity) {
  const auto client = issue("client"), balanced = issue("balanced");
  config::Snapshot snapshot;
  snapshot.certificates = {entity("client", client), entity("balanced", balanced)};
  config::Upstream upstream;
  upstream.name = "pool";
  upstream.client_certificate_id = "balanced";
  snapshot.upstreams = {upstream};
  snapshot.services = {https_service("a.test"), https_service("a.test"), https_service("pool"),
                       https_service("pool")};
  snapshot.services[1].client_certificate_id = snapshot.services[3].client_certificate_id = "client";
  Built built;
  built.build(snapshot);
  const auto& made = *built.certificates;
  EXPECT_EQ(made.upstream(0).client, nullptr);
  EXPECT_EQ(made.upstream(1).client->digest(), Certificate::digest_of(snapshot.certificates[0]));
  EXPECT_EQ(made.upstream(2).client->digest(), Certificate::digest_of(snapshot.certificates[1]));
  EXPECT_EQ(made.upstream(3).client->digest(), Certificate::digest_of(snapshot.certificates[0]))
      << "its own first";
  EXPECT_NE(made.upstream(0).digest, made.upstream(1).digest);

  const std::string before = made.upstream(1).digest;
  snapshot.certificates[0] = entity("client", issue("client"));
  built.build(snapshot);
  EXPECT_NE(built.certificates->upstream(1).digest, before) << "the same entity with another content";
}

TEST(Certificates, TrustNobodyRatherThanEverybody) {
  const auto authority = issue("authority", {.authority = true}), other = issue("other", {.authority = true});
  config::Snapshot snapshot;
  snapshot.ca_certificates = {
      {"ca", authority.cert_text(), ""}, {"other", other.cert_text(), ""}, {"broken", "nothing", ""}};
  snapshot.services = {https_service("a.test"), https_service("b.test"), https_service("c.test"),
                       https_service("d.test")};
  snapshot.services[0].ca_certificates = {"other", "ca"};
  snapshot.services[1].ca_certificates = {"ca", "other"};
  snapshot.services[2].ca_certificates = {"broken"};
  Built built;
  built.build(snapshot);
  EXPECT_EQ(built.certificates->upstream(0).trust, built.certificates->upstream(1).trust) << "in any order";
  ASSERT_NE(built.certificates->upstream(2).trust, nullptr);
  EXPECT_EQ(built.certificates->upstream(3).trust, nullptr);
  ASSERT_EQ(built.problems.size(), 1U);
  EXPECT_TRUE(built.problems[0].message.starts_with(
      "service service of c.test: trusts no upstream: CA certificate broken: x509.new: "))
      << built.problems[0].message;

  const auto leaf = issue("a.test", {.issuer = &authority});
  Handshake trusted(leaf), distrusted(leaf);
  ASSERT_TRUE(built.certificates->upstream(0).trust->use(trusted.client()));
  ASSERT_TRUE(built.certificates->upstream(2).trust->use(distrusted.client()));
  EXPECT_TRUE(trusted.run());
  EXPECT_EQ(SSL_get_verify_result(trusted.client()), X509_V_OK);
  EXPECT_TRUE(distrusted.run());
  EXPECT_NE(SSL_get_verify_result(distrusted.client()), X509_V_OK);
}

TEST(Certificate, ShowsItsChain) {
  const auto root = issue("root", {.authority = true});
  const auto middle = issue("middle", {.authority = true, .issuer = &root});
  const auto leaf = issue("leaf.test", {.issuer = &middle});
  const auto certificate = Certificate::parse(entity("a", leaf, middle.cert_text()));
  ASSERT_TRUE(certificate);
  Handshake handshake(issue("the gateway's own"));
  ASSERT_TRUE((*certificate)->use(handshake.server()));
  ASSERT_TRUE(handshake.run());
  EXPECT_EQ(handshake.seen_name(), "leaf.test");
  EXPECT_EQ(sk_X509_num(SSL_get_peer_cert_chain(handshake.client())), 2);
}

TEST(Certificate, ShowsTheKeyThatTheClientKnows) {
  const auto rsa = issue("rsa.test", {.kind = KeyKind::kRsa}), ecdsa = issue("ecdsa.test");
  config::Certificate both = entity("both", rsa);
  both.cert_alt = ecdsa.cert_text();
  both.key_alt = ecdsa.key_text();
  const auto certificate = Certificate::parse(both);
  ASSERT_TRUE(certificate);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const auto& [algorithms, name] :
         {std::pair("rsa_pss_rsae_sha256", "rsa.test"), std::pair("ecdsa_secp256r1_sha256", "ecdsa.test")}) {
      Handshake handshake(issue("the gateway's own"));
      SSL_set_max_proto_version(handshake.client(), version);
      ASSERT_EQ(SSL_set1_sigalgs_list(handshake.client(), algorithms), 1);
      ASSERT_TRUE((*certificate)->use(handshake.server()));
      ASSERT_TRUE(handshake.run()) << algorithms;
      EXPECT_EQ(handshake.seen_name(), name);
    }
  }
}

TEST(Certificate, NamesItsAlternativeWhereThatIsWrong) {
  config::Certificate wrong = entity("a", issue("a.test"));
  wrong.cert_alt = "nothing";
  wrong.key_alt = wrong.key;
  EXPECT_TRUE(Certificate::parse(wrong).error().message.starts_with("alternative: x509.new: "));
}

}  // namespace
}  // namespace gibbon::gateway::tls
