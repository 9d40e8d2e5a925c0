// Servers that do what none should: each is refused by name, in bounded memory and time.
#include "common/net/http_client.h"
#include "tests/unit/common/net/net_fixture.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>

#include <zlib.h>

namespace candor::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using Tcp = asio::ip::tcp;

constexpr const char* kOk = "HTTP/1.1 200 OK\r\n";

std::string Gzip(const std::string& plain, int window_bits = MAX_WBITS + 16) {
  z_stream stream{};
  EXPECT_EQ(
      ::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY),
      Z_OK);
  std::string packed(::deflateBound(&stream, plain.size()), '\0');
  std::string input = plain;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

std::string Answer(const std::string& coding, const std::string& body, int status = 200) {
  return fmt::format("HTTP/1.1 {} X\r\nContent-Encoding: {}\r\nContent-Length: {}\r\n\r\n", status,
                     coding, body.size()) +
         body;
}

// Says `head`, then `piece` again and again, until nobody listens; counts the bytes.
asio::awaitable<void> Flood(Tcp::socket socket, std::string head, std::string piece,
                            std::uint64_t& said, bool& ended) {
  co_await ReadRequest(socket);
  co_await Say(socket, head);
  while (true) {
    const auto [error, size] = co_await asio::async_write(socket, asio::buffer(piece),
                                                          asio::as_tuple(asio::use_awaitable));
    said += size;
    if (error) break;
  }
  ended = true;
}

