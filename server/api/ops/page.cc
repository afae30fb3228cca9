#include "server/api/ops/page.h"

#include <string>

#include "server/api/openai/errors.h"
#include "server/http/exchange.h"
#include "server/page/page_files.h"

namespace edgegate {
namespace {

// Allows the page's own scripts, styles and requests, and nothing else. data: and blob: are the
// user's images, mediastream: is the camera. Trusted types forbid innerHTML and the like.
constexpr char kContentSecurityPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob: mediastream:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

// True if the request's If-None-Match has the tag (RFC 9110, 13.1.2). Weak tags match too.
bool ClientHas(const RequestHead& head, const char* etag) {
  const std::string* tags = head.Find("if-none-match");
  return tags != nullptr && (*tags == "*" || tags->find(etag) != std::string::npos);
}

// Caches keep the file, and ask each time if it has changed.
void AnswerFile(const PageFile& file, Exchange& exchange) {
  exchange.SetField("ETag", file.etag);
  exchange.SetField("Cache-Control", "no-cache");
  exchange.SetField("Content-Security-Policy", kContentSecurityPolicy);
  exchange.SetField("X-Content-Type-Options", "nosniff");
  exchange.SetField("Referrer-Policy", "no-referrer");
  exchange.SetField("Cross-Origin-Resource-Policy", "same-origin");
  if (ClientHas(exchange.head(), file.etag)) return exchange.AnswerNotModified();
  exchange.Answer(std::string(file.bytes), 200, file.type);
}

}  // namespace

void AddPage(const ApiServices& services, Router* router) {
  if (!services.page) return;
  for (const PageFile& file : PageFiles()) {
    const bool index = file.name == "index.html";
    router->Add({.method = "GET",
                 .path = index ? "/" : "/page/" + std::string(file.name),
                 .scope = Scope::kPublic,
                 .summary = index ? "The chat page." : "A part of the chat page.",
                 .api = index ? "ops/page" : "ops/page_part",
                 .error_body = OpenAiErrorBody,
                 .handle = [&file](Exchange& exchange) { AnswerFile(file, exchange); }});
  }
}

}  // namespace edgegate
