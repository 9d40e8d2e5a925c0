#include "common/net/byte_stream.h"

#include "tests/unit/common/net/certificates.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace candor::net {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

// Two ends of a connection on this machine, shaken step by step.
class ByteStreamTest : public ::testing::Test {
 protected:
  ByteStreamTest()
      : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}),
        files_(authority_.Issue("IP:127.0.0.1")),
        client_context_(*MakeClientContext(authority_.ca_file())),
        server_context_(*MakeServerContext(files_.certificate, files_.key)) {}

  struct Ends {
    std::unique_ptr<ByteStream> client;
    std::unique_ptr<ByteStream> server;
  };

  Ends Connect(const std::string& host, const std::shared_ptr<TlsSession>& session) {
    Tcp::socket client(io_);
    client.connect(acceptor_.local_endpoint());
    Ends ends{std::make_unique<ByteStream>(std::move(client)),
              std::make_unique<ByteStream>(acceptor_.accept())};
    ends.client->Prepare();
    ends.server->Prepare();
    ends.client->StartTls(client_context_.get(), host, session);
    ends.server->StartTls(server_context_.get(), "");
    return ends;
  }

  // To the end of the handshake, and on to one byte each way: what the server gives for the next
  // connection comes with it.
  static IoStatus Shake(Ends& ends) {
    IoStatus client = IoStatus::kWantRead;
    IoStatus server = IoStatus::kWantRead;
    for (int i = 0; i < 1000 && (client != IoStatus::kOk || server != IoStatus::kOk); ++i) {
      if (client != IoStatus::kOk) client = ends.client->Handshake().status;
      if (client == IoStatus::kError) return client;
      if (server != IoStatus::kOk) server = ends.server->Handshake().status;
      if (server == IoStatus::kError) return server;
    }
    char byte = 0;
    while (ends.server->Write("s").status == IoStatus::kWantWrite) {
    }
    IoStatus read = IoStatus::kWantRead;
    while (read == IoStatus::kWantRead) read = ends.client->Read(&byte, 1).status;
    return read;
  }

  asio::io_context io_{1};
  Tcp::acceptor acceptor_;
  TestAuthority authority_;
  TestAuthority::Files files_;
  SslContext client_context_;
  SslContext server_context_;
};

TEST_F(ByteStreamTest, ResumesWhatWasVerified) {
  const auto session = std::make_shared<TlsSession>();
  for (int i = 0; i < 4; ++i) {
    Ends ends = Connect("127.0.0.1", session);
    ASSERT_EQ(Shake(ends), IoStatus::kOk) << ends.client->error();
    EXPECT_EQ(ends.client->resumed(), i > 0);
    EXPECT_EQ(ends.server->resumed(), i > 0);
    ends.client->Close();
  }
}

TEST_F(ByteStreamTest, ManyConnectionsShareOneSession) {
  const auto session = std::make_shared<TlsSession>();
  std::vector<Ends> open;
  for (int i = 0; i < 8; ++i) {
    open.push_back(Connect("127.0.0.1", session));
    ASSERT_EQ(Shake(open.back()), IoStatus::kOk);
    EXPECT_EQ(open.back().client->resumed(), i > 0);
  }
}

TEST_F(ByteStreamTest, WithoutASessionEachBeginsFromNothing) {
  for (int i = 0; i < 2; ++i) {
    Ends ends = Connect("127.0.0.1", nullptr);
    ASSERT_EQ(Shake(ends), IoStatus::kOk);
    EXPECT_FALSE(ends.client->resumed());
  }
}

TEST_F(ByteStreamTest, AFailedHandshakeLeavesNothing) {
  const auto session = std::make_shared<TlsSession>();
  Ends wrong = Connect("127.0.0.2", session);
  EXPECT_EQ(Shake(wrong), IoStatus::kError);
  Ends right = Connect("127.0.0.1", session);
  ASSERT_EQ(Shake(right), IoStatus::kOk);
  EXPECT_FALSE(right.client->resumed());
}

TEST_F(ByteStreamTest, AServerThatForgotIsMetFromTheBeginning) {
  const auto session = std::make_shared<TlsSession>();
  Ends first = Connect("127.0.0.1", session);
  ASSERT_EQ(Shake(first), IoStatus::kOk);
  first.client->Close();
  // Restarted: its ticket keys are new.
  server_context_ = *MakeServerContext(files_.certificate, files_.key);
  Ends second = Connect("127.0.0.1", session);
  ASSERT_EQ(Shake(second), IoStatus::kOk) << second.client->error();
  EXPECT_FALSE(second.client->resumed());
}

}  // namespace
}  // namespace candor::net
