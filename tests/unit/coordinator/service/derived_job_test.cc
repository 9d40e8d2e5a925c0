#include "coordinator/service/derived_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// "base" asks as the job does, "own" has choices of its own, "silent" makes none.
v1::Job MakeJob() {
  v1::Job job;
  job.set_name("jobs/old");
  job.set_display_name("first");
  job.mutable_choices()->set_trials_per_scenario(50);
  job.mutable_self_reports()->set_reports_per_scenario(10);
  job.add_models()->set_name("base");
  v1::Entry& own = *job.add_models();
  own.set_condition("own");
  own.mutable_choices()->set_trials_per_scenario(60);
  v1::Entry& silent = *job.add_models();
  silent.set_model("silent");
  silent.mutable_choices()->set_trials_per_scenario(0);
  return job;
}

std::string Text(const FieldViolations& violations) {
  std::string text;
  for (const FieldViolation& violation : violations) {
    text += violation.field + ": " + violation.description + "\n";
  }
  return text;
}

TEST(ExtendedJobTest, AsksMoreOfAllThatAskAtAll) {
  v1::ExtendJobRequest request;
  request.set_trials_per_scenario(100);
  FieldViolations violations;
  const v1::Job longer = ExtendedJob(MakeJob(), request, {}, violations);
  EXPECT_THAT(violations, IsEmpty()) << Text(violations);
  EXPECT_EQ(longer.choices().trials_per_scenario(), 100);
  EXPECT_EQ(longer.models(1).choices().trials_per_scenario(), 100);
  EXPECT_EQ(longer.models(2).choices().trials_per_scenario(), 0);
  EXPECT_FALSE(longer.models(0).has_choices());
  EXPECT_EQ(longer.self_reports().reports_per_scenario(), 10);
  EXPECT_EQ(longer.display_name(), "first");
  EXPECT_THAT(longer.reuse_from(), ElementsAre("jobs/old"));
}

TEST(ExtendedJobTest, GoesOnFromThoseSourcesThatAreThere) {
  v1::Job job = MakeJob();
  for (int i = 0; i < 16; ++i) job.add_reuse_from("jobs/" + std::to_string(i));
  v1::ExtendJobRequest request;
  request.set_reports_per_scenario(11);
  request.set_display_name("second");
  FieldViolations violations;
  EXPECT_THAT(ExtendedJob(job, request, {"jobs/3", "jobs/9"}, violations).reuse_from(),
              ElementsAre("jobs/old", "jobs/3", "jobs/9"));
  const std::vector<std::string> all(job.reuse_from().begin(), job.reuse_from().end());
  const v1::Job longer = ExtendedJob(job, request, all, violations);
  EXPECT_EQ(longer.reuse_from_size(), kMaxReuseSources);
  EXPECT_EQ(longer.display_name(), "second");
  EXPECT_THAT(violations, IsEmpty()) << Text(violations);
}

TEST(ExtendedJobTest, OfARetryTakesCellByCell) {
  v1::Job job = MakeJob();
  job.mutable_retry_of()->set_job("jobs/older");
  job.mutable_retry_of()->add_classes(v1::Outcome::TRUNCATED);
  v1::ExtendJobRequest request;
  request.set_trials_per_scenario(80);
  FieldViolations violations;
  const v1::Job longer = ExtendedJob(job, request, {}, violations);
  EXPECT_EQ(longer.retry_of().job(), "jobs/old");
  EXPECT_THAT(longer.retry_of().classes(), IsEmpty());
  EXPECT_THAT(longer.reuse_from(), IsEmpty());
}

TEST(ExtendedJobTest, RefusesLessAndTheSame) {
  const auto refused = [](int trials, int reports) {
    v1::ExtendJobRequest request;
    request.set_trials_per_scenario(trials);
    request.set_reports_per_scenario(reports);
    FieldViolations violations;
    v1::Job job = MakeJob();
    ExtendedJob(job, request, {}, violations);
    return Text(violations);
  };
  EXPECT_THAT(refused(55, 0),
              HasSubstr("trials_per_scenario: is 55, but the entry \"own\" has 60"));
  EXPECT_THAT(refused(-1, 0), HasSubstr("trials_per_scenario: is -1"));
  EXPECT_THAT(refused(0, 9), HasSubstr("reports_per_scenario: is 9, but jobs/old has 10"));
  EXPECT_THAT(refused(0, 10), HasSubstr("trials_per_scenario: is no more than jobs/old has"));
  v1::ExtendJobRequest request;
  request.set_reports_per_scenario(3);
  v1::Job job = MakeJob();
  job.clear_self_reports();
  FieldViolations violations;
  ExtendedJob(job, request, {}, violations);
  EXPECT_THAT(Text(violations), HasSubstr("jobs/old asks for no self-reports"));
}

