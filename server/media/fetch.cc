#include "server/media/fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>

#include "engine/base/version.h"

namespace edgegate {
namespace {

struct Range {
  uint32_t first;
  int bits;
};
// Special-purpose ranges of RFC 6890 and of IANA's registry, and multicast.
constexpr Range kReserved4[] = {
    {0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16},
    {0xAC100000, 12}, {0xC0000000, 24}, {0xC0000200, 24}, {0xC0586300, 24}, {0xC0A80000, 16},
    {0xC6120000, 15}, {0xC6336400, 24}, {0xCB007100, 24}, {0xE0000000, 4},  {0xF0000000, 4},
};

bool IsPublic4(uint32_t address) {
  return std::none_of(std::begin(kReserved4), std::end(kReserved4),
                      [&](const Range& r) { return (address ^ r.first) >> (32 - r.bits) == 0; });
}

// Public addresses are in 2000::/3. Within it, ranges for documentation and benchmarking are not
// public. Addresses that embed an IPv4 address are checked by that address, or refused.
bool IsPublic6(const in6_addr& address) {
  const uint8_t* b = address.s6_addr;
  auto embedded = [&](int at) {
    return uint32_t{b[at]} << 24 | uint32_t{b[at + 1]} << 16 | uint32_t{b[at + 2]} << 8 | b[at + 3];
  };
  if (IN6_IS_ADDR_V4MAPPED(&address)) return IsPublic4(embedded(12));
  if (b[0] >> 5 != 1) return false;
  if (b[0] == 0x20 && b[1] == 0x01 && b[2] < 2) return false;  // 2001::/23, Teredo too
  if (b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8) return false;
  if (b[0] == 0x20 && b[1] == 0x02) return IsPublic4(embedded(2));  // 6to4
  if (b[0] == 0x3f && b[1] == 0xff && b[2] < 0x10) return false;    // 3fff::/20
  return true;
}

std::string ToLower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// The content that is fetched.
struct Content {
  const char* name;
  std::vector<std::string> types;  // media types that are accepted; "video/": all that begin so
  const char* expected;            // for the message
};
const Content kImages{"image",
                      {"image/jpeg", "image/png", "image/webp", "application/octet-stream"},
                      "image/jpeg, image/png or image/webp"};
const Content kVideos{
    "video", {"video/", "image/gif", "application/octet-stream"}, "video/mp4 or another video"};

struct Transfer {
  const FetchOptions& options;
  const Content& content;
  bool private_allowed;
  std::string body;
  std::string refused;  // why this code ended the transfer; empty: it did not
  const std::function<bool()>& cancelled;
};

int AskCancelled(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& cancelled = static_cast<Transfer*>(context)->cancelled;
  return cancelled && cancelled() ? 1 : 0;
}

curl_socket_t OpenSocket(void* context, curlsocktype, curl_sockaddr* address) {
  auto* transfer = static_cast<Transfer*>(context);
  if (!transfer->private_allowed && !IsPublicAddress(&address->addr)) {
    transfer->refused = "the host has a private address, which the settings do not allow";
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

size_t Receive(char* data, size_t size, size_t count, void* context) {
  auto* transfer = static_cast<Transfer*>(context);
  if (transfer->body.size() + size * count > transfer->options.max_bytes) {
    transfer->refused = fmt::format("the {} is too large", transfer->content.name);
    return 0;
  }
  transfer->body.append(data, size * count);
  return size * count;
}

struct FreeCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeText {
  void operator()(char* text) const { curl_free(text); }
};

std::string PartOf(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  const std::unique_ptr<char, FreeText> owned(text);
  return text;
}

// Returns the host of the URL. An error if the host is not allowed.
Result<std::string> AllowedHost(const std::string& url, const FetchOptions& options,
                                const Content& content) {
  const std::unique_ptr<CURLU, FreeUrl> parsed(curl_url());
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return InvalidArgument("the URL cannot be read");
  }
  const std::string scheme = PartOf(parsed.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return InvalidArgument("the URL is not http(s)");
  if (!PartOf(parsed.get(), CURLUPART_USER).empty() ||
      !PartOf(parsed.get(), CURLUPART_PASSWORD).empty()) {
    return InvalidArgument("the URL carries credentials");
  }
  std::string host = ToLower(PartOf(parsed.get(), CURLUPART_HOST));
  if (host.ends_with('.')) host.pop_back();
  if (!HostMatches(host, options.allowed_hosts)) {
    return InvalidArgument(
        "URLs of the host \"{}\" are not fetched: send the {} as a data URL, "
        "or allow the host in server.image_hosts",
        host, content.name);
  }
  return host;
}

Status CheckType(CURL* curl, const Content& content) {
  const char* given = nullptr;
  curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &given);
  std::string type = ToLower(given ? given : "");
  type = type.substr(0, type.find_first_of("; "));
  for (const std::string& good : content.types) {
    if (type == good || (good.ends_with('/') && type.starts_with(good))) return {};
  }
  return InvalidArgument("the URL's content is of type \"{}\": must be {}", type, content.expected);
}

// Sends one request. Sets `redirect` if the answer is a redirect.
Result<std::string> FetchOnce(const std::string& url, const FetchOptions& options,
                              const Content& content, long timeout_ms,
                              const std::function<bool()>& cancelled, std::string* redirect) {
  EG_ASSIGN_OR_RETURN(const std::string host, AllowedHost(url, options, content));
  Transfer transfer{options, content, HostMatches(host, options.allowed_private_hosts),
                    {},      {},      cancelled};
  const std::unique_ptr<CURL, FreeCurl> curl(curl_easy_init());
  if (!curl) return ResourceExhausted("not enough memory to fetch a URL");
  CURL* c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, url.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_PROXY, "");
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout_ms);
  const std::string agent = fmt::format("edgegate/{}", Version());  // curl copies it
  curl_easy_setopt(c, CURLOPT_USERAGENT, agent.c_str());
  curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, OpenSocket);
  curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, Receive);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, AskCancelled);
  curl_easy_setopt(c, CURLOPT_XFERINFODATA, &transfer);
  const CURLcode code = curl_easy_perform(c);
  if (code == CURLE_ABORTED_BY_CALLBACK) return Cancelled("the client has left");
  if (!transfer.refused.empty()) return InvalidArgument("{}", transfer.refused);
  if (code != CURLE_OK) {
    return InvalidArgument("the URL cannot be fetched: {}", curl_easy_strerror(code));
  }
  long status = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  const char* location = nullptr;
  curl_easy_getinfo(c, CURLINFO_REDIRECT_URL, &location);
  if (status >= 300 && status < 400 && location != nullptr) {
    *redirect = location;
    return std::string();
  }
  if (status != 200) return InvalidArgument("the URL's server answered {}", status);
  EG_RETURN_IF_ERROR(CheckType(c, content));
  return std::move(transfer.body);
}

