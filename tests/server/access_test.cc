// Keys, host names, sites and addresses of clients.

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include <fstream>

#include "server/access/api_keys.h"
#include "server/access/caller.h"
#include "server/access/site_rules.h"

namespace edgegate {
namespace {

TEST_CASE("a key is found behind 'bearer' in any case") {
  const ApiKeys keys({"one", "two"});
  CHECK(keys.Find("Bearer one") == std::optional<size_t>(0));
  CHECK(keys.Find("bEARER   two ") == std::optional<size_t>(1));
  for (const char* wrong : {"", "one", "Bearer", "Bearer ", "Bearer tw", "Bearer twoo",
                            "Bearer Two", "Basic two", "Bearertwo", "Bearer one two"}) {
    CAPTURE(wrong);
    CHECK_FALSE(keys.Find(wrong));
  }
  CHECK_FALSE(ApiKeys().Find("Bearer "));
}

TEST_CASE("key files") {
  const std::string path = "access_test_keys";
  const auto read = [&](const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    return ReadApiKeys(path);
  };
  const auto keys = read("\xef\xbb\xbfone\r\n\r\n# two\r\n \t three \t\r\n#\nfour");
  REQUIRE(keys.ok());
  CHECK(*keys == std::vector<std::string>{"one", "three", "four"});
  for (const char* wrong : {"", "\n#x\n", "a b\n", "a\tb", "a\x7f"}) {
    CAPTURE(wrong);
    const auto failed = read(wrong);
    CHECK_FALSE(failed.ok());
    CHECK(failed.status().message().find("server.api_keys_file") != std::string::npos);
  }
  std::remove(path.c_str());
  CHECK(ReadApiKeys(path).status().code() == StatusCode::kNotFound);
}

TEST_CASE("host names") {
  const auto rules = SiteRules::Make({"ai.example.org", "*.Example.net"}, {});
  REQUIRE(rules.ok());
  for (const char* host : {"127.0.0.1", "10.1.2.3:8089", "[::1]", "[fe80::1]:80", "localhost",
                           "edgegate:8089", "gw.local", "gw.lan:1", "a.b.home.arpa", "x.internal",
                           "ai.example.org:443", "a.b.example.net"}) {
    CAPTURE(host);
    CHECK(rules->AllowsHost(host));
  }
  for (const char* host :
       {"evil.com", "127.0.0.1.evil.com", "1.2.3", "example.net", "evilexample.net",
        "evillocal.com", "ai.example.org.evil.com", "home.arpa"}) {
    CAPTURE(host);
    CHECK_FALSE(rules->AllowsHost(host));
  }
  for (const char* wrong : {"", "*", "*.", "a*", "http://a", "a:80", "a/b"}) {
    CAPTURE(wrong);
    CHECK_FALSE(SiteRules::Make({wrong}, {}).ok());
  }
}

TEST_CASE("sites") {
  using Origin = SiteRules::Origin;
  const auto rules = SiteRules::Make({}, {"https://App.example.org:443", "http://b:8080"});
  REQUIRE(rules.ok());
  CHECK(rules->Classify("https://app.example.org", "localhost") == Origin::kListed);
  CHECK(rules->Classify("http://b:8080", "localhost") == Origin::kListed);
  CHECK(rules->Classify("http://localhost:8089", "localhost:8089") == Origin::kOwn);
  CHECK(rules->Classify("HTTP://Localhost", "localhost:80") == Origin::kOwn);
  for (const char* origin :
       {"null", "", "localhost", "http://", "://localhost", "https://localhost",
        "http://localhost:81", "http://localhost/", "http://b", "http://app.example.org",
        "https://app.example.org.evil.com", "http://localhost, http://b:8080", "file://"}) {
    CAPTURE(origin);
    CHECK(rules->Classify(origin, "localhost") == Origin::kRefused);
    CHECK(rules->Classify(origin, "") == Origin::kRefused);
  }
  for (const char* wrong : {"", "*", "null", "b", "http://", "http://b/", "http://u@b"}) {
    CAPTURE(wrong);
    CHECK_FALSE(SiteRules::Make({}, {wrong}).ok());
  }
}

TEST_CASE("the part of an address that stands for a client") {
  const auto v6 = [](const char* text) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    REQUIRE(inet_pton(AF_INET6, text, &address.sin6_addr) == 1);
    return ClientAddress(reinterpret_cast<const sockaddr*>(&address));
  };
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(0x0a000001);
  CHECK(ClientAddress(reinterpret_cast<const sockaddr*>(&v4)) == "10.0.0.1");
  CHECK(v6("::ffff:10.0.0.1") == "10.0.0.1");
  CHECK(v6("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
  CHECK(v6("2001:db8:1:2::1") == "2001:db8:1:2::/64");
  sockaddr other{};
  other.sa_family = AF_UNIX;
  CHECK(ClientAddress(&other) == "?");
}

}  // namespace
}  // namespace edgegate
