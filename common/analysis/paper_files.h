// The single files of the paper's replication package. Private to the room.
//
// Every reader keeps malformed rows out, named and counted in the study, and fails only when the
// file as a whole is none: unreadable, empty, without a needed column, or of another K.
#pragma once

#include "common/analysis/study.h"
#include "common/base/csv_table.h"
#include "common/base/status.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace candor::analysis {

class PaperFiles {
 public:
  // Adds scenarios, excluded rows, warnings and sources to `study`, which must outlive this.
  PaperFiles(std::string directory, Study* study)
      : directory_(std::move(directory)), study_(study) {}

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  // scenarios.csv; before all others. Without it scenarios come from the other files, with
  // attributes called "attr1" and no ranges.
  Status ReadScenarios(const std::string& name);
  bool has_ranges() const { return has_ranges_; }

  // instilled_weights.csv.
  Status ReadInstilled(const std::string& name);

  // Choices, by position of the scenario, in the order of the rows. Needs ranges.
  StatusOr<std::map<std::size_t, ScenarioChoices>> ReadSelections(const std::string& name);

  // Published weights, in the order of the scenarios.
  StatusOr<std::vector<PublishedWeights>> ReadResults(const std::string& name);

  // Reports, one set a model that the file names, by the name.
  StatusOr<std::map<std::string, std::map<std::size_t, ScenarioReports>>> ReadReports(
      const std::string& name);

 private:
  struct Ranges {
    std::vector<double> min;
    std::vector<double> max;
  };

  // The table of a file. `needed` are single columns, `numbered` such as "attr" stand for attr1 ..
  // attrK, `used` for those that are known and not needed. Others are warned of.
  struct Opened {
    std::string text;
    std::vector<std::size_t> columns;                // of `needed`
    std::vector<std::vector<std::size_t>> numbered;  // of `numbered`, [.][K]
  };
  StatusOr<CsvTable> Open(const std::string& name, const std::vector<std::string>& needed,
                          const std::vector<std::pair<std::string, std::string>>& numbered,
                          const std::vector<std::string>& optional, Opened* opened);

  // The row's K numbers, or nothing after it was excluded.
  bool ReadNumbers(const CsvTable& table, const CsvRow& row,
                   const std::vector<std::size_t>& columns, std::vector<double>* numbers);
  // The position of the row's scenario, or -1 after the row was excluded.
  std::ptrdiff_t FindScenario(const CsvTable& table, const CsvRow& row, std::size_t column);
  std::size_t AddScenario(std::string id);
  // Keeps a row out. The status names file, line and column: they are taken apart.
  void Exclude(const CsvTable& table, const CsvRow& row, const Status& status,
               std::size_t column = kNoColumn);

  static constexpr std::size_t kNoColumn = static_cast<std::size_t>(-1);

  std::string directory_;
  Study* study_;
  bool has_ranges_ = false;
  // Attributes of a scenario; 0 before a file has said so.
  std::size_t attributes_ = 0;
  // Who said so.
  std::string attributes_from_;
  std::map<std::string, std::size_t, std::less<>> positions_;
  std::vector<Ranges> ranges_;
};

}  // namespace candor::analysis
