// The tables of a report, each as a CSV file; report.h says what a row of each is.
#pragma once

#include "common/report/table_file.h"

#include <vector>

namespace candor::report {

// agreement_tables.cc
TableFile AgreementTable(const v1::Analysis& analysis);
TableFile AgreementLinesTable(const v1::Analysis& analysis);
TableFile AgreementScenariosTable(const v1::Analysis& analysis);
TableFile PairsTable(const v1::Analysis& analysis);
TableFile DomainsTable(const v1::Analysis& analysis);

// weight_tables.cc
TableFile WeightsTable(const v1::Analysis& analysis);
TableFile ScenariosTable(const v1::Analysis& analysis);

// comparison_tables.cc
TableFile ContrastsTable(const v1::Analysis& analysis);
TableFile PrivilegedAccessTable(const v1::Analysis& analysis);
TableFile PrivilegedAccessDifferencesTable(const v1::Analysis& analysis);
TableFile TestsTable(const v1::Analysis& analysis);

// record_tables.cc
TableFile RepliesTable(const v1::Analysis& analysis);
TableFile LeftOutTable(const v1::Analysis& analysis);
TableFile ExcludedRowsTable(const v1::Analysis& analysis);

}  // namespace candor::report
