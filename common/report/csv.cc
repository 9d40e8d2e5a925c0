#include "common/report/report.h"
#include "common/report/tables.h"

#include <utility>

namespace candor::report {

std::vector<File> RenderCsv(const v1::Analysis& analysis) {
  std::vector<File> files;
  for (auto* make : {AgreementTable, AgreementLinesTable, AgreementScenariosTable, PairsTable,
                     DomainsTable, WeightsTable, ScenariosTable, ContrastsTable,
                     PrivilegedAccessTable, PrivilegedAccessDifferencesTable, RepliesTable,
                     TestsTable, LeftOutTable, ExcludedRowsTable}) {
    TableFile table = make(analysis);
    if (!table.empty()) files.push_back(table.Take());
  }
  return files;
}

}  // namespace candor::report
