#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <filesystem>

#include "http/server.hpp"
#include "raw_client.hpp"

namespace gibbon::http {
namespace {

namespace asio = boost::asio;

/// A certificate for localhost, signed by itself, and its key, in a directory that goes with this.
class Certificate {
 public:
  Certificate() {
    std::string name = (std::filesystem::temp_directory_path() / "gibbon-test-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1,
                               0);
    X509_set_issuer_name(certificate, subject);
    X509_sign(certificate, key, EVP_sha256());
    FILE* file = std::fopen(certificate_file().c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen(key_file().c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~Certificate() { std::filesystem::remove_all(directory_); }
  [[nodiscard]] std::string certificate_file() const { return directory_ + "/certificate.pem"; }
  [[nodiscard]] std::string key_file() const { return directory_ + "/key.pem"; }

 private:
  std::string directory_;
};

class Tls : public testing::Test {
 protected:
  /// `client_authorities`: who must have signed a client's certificate; empty: nobody need have one.
  void start(const std::string& client_authorities = {}) {
    ServerOptions options;
    options.listen = {Listen{"127.0.0.1", 0, certificate_.certificate_file(), certificate_.key_file(), client_authorities},
                      Listen{"127.0.0.1", 0}};
    auto server = Server::start(options, [](const Request& request) {
      return Response{200, {}, request.path == "/large" ? std::string(5'000'000, 'x') : request.path + request.body};
    });
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(server).value();
  }
  /// Sends all of `text`, and reads until the server closes as TLS wants. Throws where it does otherwise.
  std::string talk(const std::string& text, const Certificate* own = nullptr) {
    asio::io_context context;
    asio::ssl::context tls(asio::ssl::context::tls_client);
    tls.load_verify_file(certificate_.certificate_file());
    tls.set_verify_mode(asio::ssl::verify_peer);
    if (own != nullptr) {
      tls.use_certificate_file(own->certificate_file(), asio::ssl::context::pem);
      tls.use_private_key_file(own->key_file(), asio::ssl::context::pem);
    }
    asio::ssl::stream<asio::ip::tcp::socket> stream(context, tls);
    stream.lowest_layer().connect({asio::ip::make_address("127.0.0.1"), server_->listening()[0].port});
    stream.handshake(asio::ssl::stream_base::client);
    asio::write(stream, asio::buffer(text));
    std::string out;
    boost::system::error_code error;
    asio::read(stream, asio::dynamic_buffer(out), error);
    if (error != asio::error::eof) throw boost::system::system_error(error);  // "stream truncated", for example.
    return out;
  }
  std::string exchange(const std::string& text, const Certificate* own = nullptr) {
    try {
      return talk(text, own);
    } catch (const boost::system::system_error& failed) {
      ADD_FAILURE() << failed.what();
      return {};
    }
  }

  Certificate certificate_;
  std::unique_ptr<Server> server_;
};

TEST_F(Tls, AnswersOneAfterTheOther) {
  start();
  const auto text = exchange("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                             "GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(text.find("\r\n\r\n/aabcHTTP/1.1 200 OK\r\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with(std::string(5'000'000, 'x')));
}

TEST_F(Tls, PlainBesideIt) {
  start();
  EXPECT_EQ(test::RawClient(server_->listening()[1].port).get("/b")->body, "/b");
}

TEST_F(Tls, PlainTextOnTheTlsPortHarmsNobody) {
  start();
  test::RawClient client(server_->listening()[0].port);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.read_to_end().has_value());
  EXPECT_EQ(server_->stats().requests, 0u);
  EXPECT_NE(exchange("GET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").find("/c"), std::string::npos);
}

TEST_F(Tls, AsksForACertificateOfTheClient) {
  const Certificate known, unknown;
  start(known.certificate_file());
  const std::string request = "GET /d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  EXPECT_TRUE(exchange(request, &known).ends_with("/d"));
  for (const Certificate* wrong : {static_cast<const Certificate*>(nullptr), &unknown}) {
    // In TLS 1.3 the refusal arrives after the client's own handshake: as an alert, or as a closed connection.
    EXPECT_THROW((void)talk(request, wrong), boost::system::system_error);
  }
  EXPECT_EQ(server_->stats().requests, 1u);
  EXPECT_TRUE(exchange(request, &known).ends_with("/d"));
}

TEST_F(Tls, SaysWhatIsWrongWithTheFiles) {
  EXPECT_TRUE(check_tls(Listen{"127.0.0.1", 0, certificate_.certificate_file(), certificate_.key_file()}));
  const auto authorities =
      check_tls(Listen{"127.0.0.1", 0, certificate_.certificate_file(), certificate_.key_file(), "/nonexistent/ca.pem"});
  ASSERT_FALSE(authorities.ok());
  EXPECT_NE(authorities.error().message.find("/nonexistent/ca.pem"), std::string::npos) << authorities.error().message;
  ServerOptions options;
  options.listen = {Listen{"127.0.0.1", 0, "/nonexistent/certificate.pem", certificate_.key_file()}};
  auto server = Server::start(options, [](const Request&) { return Response{}; });
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.error().message.find("/nonexistent/certificate.pem"), std::string::npos) << server.error().message;
  const Certificate other;
  options.listen[0] = Listen{"127.0.0.1", 0, certificate_.certificate_file(), other.key_file()};
  server = Server::start(options, [](const Request&) { return Response{}; });
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.error().message.find(other.key_file()), std::string::npos) << server.error().message;
}

}  // namespace
}  // namespace gibbon::http
