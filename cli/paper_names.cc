#include "cli/paper_names.h"

#include <fmt/format.h>

#include <set>

namespace candor::cli {
namespace {

std::string Digits(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789");
  return std::string(text.substr(0, end));
}

// No separator, nothing hidden, nothing that a shell or another system takes amiss.
std::string FileName(std::string_view text) {
  std::string name(text);
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-' || c == ':' || c == ' ';
    if (!plain) c = '_';
  }
  if (name.empty() || name.front() == '.' || name.front() == '-') name.insert(name.begin(), '_');
  return name;
}

const std::string* Label(const v1::Job& job, std::string_view kind, const std::string& entry) {
  const auto found = job.labels().find(std::string(kind) + entry);
  return found == job.labels().end() || found->second.empty() ? nullptr : &found->second;
}

}  // namespace

PaperSet DescribePaperSet(std::string_view part) {
  constexpr std::string_view kLatent = "latent";
  constexpr std::string_view kFirst = "itrained_first_";
  constexpr std::string_view kLast = "itrained_last_";
  constexpr std::string_view kAll = "itrained_all_";
  PaperSet set;
  set.entry = part;
  set.latent = part.ends_with(kLatent);
  set.condition = part;
  set.rank = 6;
  if (part.starts_with("itrained")) set.condition = "introspection_trained";
  if (part.starts_with("instilled")) set.condition = "preference_trained";
  if (part.empty()) {
    set = {.entry = "control", .condition = "base", .rank = 1};
  } else if (part == "instilled") {
    set.entry = "preference_trained";
    set.rank = 0;
  } else if (part == "instilled_latent") {
    set.entry = "native_before";
    set.rank = 4;
  } else if (part.starts_with(kAll) && set.latent) {
    set.entry = "native_after";
    set.rank = 5;
  } else if (part.starts_with(kFirst) && !set.latent) {
    set.entry = "introspection_first_" + Digits(part.substr(kFirst.size()));
    set.half = PaperSet::Half::kFirstTrained;
    set.rank = 2;
  } else if (part.starts_with(kLast) && !set.latent) {
    set.entry = "introspection_last_" + Digits(part.substr(kLast.size()));
    set.half = PaperSet::Half::kLastTrained;
    set.rank = 3;
  }
  return set;
}

std::vector<PaperNames> NamesOfEntries(const v1::Job& job,
                                       const v1::JobSpecification& specification) {
  std::vector<PaperNames> names;
  // Labels may give several entries one prefix: their rows follow one another. Names of entries
  // that only look alike as file names are kept apart.
  std::set<std::string> taken;
  for (const auto& [key, value] : job.labels()) {
    if (key.starts_with(kPrefixLabel)) taken.insert(FileName(value));
  }
  for (const v1::ResolvedEntry& entry : specification.entries()) {
    PaperNames& one = names.emplace_back();
    if (const std::string* prefix = Label(job, kPrefixLabel, entry.name())) {
      one.prefix = FileName(*prefix);
    } else {
      const std::string base = FileName(entry.name());
      one.prefix = base;
      for (int n = 2; !taken.insert(one.prefix).second; ++n)
        one.prefix = fmt::format("{}_{}", base, n);
    }
    const std::string* regression = Label(job, kRegressionLabel, entry.name());
    one.regression = regression == nullptr ? one.prefix : FileName(*regression);
    const std::string* version = Label(job, kVersionLabel, entry.name());
    one.version = version != nullptr           ? *version
                  : !entry.condition().empty() ? entry.condition()
                                               : entry.name();
  }
  return names;
}

}  // namespace candor::cli
