#include "simulator/breakage.h"

#include <zlib.h>

#include <array>
#include <optional>
#include <utility>

namespace candor::simulator {
namespace {

constexpr std::string_view kProxyPage =
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad "
    "Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

std::optional<Refusal> RefusalOf(FaultKind kind) {
  switch (kind) {
    case FaultKind::kTooManyRequests:
      return Refusal::kRateLimit;
    case FaultKind::kServerError:
      return Refusal::kServerError;
    case FaultKind::kBadGateway:
      return Refusal::kBadGateway;
    case FaultKind::kUnavailable:
      return Refusal::kUnavailable;
    case FaultKind::kGatewayTimeout:
      return Refusal::kGatewayTimeout;
    case FaultKind::kOverloaded:
      return Refusal::kOverloaded;
    case FaultKind::kBadRequest:
      return Refusal::kUnsupportedParameter;
    case FaultKind::kUnauthorized:
      return Refusal::kWrongKey;
    case FaultKind::kPaymentRequired:
      return Refusal::kPaymentRequired;
    case FaultKind::kForbidden:
      return Refusal::kForbidden;
    case FaultKind::kNotFound:
      return Refusal::kNoSuchModel;
    case FaultKind::kTimeout:
      return Refusal::kTimeout;
    case FaultKind::kTooLarge:
      return Refusal::kTooLarge;
    case FaultKind::kQuota:
      return Refusal::kOutOfCredit;
    case FaultKind::kSpendCap:
      return Refusal::kSpendCap;
    case FaultKind::kDailyQuota:
      return Refusal::kDailyQuota;
    default:
      return std::nullopt;
  }
}

void BreakTransport(const Fault& fault, Answer* answer) {
  switch (fault.kind) {
    case FaultKind::kHang:
      answer->delivery = Delivery::kIgnored;
      answer->delay = Duration{0};
      answer->end = {};
      return;
    case FaultKind::kReset:
      answer->delivery = Delivery::kReset;
      answer->end = {};
      return;
    case FaultKind::kTruncated:
      answer->delivery = Delivery::kTruncated;
      answer->body_bytes_sent = answer->response.body.size() / 2;
      return;
    case FaultKind::kStalledBody:
      answer->delivery = Delivery::kStalled;
      answer->body_bytes_sent = answer->response.body.size() / 2;
      return;
    case FaultKind::kSlowFirstByte:
      answer->delay += fault.delay;
      return;
    case FaultKind::kHeaderDrip:
      answer->delivery = Delivery::kDripped;
      return;
    case FaultKind::kEndlessBody:
      answer->delivery = Delivery::kEndless;
      return;
    case FaultKind::kHugeBody:
      answer->delivery = Delivery::kHuge;
      return;
    case FaultKind::kGzipBomb:
      answer->response.headers.Add("content-encoding", "gzip");
      answer->response.body = GzipBomb();
      answer->delivery = Delivery::kWhole;
      return;
    case FaultKind::kRedirect:
      answer->response.status = 302;
      answer->response.content_type = "text/html";
      answer->response.headers.Add("location", "http://elsewhere.invalid/v1/chat/completions");
      answer->response.body = "<html><body>Found</body></html>\n";
      answer->delivery = Delivery::kWhole;
      answer->end.status = 302;
      return;
    default:
      return;
  }
}

void BreakBody(const Fault& fault, const BreakFacts& facts, Answer* answer) {
  const Dialect& dialect = DialectOf(facts.dialect);
  std::string& body = answer->response.body;
  switch (fault.kind) {
    case FaultKind::kWrongJson:
      body =
          "<html>\n<head><title>upstream error</title></head>\n<body>upstream error</body>\n"
          "</html>\n";
      return;
    case FaultKind::kHalfJson:
    case FaultKind::kBrokenStream:
      body.resize(body.size() / 2);
      return;
    case FaultKind::kStreamError:
      body.resize(body.size() / 2);
      // After a whole event.
      body.resize(body.rfind("\n\n") == std::string::npos ? 0 : body.rfind("\n\n") + 2);
      body += dialect.WriteErrorEvent(dialect.Refuse(Refusal::kOverloaded, facts.refusal));
      return;
    case FaultKind::kError200:
      body = dialect.WriteError(dialect.Refuse(Refusal::kServerError, facts.refusal));
      answer->response.content_type = "application/json";
      return;
    case FaultKind::kHtml:
      answer->response.status = 502;
      answer->response.content_type = "text/html";
      body = kProxyPage;
      answer->delivery = Delivery::kWhole;
      answer->end.status = 502;
      return;
    default:
      return;
  }
}

// 16 MB of zeros, deflated up to a byte boundary, so that any number of such pieces follow each
// other.
std::string DeflatedZeros(std::size_t size) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, /*windowBits=*/-MAX_WBITS, 9,
               Z_DEFAULT_STRATEGY);
  std::string zeros(size, '\0');
  std::string out(size / 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(zeros.data());
  stream.avail_in = static_cast<uInt>(zeros.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FULL_FLUSH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

const std::string& GzipBomb() {
  static const std::string kBomb = [] {
    constexpr std::size_t kPiece = std::size_t{16} << 20U;
    constexpr int kPieces = 128;
    const std::string piece = DeflatedZeros(kPiece);
    std::string bomb("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
    for (int i = 0; i < kPieces; ++i) bomb += piece;
    // An empty last block.
    bomb.append("\x03\0", 2);
    const std::string zeros(kPiece, '\0');
    const uLong one = crc32(0, reinterpret_cast<const Bytef*>(zeros.data()), kPiece);
    uLong crc = one;
    for (int i = 1; i < kPieces; ++i) crc = crc32_combine(crc, one, kPiece);
    const auto little_endian = [&](std::uint64_t number) {
      for (int i = 0; i < 4; ++i) bomb += static_cast<char>(number >> (8 * i) & 0xFFU);
    };
    little_endian(crc);
    little_endian(std::uint64_t{kPiece} * kPieces);
    return bomb;
  }();
  return kBomb;
}

void Refuse(const Dialect& dialect, ApiError error, const std::string& request_id, Answer* answer) {
  error.request_id = request_id;
  answer->response.status = error.status;
  answer->response.content_type = "application/json";
  answer->response.body = dialect.WriteError(error);
  answer->delivery = Delivery::kWhole;
  answer->end.status = error.status;
}

void Break(const Fault& fault, const BreakFacts& facts, Answer* answer) {
  const std::optional<Refusal> refusal = RefusalOf(fault.kind);
  if (!refusal) {
    BreakTransport(fault, answer);
    BreakBody(fault, facts, answer);
    return;
  }
  const Dialect& dialect = DialectOf(facts.dialect);
  const auto format = fault.format == v1::ScriptedFault::RETRY_AFTER_FORMAT_UNSPECIFIED
                          ? facts.format
                          : fault.format;
  RefusalFacts about = facts.refusal;
  about.retry_after = fault.retry_after;
  about.retry_info = format == v1::ScriptedFault::RETRY_AFTER_FORMAT_UNSPECIFIED ||
                     format == v1::ScriptedFault::RETRY_INFO;
  answer->end = {};
  answer->charge = {};
  const ApiError error = dialect.Refuse(*refusal, about);
  // A server that refuses does so at once; one that breaks has tried.
  if (error.status < 500) answer->delay = Duration{0};
  if (fault.retry_after) {
    AddRetryAfter(format, facts.dialect, *fault.retry_after, about.now, &answer->response.headers);
  }
  Refuse(dialect, error, facts.request_id, answer);
}

}  // namespace candor::simulator
