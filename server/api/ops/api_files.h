// The descriptions of the endpoints: NAME.api.json beside each endpoint. The build embeds them.
//
// Members of a file, all optional:
//   request  the schema of the body
//   query    the parameters of the query, each with its schema
//   answers  a status, to the types of the body, to their schemas
//   errors   statuses of errors, besides those that every route may have
//   schemas  schemas by name, for "$ref": "#/components/schemas/NAME" in any file
#pragma once

#include <span>
#include <string_view>

namespace edgegate {

// All members point to constant data of the program.
struct ApiFile {
  std::string_view name;  // the path in server/api without ".api.json": "openai/models"
  std::string_view text;  // JSON
};

// Returns all files. Thread-safe.
std::span<const ApiFile> ApiFiles();

}  // namespace edgegate
