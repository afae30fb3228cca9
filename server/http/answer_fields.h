// The header fields that every answer has.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "server/http/request_head.h"

namespace edgegate {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// Returns the ID of a request: the value of its field X-Request-Id if that is 1 to 128 of the
// characters A-Z, a-z, 0-9, ".", "_", ":" and "-". Otherwise "req_" and 32 random hex digits.
std::string RequestIdOf(const RequestHead& head);

// Returns a time as the field Date has it (RFC 9110, 5.6.7), in the C locale.
std::string HttpDate(std::chrono::system_clock::time_point time);

// Returns the fields Date, X-Request-Id and Openai-Processing-Ms (whole milliseconds of `took`).
// `listed_origin`: the origin of the page that may read the answer; empty: none. It adds the fields
// of CORS (WHATWG Fetch, 3.2).
HeaderList AnswerFields(const std::string& request_id, std::chrono::steady_clock::duration took,
                        const std::string& listed_origin);

}  // namespace edgegate
