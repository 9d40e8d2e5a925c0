// The contract keeps the rules that it says it keeps.

#include "tests/integration/cluster.h"

#include <gtest/gtest.h>

namespace candor::integration {
namespace {

TEST(ContractTest, BufLintIsClean) {
  const Finished lint =
      RunCommand({Tool("buf"), "lint", std::string(CANDOR_SOURCE_DIR) + "/proto"});
  EXPECT_EQ(lint.exit_code, 0) << lint.out << lint.err;
}

TEST(ContractTest, TheCatalogueKeepsItsSchema) {
  const Finished check =
      RunCommand({"/usr/bin/python3", "-c", R"(
import json, sys, jsonschema
schema, catalogue = (json.load(open(p)) for p in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.validate(catalogue, schema, jsonschema.Draft202012Validator)
scenarios = catalogue["scenarios"]
assert len(scenarios) >= 200 and len({s["domain"] for s in scenarios}) >= 20
assert len({s["role"] for s in scenarios}) >= 200
k = [len(s["attributes"]) for s in scenarios]
assert min(k) == 3 and max(k) == 7 and k.count(5) > len(k) / 2, k
print("kept")
)",
                  std::string(CANDOR_SOURCE_DIR) + "/data/catalogue/schema.json",
                  std::string(CANDOR_SOURCE_DIR) + "/data/catalogue/builtin.json"});
  EXPECT_EQ(check.out, "kept\n") << check.err;
}

}  // namespace
}  // namespace candor::integration