TEST(IsMadeByTest, KnowsItsExtensionWithoutWhatItWasMadeOf) {
  v1::Job old = MakeJob();
  old.add_reuse_from("jobs/older");
  v1::ExtendJobRequest request;
  request.set_name("jobs/old");
  request.set_trials_per_scenario(100);
  FieldViolations violations;
  v1::Job longer = ExtendedJob(old, request, {"jobs/older"}, violations);
  longer.set_name("jobs/new");
  EXPECT_TRUE(IsMadeBy(longer, request));
  request.set_reports_per_scenario(10);
  EXPECT_TRUE(IsMadeBy(longer, request)) << "as many as there were";
  request.set_reports_per_scenario(11);
  EXPECT_FALSE(IsMadeBy(longer, request));
  request.set_reports_per_scenario(0);
  request.set_trials_per_scenario(99);
  EXPECT_FALSE(IsMadeBy(longer, request));
  request.set_trials_per_scenario(100);
  request.set_display_name("other");
  EXPECT_FALSE(IsMadeBy(longer, request));
  request.clear_display_name();
  request.set_name("jobs/older");
  EXPECT_FALSE(IsMadeBy(longer, request));
  EXPECT_FALSE(IsMadeBy(MakeJob(), request)) << "continues nothing";

  // Of a retry the longer job takes cell by cell.
  old.mutable_retry_of()->set_job("jobs/older");
  request.set_name("jobs/old");
  longer = ExtendedJob(old, request, {}, violations);
  longer.set_name("jobs/new");
  EXPECT_TRUE(IsMadeBy(longer, request));
  longer.mutable_retry_of()->add_classes(v1::Outcome::EMPTY);
  EXPECT_FALSE(IsMadeBy(longer, request)) << "asks classes again";
}

TEST(IsMadeByTest, KnowsItsRetryWithoutWhatItWasMadeOf) {
  v1::RetryJobRequest request;
  request.set_name("jobs/old");
  request.add_classes(v1::Outcome::TRUNCATED);
  request.add_entries("base");
  request.set_max_output_tokens(8192);
  v1::Job again = RetriedJob(MakeJob(), request);
  again.set_name("jobs/new");
  EXPECT_TRUE(IsMadeBy(again, request));
  request.set_max_output_tokens(8193);
  EXPECT_FALSE(IsMadeBy(again, request));
  request.set_max_output_tokens(8192);
  request.add_classes(v1::Outcome::EMPTY);
  EXPECT_FALSE(IsMadeBy(again, request));
  request.mutable_classes()->RemoveLast();
  request.set_name("jobs/older");
  EXPECT_FALSE(IsMadeBy(again, request));
  request.set_name("jobs/old");
  EXPECT_FALSE(IsMadeBy(MakeJob(), request)) << "asks nothing again";
}

