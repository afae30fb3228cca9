#include "server/http/answer_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>

#include "engine/base/random_hex.h"
#include "server/http/syntax.h"

namespace edgegate {
namespace {

constexpr size_t kMaxRequestId = 128;

bool IsRequestId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxRequestId &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsDigit(c) || IsAlpha(c) ||
                  std::string_view("._:-").find(c) != std::string_view::npos;
         });
}

}  // namespace

std::string RequestIdOf(const RequestHead& head) {
  const std::string* given = head.Find("x-request-id");
  if (given != nullptr && IsRequestId(*given)) return *given;
  return "req_" + RandomHex(4);
}

std::string HttpDate(std::chrono::system_clock::time_point time) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                     kDays[static_cast<size_t>(utc.tm_wday)], utc.tm_mday,
                     kMonths[static_cast<size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                     utc.tm_min, utc.tm_sec);
}

HeaderList AnswerFields(const std::string& request_id, std::chrono::steady_clock::duration took,
                        const std::string& listed_origin) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  HeaderList fields = {{"Date", HttpDate(std::chrono::system_clock::now())},
                       {"X-Request-Id", request_id},
                       {"Openai-Processing-Ms", std::to_string(ms)}};
  if (listed_origin.empty()) return fields;
  fields.emplace_back("Access-Control-Allow-Origin", listed_origin);
  fields.emplace_back("Access-Control-Expose-Headers",
                      "Openai-Processing-Ms, Retry-After, X-Request-Id");
  fields.emplace_back("Vary", "Origin");
  return fields;
}

}  // namespace edgegate
