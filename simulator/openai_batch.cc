#include "simulator/openai_batch.h"

#include "common/base/json_writer.h"

#include <chrono>

namespace candor::simulator {

std::string_view StatusOf(const OpenAiBatch& batch) {
  if (batch.failed()) return "failed";
  switch (batch.run->phase()) {
    case BatchRun::Phase::kValidating:
      return "validating";
    case BatchRun::Phase::kRunning:
      return "in_progress";
    case BatchRun::Phase::kFinalizing:
      return "finalizing";
    case BatchRun::Phase::kCancelling:
      return "cancelling";
    case BatchRun::Phase::kEnded:
      break;
  }
  if (batch.run->cancelled()) return "cancelled";
  return batch.run->counts().expired > 0 ? "expired" : "completed";
}

std::string PrintBatch(const OpenAiBatch& batch) {
  const BatchRun& run = *batch.run;
  const std::string_view status = StatusOf(batch);
  const BatchCounts counts = run.counts();
  JsonWriter writer;
  const auto text = [&](const char* name, const std::string& value) {
    writer.Key(name);
    if (value.empty()) {
      writer.Null();
    } else {
      writer.String(value);
    }
  };
  // Null for what has not come to pass.
  const auto time = [&](const char* name, bool has_been, TimePoint at) {
    writer.Key(name);
    if (has_been) {
      writer.Number(static_cast<std::int64_t>(
          std::chrono::floor<std::chrono::seconds>(run.At(at)).time_since_epoch().count()));
    } else {
      writer.Null();
    }
  };
  writer.BeginObject().Key("id").String(batch.id).Key("object").String("batch");
  writer.Key("endpoint").String(batch.endpoint).Key("model").String(batch.model);
  writer.Key("errors");
  if (batch.failed()) {
    writer.BeginObject().Key("object").String("list").Key("data").BeginArray();
    for (const BatchInputError& error : batch.errors) {
      writer.BeginObject().Key("code").String(error.code).Key("message").String(error.message);
      text("param", error.param);
      writer.Key("line");
      if (error.line > 0) {
        writer.Number(error.line);
      } else {
        writer.Null();
      }
      writer.EndObject();
    }
    writer.EndArray().EndObject();
  } else {
    writer.Null();
  }
  text("input_file_id", batch.input_file);
  text("completion_window", batch.window);
  writer.Key("status").String(status);
  text("output_file_id", batch.output_file);
  text("error_file_id", batch.error_file);
  const bool ended = batch.ended();
  time("created_at", true, run.created_at());
  time("in_progress_at", !batch.failed() && run.phase() != BatchRun::Phase::kValidating,
       run.validated_at());
  time("expires_at", true, run.expires_at());
  time("finalizing_at", status == "finalizing" || status == "completed", run.finalizing_at());
  time("completed_at", status == "completed", run.ended_at());
  time("failed_at", batch.failed(), run.validated_at());
  time("expired_at", ended && status == "expired", run.ended_at());
  time("cancelling_at", run.cancel_at().has_value(), run.cancel_at().value_or(TimePoint{}));
  time("cancelled_at", ended && status == "cancelled", run.ended_at());
  writer.Key("request_counts").BeginObject();
  writer.Key("total").Number(batch.failed() ? 0 : static_cast<std::int64_t>(run.lines().size()));
  writer.Key("completed").Number(counts.succeeded);
  writer.Key("failed").Number(counts.errored + (ended ? counts.expired + counts.cancelled : 0));
  writer.EndObject().Key("metadata");
  if (batch.metadata.empty()) {
    writer.Null();
  } else {
    writer.Json(batch.metadata);
  }
  writer.EndObject();
  return writer.Take();
}

}  // namespace candor::simulator
