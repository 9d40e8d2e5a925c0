// What a dialect costs a call: rendering the body, reading the reply and its headers. These are a
// worker's share of a call that is neither network nor stream.
//
//   dialect_bench [rounds, 20000]
//
// Printed are microseconds of CPU time a call, the least of five runs.
#include "common/base/config.h"
#include "common/dialect/dialect.h"
#include "common/dialect/limit_headers.h"
#include "common/dialect/render.h"
#include "common/net/http_types.h"
#include "common/scenario/catalogue.h"
#include "common/scenario/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

namespace candor::dialect {
namespace {

constexpr const char* kReplies[] = {
    R"({"id":"chatcmpl-1","object":"chat.completion","created":1795608000,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"B","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":190,"completion_tokens":1,"total_tokens":191},"system_fingerprint":"fp_1"})",
    R"({"id":"resp_1","object":"response","status":"completed","error":null,"model":"m","output":[{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"B","annotations":[]}]}],"usage":{"input_tokens":190,"input_tokens_details":{"cached_tokens":0},"output_tokens":1,"output_tokens_details":{"reasoning_tokens":0}}})",
    R"({"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"B"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":190,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":4}})",
    R"({"candidates":[{"content":{"parts":[{"text":"B"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":190,"candidatesTokenCount":1,"totalTokenCount":191},"modelVersion":"m","responseId":"x"})"};

double CpuMicroseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// CPU time of one call of `work`, which gets the number of its round.
template <typename Work>
double Cost(int rounds, const Work& work) {
  double least = 1e9;
  for (int run = 0; run < 5; ++run) {
    const double began = CpuMicroseconds();
    for (int i = 0; i < rounds; ++i) work(i);
    least = std::min(least, (CpuMicroseconds() - began) / rounds);
  }
  return least;
}

std::shared_ptr<const JobRenderer> MakeJob() {
  v1::Job job;
  job.set_seed(7);
  v1::Entry& entry = *job.add_models();
  entry.set_endpoint("local");
  entry.set_model("m");
  job.mutable_choices()->set_trials_per_scenario(1000);
  job.mutable_choices()->mutable_sampling()->set_max_output_tokens(16);
  v1::JobSpecification specification;
  const FieldViolations violations =
      scenario::ResolveJob(job, scenario::BuiltinScenarioSet().scenarios(), &specification);
  auto renderer = JobRenderer::Create(std::move(specification));
  if (!violations.empty() || !renderer.ok()) std::abort();
  return *std::move(renderer);
}

int Main(int rounds) {
  const std::shared_ptr<const JobRenderer> job = MakeJob();
  const v1::ModelRule rule;
  std::size_t index = 0;
  fmt::print("{:<18}{:>10}{:>10}\n", "us a call", "render", "read");
  for (const std::string& name : DialectNames()) {
    const Dialect& dialect = **FindDialect(name);
    RenderedCell rendered;
    const double render = Cost(rounds, [&](int i) {
      v1::Cell cell;
      cell.set_kind(v1::Cell::CHOICE);
      cell.set_index(static_cast<std::uint32_t>(i));
      if (!job->Render(cell, nullptr, dialect, rule, &rendered).ok()) std::abort();
    });
    const std::string_view reply = kReplies[index++];
    const double read = Cost(rounds, [&](int) {
      v1::Outcome outcome;
      const ReplyExpectation expectation{.kind = v1::Cell::CHOICE, .scenario = *rendered.scenario};
      if (dialect.ReadReply(reply, expectation, &outcome) || outcome.choice() != v1::Outcome::B) {
        std::abort();
      }
    });
    fmt::print("{:<18}{:>10.2f}{:>10.2f}\n", name, render, read);
  }

  const net::HttpHeaders headers{{"Date", "Wed, 25 Nov 2026 12:00:00 GMT"},
                                 {"Content-Type", "application/json"},
                                 {"Content-Length", "420"},
                                 {"Connection", "keep-alive"},
                                 {"x-request-id", "req_1"},
                                 {"openai-processing-ms", "300"},
                                 {"x-ratelimit-limit-requests", "5000"},
                                 {"x-ratelimit-limit-tokens", "800000"},
                                 {"x-ratelimit-remaining-requests", "4999"},
                                 {"x-ratelimit-remaining-tokens", "799800"},
                                 {"x-ratelimit-reset-requests", "12ms"},
                                 {"x-ratelimit-reset-tokens", "15ms"},
                                 {"Server", "cloudflare"},
                                 {"CF-RAY", "x"}};
  const double limits = Cost(rounds, [&](int) {
    LimitHeaders reader;
    for (std::size_t i = 0; i < headers.size(); ++i) reader.Add(headers.name(i), headers.value(i));
    google::protobuf::RepeatedPtrField<v1::LimitObservation> observations;
    reader.Read(WallTime{}, &observations);
    if (observations.size() != 2) std::abort();
  });
  fmt::print("{:<18}{:>20.2f}\n", "limit headers", limits);
  return 0;
}

}  // namespace
}  // namespace candor::dialect

int main(int argc, char** argv) {
  return candor::dialect::Main(argc > 1 ? std::atoi(argv[1]) : 20'000);
}
