// A service on a clock that stands still, and what its tests read.
#pragma once

#include "simulator/provider_service.h"
#include "tests/unit/simulator/prompts.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace candor::simulator {

class ProviderServiceTest : public ::testing::Test {
 protected:
  ProviderService& Serve() {
    auto service = ProviderService::Create(config_, {}, clock_);
    EXPECT_TRUE(service.ok()) << service.status();
    service_ = *std::move(service);
    return *service_;
  }
  // A call from arrival to end.
  Answer Call(const std::string& body, std::string_view attempt = "a-1",
              std::string_view authorization = {}) {
    if (service_ == nullptr) Serve();
    Answer answer = Begin(body, attempt, authorization);
    service_->Finish(answer);
    return answer;
  }
  Answer Begin(const std::string& body, std::string_view attempt = {},
               std::string_view authorization = {}) {
    net::HttpHeaders headers;
    if (!authorization.empty()) headers.Add("authorization", authorization);
    ApiCall call;
    call.body = body;
    call.headers = &headers;
    return service_->Handle(call, attempt);
  }
  static std::string Text(const Answer& answer) {
    const boost::json::value body = boost::json::parse(answer.response.body);
    return body.at("choices").at(0).at("message").at("content").as_string().c_str();
  }
  static boost::json::object Error(const Answer& answer) {
    return boost::json::parse(answer.response.body).at("error").as_object();
  }
  boost::json::object Row(std::uint64_t call) {
    std::string text;
    service_->ledger().Print(call - 1, 1, &text);
    return boost::json::parse(text).as_object();
  }

  ManualClock clock_;
  v1::SimulatorConfig config_;
  std::unique_ptr<ProviderService> service_;
};

}  // namespace candor::simulator
