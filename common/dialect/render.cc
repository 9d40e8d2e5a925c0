#include "common/dialect/render.h"

#include "common/base/digest.h"

#include <utility>

namespace candor::dialect {
namespace {

std::size_t PartIndex(int entry_index, v1::Cell::Kind kind) {
  return 2 * static_cast<std::size_t>(entry_index) + (kind == v1::Cell::SELF_REPORT ? 1 : 0);
}

bool AsksFor(const v1::ResolvedEntry& entry, v1::Cell::Kind kind) {
  if (entry.scenario_indexes().empty()) return false;
  return kind == v1::Cell::CHOICE ? entry.choices().trials_per_scenario() > 0
                                  : entry.self_reports().reports_per_scenario() > 0;
}

std::string_view NameOf(v1::Cell::Kind kind) {
  return kind == v1::Cell::CHOICE ? "choices" : "self-reports";
}

}  // namespace

StatusOr<std::shared_ptr<const JobRenderer>> JobRenderer::Create(
    v1::JobSpecification specification) {
  std::shared_ptr<JobRenderer> renderer(new JobRenderer(std::move(specification)));
  CANDOR_RETURN_IF_ERROR(renderer->Prepare());
  return std::shared_ptr<const JobRenderer>(std::move(renderer));
}

Status JobRenderer::Prepare() {
  parts_.resize(2 * static_cast<std::size_t>(specification_.entries_size()));
  for (int i = 0; i < specification_.entries_size(); ++i) {
    for (const std::uint32_t scenario : specification_.entries(i).scenario_indexes()) {
      if (scenario >= static_cast<std::uint32_t>(specification_.scenarios_size())) {
        return InvalidArgument("entries[{}].scenario_indexes: {} is not below {}", i, scenario,
                               specification_.scenarios_size());
      }
    }
    CANDOR_RETURN_IF_ERROR(PreparePart(i, v1::Cell::CHOICE));
    CANDOR_RETURN_IF_ERROR(PreparePart(i, v1::Cell::SELF_REPORT));
  }
  return absl::OkStatus();
}

Status JobRenderer::PreparePart(int entry_index, v1::Cell::Kind kind) {
  const v1::ResolvedEntry& entry = specification_.entries(entry_index);
  if (!AsksFor(entry, kind)) return absl::OkStatus();
  const bool choice = kind == v1::Cell::CHOICE;
  const v1::Choices& choices = entry.choices();
  if (choice && (choices.samples_per_trial() < 1 ||
                 (choices.orders() == v1::Choices::BOTH && choices.trials_per_scenario() % 2))) {
    return InvalidArgument("entries[{}].choices: is not resolved", entry_index);
  }
  auto prompt =
      scenario::PromptRenderer::Create(choice ? entry.choice_prompt() : entry.self_report_prompt());
  if (!prompt.ok()) {
    return Annotate(prompt.status(), fmt::format("entries[{}].{}", entry_index,
                                                 choice ? "choice_prompt" : "self_report_prompt"));
  }
  Part& part = parts_[PartIndex(entry_index, kind)];
  part.prompt = *std::move(prompt);
  part.cells = scenario::CellMap(specification_, entry_index, kind);
  if (part.cells.size() > 0xFFFFFFFFU) {
    return InvalidArgument("entries[{}]: has more {} than a cell number holds", entry_index,
                           NameOf(kind));
  }
  return absl::OkStatus();
}

const v1::ResolvedEntry* JobRenderer::Entry(const v1::Cell& cell) const {
  if (cell.entry_index() < 0 || cell.entry_index() >= specification_.entries_size()) return nullptr;
  return &specification_.entries(cell.entry_index());
}

Status JobRenderer::Render(const v1::Cell& cell, const v1::ExplicitTrial* trial,
                           const Dialect& dialect, const v1::ModelRule& rule,
                           RenderedCell* rendered) const {
  const v1::ResolvedEntry* entry = Entry(cell);
  if (entry == nullptr) {
    return InvalidArgument("entry_index: {} is none of the {} entries", cell.entry_index(),
                           specification_.entries_size());
  }
  if (cell.kind() != v1::Cell::CHOICE && cell.kind() != v1::Cell::SELF_REPORT) {
    return InvalidArgument("kind: {} is neither CHOICE nor SELF_REPORT",
                           static_cast<int>(cell.kind()));
  }
  const Part& part = parts_[PartIndex(cell.entry_index(), cell.kind())];
  if (!part.prompt || cell.index() >= part.cells.size()) {
    return InvalidArgument("index: {} is not below {}, the {} of entry \"{}\"", cell.index(),
                           part.prompt ? part.cells.size() : 0, NameOf(cell.kind()), entry->name());
  }
  const scenario::CellAddress address = part.cells.At(cell.index());
  const v1::Scenario& asked = specification_.scenarios(static_cast<int>(address.scenario_index));
  const scenario::TrialStream stream(specification_.seed(), asked, cell.kind(),
                                     specification_.attribute_order());
  if (trial == nullptr && cell.kind() == v1::Cell::CHOICE &&
      !scenario::IsDrawn(*entry, address.pair)) {
    return InvalidArgument(
        "trial: is missing; entry \"{}\" has an adaptive design, in which pair {} follows from the "
        "answers before it",
        entry->name(), address.pair);
  }
  if (trial != nullptr) {
    CANDOR_RETURN_IF_ERROR(stream.Place(*trial, address.pair, address.order, rendered->trial));
  } else {
    stream.Draw(address.pair, address.order, rendered->trial);
  }
  part.prompt->Render(asked, rendered->trial, rendered->contents);
  CANDOR_RETURN_IF_ERROR(dialect.RenderRequest({.entry = *entry,
                                                .kind = cell.kind(),
                                                .rule = rule,
                                                .prompt = *part.prompt,
                                                .contents = rendered->contents,
                                                .scenario = asked,
                                                .trial = rendered->trial,
                                                .sample = address.sample},
                                               &rendered->body));
  rendered->scenario = &asked;
  v1::Outcome& outcome = rendered->outcome;
  outcome.Clear();
  outcome.set_entry(entry->name());
  outcome.set_scenario(asked.id());
  outcome.set_kind(cell.kind());
  outcome.set_index(cell.index());
  outcome.set_pair(address.pair);
  outcome.set_order(address.order);
  outcome.set_sample(address.sample);
  scenario::SetShownValues(asked, rendered->trial, &outcome);
  outcome.set_prompt_hash(Sha256Hex(rendered->body));
  return absl::OkStatus();
}

Status RenderCell(const v1::JobSpecification& specification, int entry_index, v1::Cell::Kind kind,
                  std::uint32_t index, const v1::ExplicitTrial* trial, const Dialect& dialect,
                  const v1::ModelRule& rule, std::string* body, v1::Outcome* outcome) {
  CANDOR_ASSIGN_OR_RETURN(const std::shared_ptr<const JobRenderer> renderer,
                          JobRenderer::Create(specification));
  v1::Cell cell;
  cell.set_entry_index(entry_index);
  cell.set_kind(kind);
  cell.set_index(index);
  RenderedCell rendered;
  CANDOR_RETURN_IF_ERROR(renderer->Render(cell, trial, dialect, rule, &rendered));
  *body = std::move(rendered.body);
  if (outcome != nullptr) *outcome = std::move(rendered.outcome);
  return absl::OkStatus();
}

}  // namespace candor::dialect
