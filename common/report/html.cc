#include "common/base/json_proto.h"
#include "common/report/report.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

// The page that web/report builds, as the assembler reads it: the build names the file, and
// compiles this again when it changes.
__asm__(
    ".pushsection .rodata\n"
    ".global candor_report_page_begin\n"
    ".hidden candor_report_page_begin\n"
    ".global candor_report_page_end\n"
    ".hidden candor_report_page_end\n"
    "candor_report_page_begin:\n"
    ".incbin \"" CANDOR_REPORT_PAGE
    "\"\n"
    "candor_report_page_end:\n"
    ".popsection\n");
extern "C" {
extern const char candor_report_page_begin[];
extern const char candor_report_page_end[];
}

namespace candor::report {
namespace {

// Stands in the page, once, where the data go (web/report/index.html).
constexpr std::string_view kPlaceholder = "{\"candor\":\"analysis\"}";

std::string_view Page() {
  // Two symbols, one array: the end is taken as a number, since it belongs to no array of its own.
  const auto size = reinterpret_cast<std::uintptr_t>(candor_report_page_end) -
                    reinterpret_cast<std::uintptr_t>(candor_report_page_begin);
  return {candor_report_page_begin, size};
}

// JSON that a script element can hold. A `<` stands only within strings there, and escaped it can
// neither end the element nor open a comment; the two line separators are no line ends to JSON, but
// are to what older readers take for JavaScript.
std::string WithinScript(std::string_view json) {
  std::string out;
  out.reserve(json.size() + json.size() / 64);
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '<') {
      out += "\\u003c";
    } else if (json.substr(i, 3) == "\xE2\x80\xA8") {
      out += "\\u2028";
      i += 2;
    } else if (json.substr(i, 3) == "\xE2\x80\xA9") {
      out += "\\u2029";
      i += 2;
    } else {
      out += json[i];
    }
  }
  return out;
}

}  // namespace

std::string RenderHtml(const v1::Analysis& analysis) {
  const std::string_view page = Page();
  const std::size_t at = page.find(kPlaceholder);
  if (at == std::string_view::npos) {
    // A broken build, which the unit tests catch.
    std::fprintf(stderr, "the report's page has no place for its data\n");
    std::abort();
  }
  const std::string data = WithinScript(PrintJson(analysis, {.indent = 0}));
  std::string html;
  html.reserve(page.size() + data.size());
  html += page.substr(0, at);
  html += data;
  html += page.substr(at + kPlaceholder.size());
  return html;
}

}  // namespace candor::report
