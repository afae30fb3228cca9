// Parameters of queries.
#include "server/http/request_target.h"

#include <doctest/doctest.h>

namespace edgegate {
namespace {

TEST_CASE("a parameter of a query is decoded") {
  CHECK(QueryParameter("model=a", "model") == "a");
  CHECK(QueryParameter("x=1&model=a%2Fb+c&model=d", "model") == "a/b c");
  CHECK(QueryParameter("model=a=b", "model") == "a=b");
  CHECK(QueryParameter("model=", "model") == "");
  CHECK(QueryParameter("model", "model") == "");
  CHECK(QueryParameter("&&model=a", "model") == "a");
  CHECK_FALSE(QueryParameter("", "model"));
  CHECK_FALSE(QueryParameter("models=a&xmodel=b", "model"));
  CHECK_FALSE(QueryParameter("model=%2", "model"));
}

}  // namespace
}  // namespace edgegate
