package parleytest_test

import (
	"strings"
	"testing"

	"parley/parleytest"
)

func TestScratchCopy(t *testing.T) {
	t.Parallel()
	s := parleytest.Scratch(t)
	if output, passed := s.GoTest(".", "^TestImportRule$"); !passed {
		t.Fatalf("the import rule does not hold in an untouched copy:\n%s", output)
	}
	s.Replace("privacy/rights.go", `import "parley/policy"`, "import (\n\t\"parley/policy\"\n\t_ \"parley/account\"\n)")
	s.Refuses(".", "^TestImportRule$", "privacy imports account")
	s.Append("privacy/rights.go", "\n// A comment.\n")
	if !strings.HasSuffix(s.Read("privacy/rights.go"), "// A comment.\n") {
		t.Error("what was appended is not there")
	}
}
