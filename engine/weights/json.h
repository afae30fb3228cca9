// Reading untrusted JSON: bounded depth, no duplicate keys, no exceptions. Keeps the JSON library
// out of this folder's other files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

// A value inside a parsed document, which it keeps alive; cheap to copy. Immutable.
class Json {
 public:
  static constexpr int kMaxDepth = 32;

  // kDataLoss with the byte offset when `text` is no JSON document (comments and NaN are none),
  // nests deeper than kMaxDepth or names a key twice in one object.
  static Result<Json> Parse(std::string_view text);

  bool is_null() const;
  bool is_object() const;
  bool is_array() const;
  bool is_string() const;

  // The member `key`; null when there is none or this is no object.
  Json operator[](std::string_view key) const;
  bool Has(
      std::string_view key) const;  // true for an object with this member, also where it is null
  std::vector<std::string> Keys() const;  // of an object, sorted; else empty
  size_t size() const;                    // elements of an array, members of an object; else 0
  Json At(size_t index) const;            // of an array, index < size()

  // The value when it has that type; nullopt otherwise. A number with a fraction of zero is also an
  // integer: some writers give 10000.0.
  std::optional<int64_t> Int() const;
  std::optional<double> Number() const;
  std::optional<bool> Bool() const;
  std::optional<std::string> String() const;

  // The value as JSON text, cut to a length fit for an error message.
  std::string Brief() const;

 private:
  Json(std::shared_ptr<const void> root, const void* node) : root_(std::move(root)), node_(node) {}

  std::shared_ptr<const void> root_;
  const void* node_;
};

}  // namespace edgegate
