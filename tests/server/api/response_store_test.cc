// The store of responses: its limits, and that tenants are separate.
#include <doctest/doctest.h>

#include <map>
#include <random>

#include "server/api/openai/responses/store.h"

namespace edgegate {
namespace {

StoredResponse Make(const std::string& id, size_t bytes) {
  return {id, std::string(bytes, 'x'), {"{}"}, {{"msg_" + id, "{\"id\":\"" + id + "\"}"}}};
}

TEST_CASE("a response is found by its tenant alone") {
  ResponseStore store;
  REQUIRE(store.Put("a", Make("r1", 10)));
  REQUIRE(store.Find("a", "r1") != nullptr);
  CHECK(store.Find("a", "r1")->answer.size() == 10);
  CHECK(store.Find("b", "r1") == nullptr);
  CHECK(store.FindItem("a", "msg_r1") == "{\"id\":\"r1\"}");
  CHECK_FALSE(store.FindItem("b", "msg_r1"));
  CHECK_FALSE(store.Delete("b", "r1"));
  CHECK(store.Delete("a", "r1"));
  CHECK_FALSE(store.Delete("a", "r1"));
  CHECK(store.Find("a", "r1") == nullptr);
}

TEST_CASE("a found response lives while it is used") {
  ResponseStore store;
  store.Put("a", Make("r1", 10));
  const auto held = store.Find("a", "r1");
  store.Delete("a", "r1");
  CHECK(held->id == "r1");
}

TEST_CASE("the oldest responses of a tenant give up room") {
  const size_t one = ResponseStore::BytesOf(Make("r0", 1000));
  ResponseStore store({.total_bytes = 100 * one, .tenant_bytes = 3 * one, .tenant_responses = 9});
  for (int i = 0; i < 5; ++i) CHECK(store.Put("a", Make("r" + std::to_string(i), 1000)));
  CHECK(store.Find("a", "r1") == nullptr);
  CHECK(store.Find("a", "r2") != nullptr);
  CHECK(store.Find("a", "r4") != nullptr);
  CHECK_FALSE(store.Put("a", Make("big", 4 * one)));
  CHECK(store.Find("a", "r2") != nullptr);
}

TEST_CASE("a tenant has a limited number of responses") {
  ResponseStore store({.total_bytes = 1 << 20, .tenant_bytes = 1 << 20, .tenant_responses = 2});
  for (const char* id : {"r1", "r2", "r3"}) store.Put("a", Make(id, 1));
  CHECK(store.Find("a", "r1") == nullptr);
  CHECK(store.Find("a", "r3") != nullptr);
}

TEST_CASE("the tenant with the most bytes gives up room for others") {
  const size_t one = ResponseStore::BytesOf(Make("r0", 1000));
  ResponseStore store({.total_bytes = 4 * one, .tenant_bytes = 3 * one, .tenant_responses = 9});
  for (const char* id : {"r0", "r1", "r2"}) store.Put("a", Make(id, 1000));
  store.Put("b", Make("r0", 1000));
  CHECK(store.Put("b", Make("r1", 1000)));
  CHECK(store.Find("a", "r0") == nullptr);
  CHECK(store.Find("a", "r1") != nullptr);
  CHECK(store.Find("b", "r0") != nullptr);
  CHECK(store.Find("b", "r1") != nullptr);
}

TEST_CASE("random puts and deletes keep the limits") {
  const ResponseStore::Limits limits{
      .total_bytes = 20000, .tenant_bytes = 8000, .tenant_responses = 10};
  ResponseStore store(limits);
  std::mt19937 random(7);
  std::map<std::string, size_t> put;  // bytes by tenant and id
  for (int i = 0; i < 2000; ++i) {
    const std::string tenant(1, static_cast<char>('a' + random() % 5));
    const std::string id = std::to_string(random() % 60);
    if (store.Find(tenant, id) != nullptr) {
      CHECK(store.Delete(tenant, id));
      CHECK(store.Find(tenant, id) == nullptr);
      continue;
    }
    StoredResponse response = Make(id, random() % 3000);
    put[tenant + id] = ResponseStore::BytesOf(response);
    REQUIRE(store.Put(tenant, std::move(response)));
    REQUIRE(store.Find(tenant, id) != nullptr);
    size_t total = 0;
    for (const auto& [key, bytes] : put) {
      if (store.Find(key.substr(0, 1), key.substr(1)) != nullptr) total += bytes;
    }
    REQUIRE(total <= limits.total_bytes);
  }
}

}  // namespace
}  // namespace edgegate
