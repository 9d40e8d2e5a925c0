// The contract keeps the rules that it says it keeps.

#include "tests/integration/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::integration {
namespace {

using testing::HasSubstr;

TEST(ContractTest, BufLintIsClean) {
  const Finished lint =
      RunCommand({Tool("buf"), "lint", std::string(CANDOR_SOURCE_DIR) + "/proto"});
  EXPECT_EQ(lint.exit_code, 0) << lint.out << lint.err;
}

TEST(ContractTest, SourcesAreFormatted) {
  const Finished format =
      RunCommand({std::string(CANDOR_SOURCE_DIR) + "/scripts/format", "--check"});
  EXPECT_EQ(format.exit_code, 0) << format.err.substr(0, 2000);
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

// Guides name tests and files as proof: those must be there.
TEST(ContractTest, WhatGuidesNameIsThere) {
  const Finished check = RunCommand({"/usr/bin/python3", "-c", R"py(
import pathlib, re, sys
root = pathlib.Path(sys.argv[1])
sources = "".join(p.read_text() for p in (root / "tests").rglob("*.cc"))
tests = {".".join(t) for t in re.findall(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", sources)}
pages = [*(root / "docs").rglob("*.md"), *root.glob("*.md")]
named = 0
for page in pages:
    text = page.read_text()
    for test in re.findall(r"`([A-Z]\w+\.[A-Z]\w+)`", text):
        named += 1
        if test not in tests: print(f"{page}: there is no test {test}")
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if re.search(r"[./]", target) and "://" not in target and not (page.parent / target).exists():
            print(f"{page}: there is no {target}")
assert named >= 40, named
print("checked")
)py",
                                     CANDOR_SOURCE_DIR});
  EXPECT_EQ(check.out, "checked\n") << check.err;
}

// Promise S14.
TEST(ContractTest, ProgramsAreHardened) {
  for (const char* program :
       {"candor", "candor-coordinator", "candor-worker", "candor-simulator"}) {
    SCOPED_TRACE(program);
    const Finished elf = RunCommand({"readelf", "-hldW", Bin(program)});
    EXPECT_THAT(elf.out, HasSubstr("Position-Independent Executable"));
    EXPECT_THAT(elf.out, HasSubstr("GNU_RELRO"));
    EXPECT_THAT(elf.out, HasSubstr("BIND_NOW"));
    EXPECT_THAT(elf.out, testing::ContainsRegex("GNU_STACK .* RW "));
    const Finished symbols = RunCommand({"readelf", "-sW", "--dyn-syms", Bin(program)});
    EXPECT_THAT(symbols.out, HasSubstr("__stack_chk_fail"));
  }
}

TEST(ContractTest, EveryProgramSaysWhatItIsAndWhatItTakes) {
  for (const char* program :
       {"candor", "candor-coordinator", "candor-worker", "candor-simulator"}) {
    SCOPED_TRACE(program);
    const Finished version = RunCommand({Bin(program), "--version"});
    EXPECT_EQ(version.exit_code, 0);
    EXPECT_THAT(version.out, testing::StartsWith(std::string(program) + " "));
    const Finished help = RunCommand({Bin(program), "--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_THAT(help.out, HasSubstr("--print-config"));
    const Finished slip = RunCommand({Bin(program), "--confg", "x"});
    EXPECT_EQ(slip.exit_code, 2);
    EXPECT_THAT(slip.err, HasSubstr("--config"));
  }
}

}  // namespace
}  // namespace candor::integration
