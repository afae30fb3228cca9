// Keys, host names, sites and addresses of clients.

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "server/access/api_keys.h"
#include "server/access/caller.h"
#include "server/access/site_rules.h"

namespace edgegate {
namespace {

ApiKeys Keys(const std::vector<std::string>& entries) {
  auto keys = ApiKeys::Make(entries);
  REQUIRE_MESSAGE(keys.ok(), keys.status().message());
  return *std::move(keys);
}

// The ID of the key; empty: none.
std::string Find(const ApiKeys& keys, const std::string& authorization) {
  const std::string* id = keys.Find(BearerKey(authorization));
  return id != nullptr ? *id : "";
}

TEST_CASE("a key is found behind 'bearer' in any case") {
  const ApiKeys keys = Keys({"first one", "two"});
  CHECK(Find(keys, "Bearer one") == "first");
  CHECK(Find(keys, "bEARER   two ") == "key-3fc4ccfe7458");
  for (const char* wrong :
       {"", "one", "Bearer", "Bearer ", "Bearer tw", "Bearer twoo", "Bearer Two", "Basic two",
        "Bearertwo", "Bearer one two", "Bearer first", "Bearer first one"}) {
    CAPTURE(wrong);
    CHECK(Find(keys, wrong) == "");
  }
  CHECK(Find(ApiKeys(), "Bearer ") == "");
}

TEST_CASE("a key keeps its ID wherever it stands") {
  std::vector<std::string> entries = {"one", "phone two", "three", "door\tfour"};
  const ApiKeys before = Keys(entries);
  std::reverse(entries.begin(), entries.end());
  entries.insert(entries.begin() + 1, "another");
  const ApiKeys after = Keys(entries);
  for (const char* key : {"Bearer one", "Bearer two", "Bearer three", "Bearer four"}) {
    CAPTURE(key);
    CHECK(Find(before, key) != "");
    CHECK(Find(before, key) == Find(after, key));
  }
  CHECK(Find(after, "Bearer two") == "phone");
  CHECK(Find(after, "Bearer four") == "door");
}

TEST_CASE("names and keys that are refused are named by their number, without the key") {
  const std::string long_name(65, 'n');
  for (const std::string& wrong :
       {std::string("a/b secret"), std::string("n secret secret"), std::string(""),
        std::string("n se\x7f"), long_name + " secret", std::string("taken secret")}) {
    CAPTURE(wrong);
    const auto made = ApiKeys::Make({"taken first", wrong});
    REQUIRE_FALSE(made.ok());
    CHECK(made.status().code() == StatusCode::kInvalidArgument);
    CHECK(made.status().message().find("API key 2: ") == 0);
    CHECK(made.status().message().find("secret") == std::string::npos);
  }
  CHECK(ApiKeys::Make({"same", "same"}).ok());
}

TEST_CASE("API key files: one key a line, comments and blank lines skipped") {
  const std::string path = "access_test_keys";
  const auto read = [&](const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    return ReadApiKeys(path);
  };
  const auto keys = read("\xef\xbb\xbfone\r\n\r\n# two\r\n \t three \t\r\n#\nphone four");
  REQUIRE(keys.ok());
  CHECK(*keys == std::vector<std::string>{"one", "three", "phone four"});
  for (const char* wrong : {"", "\n#x\n", "a b c\n", "ä b", "a\x7f"}) {
    CAPTURE(wrong);
    const auto failed = read(wrong);
    CHECK_FALSE(failed.ok());
    CHECK(failed.status().message().find("server.api_keys_file") != std::string::npos);
  }
  std::remove(path.c_str());
  CHECK(ReadApiKeys(path).status().code() == StatusCode::kNotFound);
}

TEST_CASE("Host rules: local names, addresses and listed names") {
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

TEST_CASE("Origin rules: same host, local and listed origins") {
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

TEST_CASE("a client is an IPv4 address or an IPv6 /64 network") {
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
