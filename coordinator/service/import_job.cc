#include "coordinator/service/import_job.h"

#include "coordinator/service/creation.h"
#include "coordinator/service/grpc_status.h"
#include "coordinator/service/import_check.h"

#include <optional>
#include <utility>

namespace candor::service {
namespace {

// Every piece is checked and taken apart on a reader thread before the next one is read, so that
// what waits in memory is one piece and the outcomes of those before.
class Import final : public grpc::ServerReadReactor<v1::ImportJobRequest> {
 public:
  Import(EngineHost& host, IdGenerator& ids, std::atomic<int>& under_way, v1::Job* response)
      : host_(host), ids_(ids), under_way_(under_way), response_(response) {
    if (under_way_.fetch_add(1) < kMaxImports) {
      StartRead(&piece_);
      return;
    }
    Finish(ToGrpc(ResourceExhausted(
        "{} imports are under way, the most at a time; try again when one of them has ended",
        kMaxImports)));
  }

  void OnReadDone(bool ok) override {
    host_.PostToReaders([this, ok] {
      if (cancelled_) return Finish(grpc::Status::CANCELLED);
      if (!ok) return End();
      if (grpc::Status status = Take(); !status.ok()) return Finish(std::move(status));
      StartRead(&piece_);
    });
  }
  // The read that is pending fails, and ends the import.
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override {
    --under_way_;
    delete this;
  }

 private:
  grpc::Status Take() {
    const std::size_t size = piece_.ByteSizeLong();
    bytes_ += size;
    if (size > kMaxImportPieceBytes) {
      return InvalidField("outcomes", fmt::format("a piece has {} bytes; give at most {}", size,
                                                  kMaxImportPieceBytes));
    }
    if (!check_) {
      if (!piece_.has_job()) {
        return InvalidField("job", "is missing; the first piece has the job to import");
      }
      auto creation = PrepareCreation(piece_.job(), piece_.request_id(), Endpoints::kAny, host_,
                                      "jobs/" + ids_.Next(), violations_);
      if (!creation.ok()) return ToGrpc(creation.status());
      if (!violations_.empty()) return ToGrpc(violations_);
      creation_ = *std::move(creation);
      check_.emplace(*creation_.specification);
    } else if (piece_.has_job()) {
      return InvalidField("job", "stands in a later piece; give it in the first one only");
    }
    for (v1::Outcome& outcome : *piece_.mutable_outcomes()) check_->Add(std::move(outcome));
    if (bytes_ > kMaxImportBytes)
      return TooLarge(fmt::format("{} MB", kMaxImportBytes / 1'000'000));
    if (check_->size() > kMaxImportOutcomes) {
      return TooLarge(fmt::format("{} outcomes", kMaxImportOutcomes));
    }
    piece_.Clear();
    return grpc::Status::OK;
  }

  // No RetryInfo: trying again does not help.
  static grpc::Status TooLarge(const std::string& limit) {
    return {grpc::StatusCode::RESOURCE_EXHAUSTED,
            fmt::format("the import is larger than {}, the most that one may have; import it as "
                        "several jobs, by entries or scenarios",
                        limit)};
  }

  void End() {
    if (!check_) return Finish(InvalidField("job", "is missing; the first piece has it"));
    if (!check_->violations().empty()) return Finish(ToGrpc(check_->violations()));
    if (check_->size() == 0) {
      return Finish(InvalidField("outcomes", "are missing; give at least one"));
    }
    creation_.job->set_import_hash(check_->Hash());
    host_.Post([this] {
      const engine::Engine& engine = host_.engine();
      if (const auto earlier = engine.FindRequest(creation_.request_id);
          earlier && !creation_.request_id.empty()) {
        if (earlier->specification_hash != creation_.job->specification_hash() ||
            earlier->import_hash != creation_.job->import_hash()) {
          return Finish(ToGrpc(
              OtherRequest(creation_.request_id, engine.GetSpecification(earlier->job)->job())));
        }
        return Answer(engine.GetSpecification(earlier->job)->job());
      }
      const std::string name = creation_.job->name();
      host_.Handle(engine::JobImported{.request_id = creation_.request_id,
                                       .job = std::move(creation_.job),
                                       .specification = creation_.specification,
                                       .outcomes = check_->Take()});
      Answer(name);
    });
  }

  // With the job, once it is durable.
  void Answer(std::string name) {
    host_.AfterCommit([this, name = std::move(name)] {
      const auto job = host_.engine().FindJob(name);
      if (!job) return Finish(ToGrpc(NotFound("{} was deleted meanwhile", name)));
      *response_ = host_.engine().GetJob(*job, host_.Now());
      Finish(grpc::Status::OK);
    });
  }

  EngineHost& host_;
  IdGenerator& ids_;
  std::atomic<int>& under_way_;
  v1::Job* response_;
  v1::ImportJobRequest piece_;
  Creation creation_;
  FieldViolations violations_;
  std::optional<ImportCheck> check_;
  std::size_t bytes_ = 0;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace

grpc::ServerReadReactor<v1::ImportJobRequest>* StartImport(EngineHost& host, IdGenerator& ids,
                                                           std::atomic<int>& under_way,
                                                           v1::Job* response) {
  return new Import(host, ids, under_way, response);  // deletes itself in OnDone
}

}  // namespace candor::service
