#include "coordinator/store/store.h"

#include <utility>

namespace candor::store {

StatusOr<OutcomePage> Store::ReadOutcomes(const OutcomeQuery& query) const {
  OutcomePage page;
  CANDOR_ASSIGN_OR_RETURN(static_cast<ReadEnd&>(page),
                          VisitOutcomes(query, [&](Position position, v1::Outcome& outcome) {
                            page.rows.push_back({position, std::move(outcome)});
                          }));
  return page;
}

}  // namespace candor::store
