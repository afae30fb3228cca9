// The rules for image URLs, tested with a server on loopback.

#include "server/media/fetch.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <httplib.h>
#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace edgegate {
namespace {

// A server that counts its requests.
class Site {
 public:
  Site() {
    server_.set_pre_routing_handler([this](const httplib::Request&, httplib::Response&) {
      ++requests;
      return httplib::Server::HandlerResponse::Unhandled;
    });
    server_.Get("/good", [](const httplib::Request&, httplib::Response& res) {
      res.set_content("picture", "Image/PNG; charset=binary");
    });
    server_.Get("/page", [](const httplib::Request&, httplib::Response& res) {
      res.set_content("<html>", "text/html");
    });
    server_.Get("/large", [](const httplib::Request&, httplib::Response& res) {
      res.set_content(std::string(200'000, 'x'), "image/png");
    });
    server_.Get("/slow", [](const httplib::Request&, httplib::Response& res) {
      res.set_chunked_content_provider("image/png", [](size_t, httplib::DataSink& sink) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        return sink.write("x", 1);
      });
    });
    server_.Get("/to", [](const httplib::Request& req, httplib::Response& res) {
      res.set_redirect(req.get_param_value("url"));
    });
    server_.Get("/loop",
                [](const httplib::Request&, httplib::Response& res) { res.set_redirect("/loop"); });
    server_.Get("/cookie", [](const httplib::Request& req, httplib::Response& res) {
      res.set_header("Set-Cookie", "a=b");
      res.set_redirect(req.has_header("Cookie") ? "/page" : "/good");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~Site() {
    server_.stop();
    thread_.join();
  }
  std::string Url(const std::string& path, const std::string& host = "localhost") const {
    return "http://" + host + ":" + std::to_string(port_) + path;
  }
  std::atomic<int> requests{0};

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

FetchOptions Trusting() {
  FetchOptions options;
  options.allowed_hosts = options.allowed_private_hosts = {"LocalHost"};
  options.max_bytes = 100'000;
  return options;
}

// Returns the error message, or "" if there is none.
std::string Error(const std::string& url, const FetchOptions& options) {
  const auto got = FetchImage(url, options);
  return got.ok() ? "" : std::string(got.status().message());
}

bool Says(const std::string& error, const char* what) {
  CAPTURE(error);
  const bool found = error.find(what) != std::string::npos;
  CHECK(found);
  return found;
}

TEST_CASE("an allowed host is fetched") {
  Site site;
  const auto got = FetchImage(site.Url("/good"), Trusting());
  REQUIRE_MESSAGE(got.ok(), got.status().message());
  CHECK(*got == "picture");
  CHECK(Error(site.Url("/cookie"), Trusting()) == "");
  CHECK(Error(site.Url("/good", "LOCALHOST"), Trusting()) == "");
}

TEST_CASE("other hosts and private addresses are not contacted") {
  Site site;
  FetchOptions options = Trusting();
  Says(Error(site.Url("/good", "127.0.0.1"), options), "not fetched");
  Says(Error(site.Url("/good", "[::1]"), options), "not fetched");
  Says(Error(site.Url("/good", "127.1"), options), "not fetched");
  Says(Error(site.Url("/good", "user:pw@localhost"), options), "credentials");
  Says(Error(site.Url("/good", "localhost@evil.example"), options), "credentials");
  Says(Error("file:///etc/passwd", options), "not http(s)");
  Says(Error("gopher://localhost/", options), "not http(s)");
  Says(Error("http://", options), "cannot be read");
  // The name is allowed. Its address is not.
  options.allowed_private_hosts.clear();
  Says(Error(site.Url("/good"), options), "private address");
  options.allowed_hosts.clear();
  Says(Error(site.Url("/good"), options), "not fetched");
  CHECK(site.requests == 0);
}

TEST_CASE("redirects are followed to allowed hosts, up to a limit") {
  Site site;
  const FetchOptions options = Trusting();
  CHECK(Error(site.Url("/to?url=/good"), options) == "");
  Says(Error(site.Url("/to?url=" + site.Url("/good", "127.0.0.1")), options), "not fetched");
  Says(Error(site.Url("/to?url=file:///etc/passwd"), options), "not http(s)");
  CHECK(site.requests == 4);
  Says(Error(site.Url("/loop"), options), "more than 3 times");
  FetchOptions none = options;
  none.max_redirects = 0;
  Says(Error(site.Url("/to?url=/good"), none), "more than 0 times");
}

TEST_CASE("fetching limits size, time, type and status") {
  Site site;
  FetchOptions options = Trusting();
  Says(Error(site.Url("/large"), options), "too large");
  Says(Error(site.Url("/page"), options), "of type \"text/html\"");
  Says(Error(site.Url("/nothing"), options), "answered 404");
  options.timeout_s = 1;
  const auto began = std::chrono::steady_clock::now();
  Says(Error(site.Url("/slow"), options), "cannot be fetched");
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
}

TEST_CASE("host patterns match a name or all names below") {
  CHECK(HostMatches("a.example", {"b", "A.Example"}));
  CHECK(HostMatches("x.a.example", {"*.a.example"}));
  CHECK_FALSE(HostMatches("a.example", {"*.a.example"}));
  CHECK_FALSE(HostMatches("xa.example", {"*.a.example"}));
  CHECK_FALSE(HostMatches("a.example.evil", {"a.example"}));
  CHECK_FALSE(HostMatches("a.example", {}));
}

bool Public(const char* text) {
  sockaddr_storage storage{};
  auto* four = reinterpret_cast<sockaddr_in*>(&storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
  if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
    storage.ss_family = AF_INET;
  } else {
    REQUIRE(inet_pton(AF_INET6, text, &six->sin6_addr) == 1);
    storage.ss_family = AF_INET6;
  }
  return IsPublicAddress(reinterpret_cast<const sockaddr*>(&storage));
}

TEST_CASE("private, link-local and reserved addresses are recognized") {
  for (const char* address : {"0.0.0.0",
                              "0.1.2.3",
                              "10.0.0.1",
                              "100.64.0.1",
                              "100.127.255.255",
                              "127.0.0.1",
                              "127.255.255.255",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.1",
                              "192.168.1.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "224.0.0.1",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "::127.0.0.1",
                              "64:ff9b::7f00:1",
                              "fc00::1",
                              "fd12::1",
                              "fe80::1",
                              "ff02::1",
                              "2001::1",
                              "2001:db8::1",
                              "2002:7f00:1::",
                              "2002:c0a8:101::",
                              "3fff::1",
                              "fec0::1"}) {
    CAPTURE(address);
    CHECK_FALSE(Public(address));
  }
  for (const char* address : {"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1",
                              "172.32.0.1", "192.167.1.1", "223.255.255.255", "2606:4700::1111",
                              "2a00:1450::1", "::ffff:8.8.8.8", "2002:808:808::"}) {
    CAPTURE(address);
    CHECK(Public(address));
  }
}

}  // namespace
}  // namespace edgegate
