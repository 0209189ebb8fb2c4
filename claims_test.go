package parley_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	claimRow     = regexp.MustCompile(`(?m)^\| ([A-Z]{2}\d+) \| (\S+) \| (.+) \|$`)
	claimComment = regexp.MustCompile(`(?m)^// claim: (.+)\nfunc (Test\w+)\(`)
	claimTitle   = regexp.MustCompile(`(?m)^test\('(([A-Z]{2}\d+) [^']*)'`)
)

// TestClaimsHaveTests holds docs/claims.md and the tests together, in both
// directions.
func TestClaimsHaveTests(t *testing.T) {
	table, err := os.ReadFile("docs/claims.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, row := range claimRow.FindAllStringSubmatch(string(table), -1) {
		id, file, name := row[1], row[2], row[3]
		listed[id+" "+name] = true
		source, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if !strings.Contains(string(source), "func "+name+"(") && !strings.Contains(string(source), "test('"+name+"'") {
			t.Errorf("%s: %s has no test %q", id, file, name)
		}
	}
	if len(listed) == 0 {
		t.Fatal("docs/claims.md lists nothing")
	}
	for _, file := range claimFiles(t) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range claimComment.FindAllStringSubmatch(string(source), -1) {
			for id := range strings.SplitSeq(found[1], ",") {
				if id = strings.TrimSpace(id); !listed[id+" "+found[2]] {
					t.Errorf("%s: %s shows %s, but is not in docs/claims.md", file, found[2], id)
				}
			}
		}
		for _, found := range claimTitle.FindAllStringSubmatch(string(source), -1) {
			if !listed[found[2]+" "+found[1]] {
				t.Errorf("%s: %q is not in docs/claims.md", file, found[1])
			}
		}
	}
}

// claimFiles are the tests that drive the real program.
func claimFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"server/*_test.go", "test/browser/*.test.mjs"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %d files", pattern, err, len(found))
		}
		files = append(files, found...)
	}
	return files
}
