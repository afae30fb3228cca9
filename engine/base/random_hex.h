// Random IDs of requests and answers.
#pragma once

#include <string>

namespace edgegate {

// Returns 8 * `words` random hexadecimal digits, from std::random_device. Thread-safe. Throws
// std::exception if the system has no random numbers.
std::string RandomHex(int words);

}  // namespace edgegate
