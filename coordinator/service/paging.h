// Pages of lists (AIP-158): sizes and tokens.
#pragma once

#include "common/base/status.h"
#include "coordinator/service/cursor.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace candor::service {

struct PageLimits {
  std::int32_t default_size = 50;
  std::int32_t max_size = 1000;
};

struct Page {
  std::int32_t size = 0;
  // The name or number of the last item of the page before; empty: the page is the first.
  std::string after;
};

// INVALID_ARGUMENT for a negative size and for a token of another list.
template <typename Request>
StatusOr<Page> ParsePage(const Request& request, std::string_view list, PageLimits limits = {}) {
  Page page;
  if (request.page_size() < 0) {
    return InvalidArgument("page_size: is {}; give 0 (for {}) or more", request.page_size(),
                           limits.default_size);
  }
  page.size = request.page_size() == 0 ? limits.default_size
                                       : std::min(request.page_size(), limits.max_size);
  if (!request.page_token().empty()) {
    CANDOR_ASSIGN_OR_RETURN(page.after, ParseCursor(request.page_token(), list));
  }
  return page;
}

}  // namespace candor::service
