// A reader of untrusted JSON, with bounded depth, without duplicate keys and without exceptions.
// Code that reads JSON does not depend on the JSON library.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

// A value in a parsed document. It keeps the document alive and is cheap to copy. Immutable: any
// thread may call any method.
class Json {
 public:
  static constexpr int kMaxDepth = 32;

  // Parses a document. kDataLoss, with the byte offset: `text` is not JSON (comments and NaN are
  // not), nests deeper than kMaxDepth, or has a key twice in one object.
  static Result<Json> Parse(std::string_view text);

  bool is_null() const;
  bool is_object() const;
  bool is_array() const;
  bool is_string() const;

  // Returns the member `key`. It is null if there is no such member or this is not an object.
  Json operator[](std::string_view key) const;
  // True for an object with this member, even if the member is null.
  bool Has(std::string_view key) const;
  std::vector<std::string> Keys() const;  // sorted keys of an object; otherwise empty
  size_t size() const;                    // elements of an array, members of an object; otherwise 0
  Json At(size_t index) const;            // element of an array; index < size()

  // Return the value. nullopt: it has another type. A number whose fraction is zero is also an
  // integer, because some writers write 10000.0.
  std::optional<int64_t> Int() const;
  std::optional<double> Number() const;
  std::optional<bool> Bool() const;
  std::optional<std::string> String() const;

  // Returns the value as JSON text, shortened for an error message.
  std::string Brief() const;

 private:
  Json(std::shared_ptr<const void> root, const void* node) : root_(std::move(root)), node_(node) {}

  std::shared_ptr<const void> root_;
  const void* node_;
};

}  // namespace edgegate