TEST(CheckAllTakenTest, RefusesToPayTwice) {
  v1::Job job = MakeJob();
  v1::JobSpecification specification;
  for (int i = 0; i < 3; ++i) {
    v1::ResolvedEntry& entry = *specification.add_entries();
    entry.set_name("e" + std::to_string(i));
    entry.set_endpoint("local");
    v1::KindProgress& kind = *job.add_progress()->add_kinds();
    kind.set_kind(i == 2 ? v1::Cell::SELF_REPORT : v1::Cell::CHOICE);
    kind.set_done(2);
  }
  std::vector<engine::ReusedOutcomesRecord> reused(2);
  reused[0].source_name = "jobs/old";
  for (std::uint16_t entry = 0; entry < 3; ++entry) {
    const v1::Cell::Kind kind = job.progress(entry).kinds(0).kind();
    for (std::uint32_t index = 0; index < 2; ++index) {
      // The second entry asks what the first one does.
      const std::uint16_t source = entry == 2 ? 2 : 0;
      reused[0].items.push_back({{entry, kind, index}, {source, kind, index}, v1::Outcome::VALID});
    }
  }
  EXPECT_TRUE(CheckAllTaken(job, specification, reused).ok());

  // One of the last entry's is another job's.
  reused[1].source_name = "jobs/other";
  reused[1].items.push_back(reused[0].items.back());
  reused[0].items.pop_back();
  const Status refused = CheckAllTaken(job, specification, reused);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(
      std::string(refused.message()),
      HasSubstr("1 of the 2 self-reports of entry \"e2\" would be asked and paid for again"));

  // What an adaptive design asks next follows from every answer before.
  reused[0].items.erase(reused[0].items.begin() + 2);
  reused[0].items.push_back(reused[1].items[0]);
  EXPECT_FALSE(CheckAllTaken(job, specification, reused).ok());
  specification.mutable_entries(1)->mutable_choices()->set_design(v1::Choices::ADAPTIVE);
  EXPECT_TRUE(CheckAllTaken(job, specification, reused).ok());
}

TEST(RetriedJobTest, ChangesTheSamplingOfWhatIsAskedAgain) {
  v1::Job job = MakeJob();
  job.add_reuse_from("jobs/older");
  v1::RetryJobRequest request;
  request.add_classes(v1::Outcome::TRUNCATED);
  request.set_max_output_tokens(8192);
  const v1::Job all = RetriedJob(job, request);
  EXPECT_EQ(all.retry_of().job(), "jobs/old");
  EXPECT_THAT(all.retry_of().classes(), ElementsAre(v1::Outcome::TRUNCATED));
  EXPECT_THAT(all.reuse_from(), IsEmpty());
  EXPECT_EQ(all.choices().sampling().max_output_tokens(), 8192);
  EXPECT_EQ(all.self_reports().sampling().max_output_tokens(), 8192);
  EXPECT_EQ(all.models(1).choices().sampling().max_output_tokens(), 8192);
  EXPECT_FALSE(all.choices().sampling().has_temperature());

  request.add_entries("base");
  request.set_temperature(0.5);
  const v1::Job one = RetriedJob(job, request);
  EXPECT_FALSE(one.choices().has_sampling());
  EXPECT_EQ(one.models(0).choices().trials_per_scenario(), 50);
  EXPECT_EQ(one.models(0).choices().sampling().max_output_tokens(), 8192);
  EXPECT_EQ(one.models(0).self_reports().sampling().temperature(), 0.5);
  EXPECT_FALSE(one.models(1).choices().has_sampling());
}

TEST(CheckSourcesTest, FindsWhatCannotBe) {
  const auto wrong = [](v1::Job job) {
    FieldViolations violations;
    CheckSources(job, violations);
    return Text(violations);
  };
  v1::Job job = MakeJob();
  EXPECT_EQ(wrong(job), "");
  job.add_reuse_from("jobs/a");
  job.add_reuse_from("jobs/a");
  EXPECT_THAT(wrong(job), HasSubstr("job.reuse_from[1]: \"jobs/a\" is named twice"));
  job.mutable_retry_of()->set_job("jobs/b");
  EXPECT_THAT(wrong(job), HasSubstr("job.reuse_from: stands beside job.retry_of"));
  job.clear_reuse_from();
  job.mutable_retry_of()->add_classes(v1::Outcome::CLASS_UNSPECIFIED);
  job.mutable_retry_of()->add_entries("bse");
  EXPECT_THAT(wrong(job), HasSubstr("job.retry_of.classes[0]: is 0"));
  EXPECT_THAT(wrong(job), HasSubstr("job.retry_of.entries[0]: \"bse\" is no entry of the job"));
  job.Clear();
  for (int i = 0; i < 17; ++i) job.add_reuse_from("jobs/" + std::to_string(i));
  EXPECT_THAT(wrong(job), HasSubstr("job.reuse_from: has 17 items; name at most 16 jobs"));
}

}  // namespace
}  // namespace candor::service
