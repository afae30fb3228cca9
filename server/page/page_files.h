// The files of the chat page. The build embeds this folder's .html, .css, .js and .svg files into
// the program.
#pragma once

#include <span>
#include <string_view>

namespace edgegate {

// All members point to constant data of the program.
struct PageFile {
  std::string_view name;  // such as "chat.js"
  const char* type;       // value of the field Content-Type
  const char* etag;       // strong entity tag with its quotes: a hash of `bytes`
  std::string_view bytes;
};

// Returns all files. One of them is index.html. Thread-safe.
std::span<const PageFile> PageFiles();

}  // namespace edgegate
