#include "common/dialect/dialect.h"

#include "common/base/config.h"
#include "common/dialect/openai.h"

namespace candor::dialect {

StatusOr<const Dialect*> FindDialect(std::string_view name) {
  static const OpenAiDialect* const kOpenAi = new OpenAiDialect;
  if (name.empty() || name == kOpenAi->name()) return kOpenAi;
  return InvalidArgument("dialect: \"{}\" is not known; give openai", name);
}

const v1::ModelRule& FindModelRule(const v1::Endpoint& endpoint, std::string_view model) {
  const v1::ModelRule* rule = candor::FindModelRule(endpoint, model);
  return rule == nullptr ? v1::ModelRule::default_instance() : *rule;
}

}  // namespace candor::dialect