// Says `head`, then `piece` every few milliseconds.
asio::awaitable<void> Drip(Tcp::socket socket, std::string head, std::string piece) {
  co_await ReadRequest(socket);
  co_await Say(socket, head);
  asio::steady_timer timer(socket.get_executor());
  while (true) {
    timer.expires_after(milliseconds(3));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto [error, size] = co_await asio::async_write(socket, asio::buffer(piece),
                                                          asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
  }
}

class BadServerTest : public NetTest {
 protected:
  HttpResult CallFlood(const std::string& head, const std::string& piece) {
    said_ = 0;
    bool ended = false;
    const auto port = ServeRaw([&, head, piece](Tcp::socket socket) {
      return Flood(std::move(socket), head, piece, said_, ended);
    });
    HttpRequest request = Request(port);
    request.max_response_body_bytes = 1 << 20;
    HttpResult result = Call(std::move(request));
    // The server is not listened to any longer.
    RunUntil([&] { return ended; });
    return result;
  }
  HttpResult CallDrip(const std::string& head, const std::string& piece, HttpTimeouts timeouts) {
    const auto port = ServeRaw(
        [head, piece](Tcp::socket socket) { return Drip(std::move(socket), head, piece); });
    HttpRequest request = Request(port);
    request.timeouts = timeouts;
    return Call(std::move(request));
  }

  std::uint64_t said_ = 0;
};

// What the kernel holds for a peer that is not listened to, and then some.
constexpr std::uint64_t kSocketBuffers = std::uint64_t{24} << 20;

TEST_F(BadServerTest, EndlessHeader) {
  const HttpResult field = CallFlood(kOk, std::string("X-More: 0123456789\r\n"));
  EXPECT_EQ(field.failure, HttpFailure::kTooLarge);
  EXPECT_THAT(field.text, HasSubstr("header above"));
  EXPECT_LT(said_, kSocketBuffers);
  const HttpResult line = CallFlood("HTTP/1.1 200 ", std::string(1000, 'O'));
  EXPECT_EQ(line.failure, HttpFailure::kTooLarge);
  EXPECT_LT(said_, kSocketBuffers);
}

TEST_F(BadServerTest, TwoGigabytes) {
  const std::string piece(65'536, 'x');
  // Announced, so refused before it comes.
  HttpResult result = CallFlood(std::string(kOk) + "Content-Length: 2147483648\r\n\r\n", piece);
  EXPECT_EQ(result.failure, HttpFailure::kTooLarge);
  EXPECT_THAT(result.text, HasSubstr("body above 1048576 bytes"));
  EXPECT_LT(said_, kSocketBuffers);
  // In one chunk, in many, and until the end of the connection.
  result = CallFlood(std::string(kOk) + "Transfer-Encoding: chunked\r\n\r\n80000000\r\n", piece);
  EXPECT_EQ(result.failure, HttpFailure::kTooLarge);
  result = CallFlood(std::string(kOk) + "Transfer-Encoding: chunked\r\n\r\n",
                     "400\r\n" + std::string(1024, 'x') + "\r\n");
  EXPECT_EQ(result.failure, HttpFailure::kTooLarge);
  result = CallFlood(std::string(kOk) + "\r\n", piece);
  EXPECT_EQ(result.failure, HttpFailure::kTooLarge);
  EXPECT_LT(said_, kSocketBuffers);
  EXPECT_TRUE(result.body.empty());
}

TEST_F(BadServerTest, AHeaderThatDripsHasOneDeadline) {
  // Never silent for 60 ms, and never done.
  HttpTimeouts timeouts{
      .first_byte = milliseconds(60'000), .idle = milliseconds(60), .total = milliseconds(60'000)};
  const HttpResult result = CallDrip(std::string(kOk) + "X-Long: ", "x", timeouts);
  EXPECT_EQ(result.failure, HttpFailure::kIdleTimeout);
  EXPECT_THAT(result.text, HasSubstr("within its header"));
  EXPECT_TRUE(result.request_bytes_written);
}

TEST_F(BadServerTest, ABodyThatDripsEndsWithTheCall) {
  HttpTimeouts timeouts{.idle = milliseconds(60'000), .total = milliseconds(60)};
  const HttpResult result =
      CallDrip(std::string(kOk) + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", timeouts);
  EXPECT_EQ(result.failure, HttpFailure::kTotalTimeout);
  EXPECT_EQ(result.status, 200);
}

TEST_F(BadServerTest, InterimAnswersAreNoFirstByte) {
  HttpTimeouts timeouts{
      .first_byte = milliseconds(60), .idle = milliseconds(60'000), .total = milliseconds(60'000)};
  // One, and silence.
  HttpResult result = CallDrip("HTTP/1.1 100 Continue\r\n\r\n", "", timeouts);
  EXPECT_EQ(result.failure, HttpFailure::kFirstByteTimeout);
  // One after the other.
  result = CallDrip("HTTP/1.1 102 Processing\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n",
                    {.total = milliseconds(60'000)});
  EXPECT_EQ(result.failure, HttpFailure::kMalformed);
  EXPECT_THAT(result.text, HasSubstr("too many interim answers"));
}

TEST_F(BadServerTest, InterimAnswersDoNotShortenTheWait) {
  struct ContinueThenThink {
    static asio::awaitable<void> Run(Tcp::socket socket) {
      co_await ReadRequest(socket);
      // In two pieces, so that its beginning looks like that of the answer.
      co_await Say(socket, "HTTP/1.1 100 ");
      asio::steady_timer timer(socket.get_executor());
      timer.expires_after(milliseconds(5));
      co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
      co_await Say(socket, "Continue\r\n\r\n");
      timer.expires_after(milliseconds(700));
      co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
      co_await Say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  };
  HttpRequest request = Request(
      ServeRaw([](Tcp::socket socket) { return ContinueThenThink::Run(std::move(socket)); }));
  // Far from the five above, also where a machine is busy, and below the seven hundred.
  request.timeouts.idle = milliseconds(500);
  const HttpResult result = Call(std::move(request));
  ASSERT_TRUE(result.ok()) << result.text;
  EXPECT_EQ(result.body, "ok");
}

// Takes a request of many times what sockets buffer a piece at a time, for longer than a first byte
// may take.
asio::awaitable<void> ReadSlowly(Tcp::socket socket, std::size_t bytes) {
  asio::steady_timer timer(socket.get_executor());
  std::vector<char> piece(std::size_t{1} << 20U);
  for (std::size_t read = 0; read < bytes;) {
    timer.expires_after(milliseconds(20));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto [error, size] = co_await asio::async_read(
        socket, asio::buffer(piece.data(), std::min(piece.size(), bytes - read)),
        asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    read += size;
  }
  co_await Say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

TEST_F(BadServerTest, TheTimeOfAFirstByteBeginsWithTheLastOneOfTheRequest) {
  const std::size_t size = std::size_t{64} << 20U;
  HttpRequest request =
      Request(ServeRaw([=](Tcp::socket socket) { return ReadSlowly(std::move(socket), size); }),
              "/", std::string(size, 'x'));
  request.timeouts.first_byte = milliseconds(800);
  const auto began = std::chrono::steady_clock::now();
  const HttpResult result = Call(std::move(request));
  EXPECT_GT(std::chrono::steady_clock::now() - began, milliseconds(800));
  ASSERT_TRUE(result.ok()) << result.text;
  EXPECT_EQ(result.body, "ok");
}

TEST_F(BadServerTest, ChunkedNonsense) {
  const std::string chunked = std::string(kOk) + "Transfer-Encoding: chunked\r\n\r\n";
  for (const char* body : {
           "-1\r\n",
           "0x5\r\nhello\r\n0\r\n\r\n",
           "10000000000000000\r\n",
           "5\r\nhello",
           "5\r\nhelloXX0\r\n\r\n",
           "\r\n\r\n",
           "5 5\r\nhello\r\n0\r\n\r\n",
           "0\r\nno colon\r\n\r\n",
       }) {
    struct Once {
      static asio::awaitable<void> Run(Tcp::socket socket, std::string text) {
        co_await ReadRequest(socket);
        co_await Say(socket, text);
      }
    };
    const HttpResult result = Call(Request(ServeRaw(
        [&](Tcp::socket socket) { return Once::Run(std::move(socket), chunked + body); })));
    EXPECT_TRUE(result.failure == HttpFailure::kMalformed ||
                result.failure == HttpFailure::kTruncated ||
                result.failure == HttpFailure::kTooLarge)
        << body << ToString(result.failure);
    EXPECT_TRUE(result.request_bytes_written);
    EXPECT_EQ(result.status, 200);
  }
  // A line within the chunks, and trailers, without end.
  EXPECT_EQ(CallFlood(chunked + "5;", std::string(1000, 'x')).failure, HttpFailure::kTooLarge);
  EXPECT_LT(said_, kSocketBuffers);
  EXPECT_EQ(CallFlood(chunked + "0\r\n", "X-More: 0123456789\r\n").failure, HttpFailure::kTooLarge);
  EXPECT_LT(said_, kSocketBuffers);
}

TEST_F(BadServerTest, LengthsThatContradictEachOther) {
  for (const char* fields : {
           "Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
           "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
           "Content-Length: 99999999999999999999999\r\n\r\nok",
           "Content-Length: two\r\n\r\nok",
       }) {
    const HttpResult result = Call(Request(ServeRaw(Says(std::string(kOk) + fields))));
    EXPECT_EQ(result.failure, HttpFailure::kMalformed) << fields << result.text;
  }
}

TEST_F(BadServerTest, CompressedAlthoughNobodyAsked) {
  const std::string plain = R"({"choices":[{"message":{"content":"A"}}]})";
  for (const auto& [coding, body] : std::vector<std::pair<std::string, std::string>>{
           {"gzip", Gzip(plain)},
           {"x-gzip", Gzip(plain)},
           {"GZIP ", Gzip(plain)},
           {"deflate", Gzip(plain, MAX_WBITS)},
           {"deflate", Gzip(plain, -MAX_WBITS)},
           {"identity", plain},
       }) {
    const auto port = ServeRaw(Says(Answer(coding, body)));
    const HttpResult result = Call(Request(port));
    ASSERT_TRUE(result.ok()) << coding << result.text;
    EXPECT_EQ(result.body, plain) << coding;
    EXPECT_TRUE(Call(Request(port)).connection_reused);
  }
  // Two members in a row are one text.
  EXPECT_EQ(Call(Request(ServeRaw(Says(Answer("gzip", Gzip("one ") + Gzip("two")))))).body,
            "one two");
}

TEST_F(BadServerTest, ACompressionBomb) {
  // 64 MB of zeros in 64 KB.
  const std::string bomb = Gzip(std::string(std::size_t{64} << 20, '\0'));
  EXPECT_LT(bomb.size(), std::size_t{1} << 20);
  HttpRequest request = Request(ServeRaw(Says(Answer("gzip", bomb))));
  request.max_response_body_bytes = 1 << 20;
  const HttpResult result = Call(std::move(request));
  EXPECT_EQ(result.failure, HttpFailure::kTooLarge);
  EXPECT_THAT(result.text, HasSubstr("once inflated"));
  EXPECT_TRUE(result.body.empty());
  // Exactly the limit is fine.
  request = Request(ServeRaw(Says(Answer("gzip", Gzip(std::string(100'000, 'x'))))));
  request.max_response_body_bytes = 100'000;
  EXPECT_EQ(Call(std::move(request)).body.size(), 100'000u);
}

// Results of batches are handed over: compressed bytes would be lines that nobody can read.
TEST_F(BadServerTest, CompressedAndHandedOver) {
  std::string plain;
  for (int i = 0; i < 50'000; ++i) plain += fmt::format("line {}\n", i);
  const auto call = [&](const std::string& coding, const std::string& body, std::string* taken,
                        std::size_t most = std::size_t{1} << 20) {
    HttpRequest request = Request(ServeRaw(Says(Answer(coding, body))));
    request.max_response_body_bytes = most;
    request.take_body = [taken](std::string_view piece) -> asio::awaitable<bool> {
      EXPECT_LE(piece.size(), std::size_t{64} << 10U);
      taken->append(piece);
      co_return true;
    };
    return Call(std::move(request));
  };
  for (const auto& [coding, body] : std::vector<std::pair<std::string, std::string>>{
           {"gzip", Gzip(plain)}, {"deflate", Gzip(plain, MAX_WBITS)}, {"identity", plain}}) {
    std::string taken;
    const HttpResult result = call(coding, body, &taken);
    EXPECT_TRUE(result.ok()) << result.text;
    EXPECT_EQ(taken, plain) << coding;
  }
  std::string taken;
  EXPECT_EQ(call("gzip", Gzip(plain), &taken, 100'000).failure, HttpFailure::kTooLarge);
  EXPECT_LE(taken.size(), 100'000u);
  const std::string whole = Gzip(plain);
  for (const std::string& damaged : {whole.substr(0, whole.size() - 9), std::string("<html>")}) {
    EXPECT_EQ(call("gzip", damaged, &taken).failure, HttpFailure::kMalformed);
  }
  taken.clear();
  EXPECT_EQ(call("br", "xyz", &taken).failure, HttpFailure::kMalformed);
  EXPECT_EQ(taken, "");
}

TEST_F(BadServerTest, CompressedNonsense) {
  const std::string cut = Gzip(std::string(1000, 'x')).substr(0, 12);
  for (const auto& [coding, body] : std::vector<std::pair<std::string, std::string>>{
           {"gzip", "{}"}, {"gzip", cut}, {"gzip", Gzip("a") + "tail"}, {"deflate", "{}"}}) {
    const HttpResult result = Call(Request(ServeRaw(Says(Answer(coding, body)))));
    EXPECT_EQ(result.failure, HttpFailure::kMalformed) << coding;
    EXPECT_THAT(result.text, HasSubstr("no valid " + coding));
    EXPECT_EQ(result.status, 200);
  }
  for (const char* coding : {"br", "zstd", "gzip, gzip", "\x01sk-secret"}) {
    const HttpResult result = Call(Request(ServeRaw(Says(Answer(coding, "{}")))));
    EXPECT_EQ(result.failure, HttpFailure::kMalformed) << coding;
    EXPECT_THAT(result.text, Not(HasSubstr("sk-secret")));
  }
  // The status of an error says enough.
  const HttpResult error = Call(Request(ServeRaw(Says(Answer("br", "xyz", 429)))));
  EXPECT_TRUE(error.ok()) << error.text;
  EXPECT_EQ(error.status, 429);
  EXPECT_TRUE(error.body.empty());
}

}  // namespace
}  // namespace candor::net