// Fetches the URL, and follows redirects.
Result<std::string> Fetch(const std::string& url, const FetchOptions& options,
                          const Content& content, const std::function<bool()>& cancelled) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) return Internal("libcurl cannot be used: {}", curl_easy_strerror(ready));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.timeout_s);
  std::string next = url;
  for (int hop = 0; hop <= options.max_redirects; ++hop) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return InvalidArgument("the URL takes too long");
    std::string redirect;
    EG_ASSIGN_OR_RETURN(std::string body,
                        FetchOnce(next, options, content, left.count(), cancelled, &redirect));
    if (redirect.empty()) return body;
    next = std::move(redirect);
  }
  return InvalidArgument("the URL is redirected more than {} times", options.max_redirects);
}

}  // namespace

bool HostMatches(const std::string& host, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& given) {
    const std::string pattern = ToLower(given);
    if (pattern.starts_with("*.")) {
      return host.size() > pattern.size() - 1 && host.ends_with(pattern.substr(1));
    }
    return host == pattern;
  });
}

bool IsPublicAddress(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof in);
    return IsPublic4(ntohl(in.sin_addr.s_addr));
  }
  if (address->sa_family != AF_INET6) return false;
  sockaddr_in6 in6;
  std::memcpy(&in6, address, sizeof in6);
  return IsPublic6(in6.sin6_addr);
}

Result<std::string> FetchImage(const std::string& url, const FetchOptions& options,
                               const std::function<bool()>& cancelled) {
  return Fetch(url, options, kImages, cancelled);
}

Result<std::string> FetchVideo(const std::string& url, const FetchOptions& options,
                               const std::function<bool()>& cancelled) {
  return Fetch(url, options, kVideos, cancelled);
}

}  // namespace edgegate
