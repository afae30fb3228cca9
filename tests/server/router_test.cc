// The table of routes: paths, parameters, methods.

#include "server/http/router.h"

#include <doctest/doctest.h>

#include "server/api/openai/errors.h"

namespace edgegate {
namespace {

Route MakeRoute(const char* method, const char* path) {
  return {.method = method,
          .path = path,
          .scope = Scope::kApi,
          .summary = "s",
          .error_body = OpenAiErrorBody,
          .handle = {}};
}

Router MakeRouter() {
  Router router(OpenAiErrorBody);
  router.Add(MakeRoute("GET", "/a"));
  router.Add(MakeRoute("POST", "/a"));
  router.Add(MakeRoute("POST", "/b"));
  router.Add(MakeRoute("GET", "/a/{name}"));
  return router;
}

TEST_CASE("a path finds its routes, and its parameter takes all that follows") {
  const Router router = MakeRouter();
  CHECK(router.Find("/a").routes.size() == 2);
  CHECK(router.Find("/a").parameter.empty());
  CHECK(router.Find("/b").routes.size() == 1);
  const auto match = router.Find("/a/org/name x");
  REQUIRE(match.routes.size() == 1);
  CHECK(match.routes[0]->path == "/a/{name}");
  CHECK(match.parameter == "org/name x");
  for (const char* unknown : {"", "/", "/A", "/a//", "/ab", "/c", "a", "*"}) {
    CAPTURE(unknown);
    CHECK(router.Find(unknown).routes.empty());
  }
  CHECK(router.Find("/a/{name}").parameter == "{name}");
}

TEST_CASE("a parameter may have a text behind it") {
  Router router = MakeRouter();
  router.Add(MakeRoute("GET", "/a/{name}/items"));
  router.Add(MakeRoute("DELETE", "/a/{name}"));
  const auto match = router.Find("/a/x/y/items");
  REQUIRE(match.routes.size() == 1);
  CHECK(match.routes[0]->path == "/a/{name}/items");
  CHECK(match.parameter == "x/y");
  CHECK(router.Find("/a/x/items/").parameter == "x");
  CHECK(router.Find("/a/x").Allow() == "GET, HEAD, DELETE, OPTIONS");
  CHECK(router.Find("/a/items").parameter == "items");
  CHECK(router.Find("/a/x/item").parameter == "x/item");
}

TEST_CASE("an alias maps a prefix of paths, and its segment becomes the parameter") {
  Router router = MakeRouter();
  router.AddAlias("/x/deployments/{name}", "");
  router.AddAlias("/y", "/a");
  const auto named = router.Find("/x/deployments/m 1/b");
  REQUIRE(named.routes.size() == 1);
  CHECK(named.routes[0]->path == "/b");
  CHECK(named.parameter == "m 1");
  CHECK(router.Find("/x/deployments/m/a/name").parameter == "name");
  CHECK(router.Find("/y/name").routes.size() == 1);
  for (const char* unknown :
       {"/x", "/x/b", "/x/deployments", "/x/deployments/m", "/x/deployments//", "/y", "/yname"}) {
    CAPTURE(unknown);
    CHECK(router.Find(unknown).routes.empty());
  }
}

TEST_CASE("methods: GET answers HEAD, and Allow names all") {
  const Router router = MakeRouter();
  const auto both = router.Find("/a"), post = router.Find("/b");
  CHECK(both.Allow() == "GET, HEAD, POST, OPTIONS");
  CHECK(post.Allow() == "POST, OPTIONS");
  REQUIRE(both.ForMethod("HEAD") != nullptr);
  CHECK(both.ForMethod("HEAD")->method == "GET");
  CHECK(both.ForMethod("POST")->method == "POST");
  CHECK(post.ForMethod("GET") == nullptr);
  CHECK(post.ForMethod("HEAD") == nullptr);
  CHECK(post.ForMethod("post") == nullptr);
}

}  // namespace
}  // namespace edgegate
