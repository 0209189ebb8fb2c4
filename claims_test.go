package parley_test

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// proof is a row of docs/claims.md.
type proof struct{ id, file, test string }

var (
	claimID      = regexp.MustCompile(`\b[A-Z]{2}[0-9]{1,2}\b`)
	claimInName  = regexp.MustCompile(`^Test([A-Z]{2}[0-9]{1,2})[A-Z]`)
	claimComment = regexp.MustCompile(`claim: ([A-Z0-9, ]+)`)
	claimRow     = regexp.MustCompile(`^\| ([A-Z]{2}[0-9]{1,2}) \| (\S+\.(?:go|mjs)) \| (.+?) \|$`)
	browserTest  = regexp.MustCompile(`(?m)^\s*test\(\s*'([^']+)'`)
)

// readClaims reads the rows of docs/claims.md.
func readClaims(t *testing.T) []proof {
	t.Helper()
	file, err := os.Open("docs/claims.md")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var rows []proof
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if m := claimRow.FindStringSubmatch(lines.Text()); m != nil {
			rows = append(rows, proof{m[1], m[2], m[3]})
		}
	}
	if len(rows) == 0 {
		t.Fatal("docs/claims.md has no rows")
	}
	return rows
}

// namedProofs are the tests that name a claim themselves, by a comment that
// lists the ids of claims, by their own name, or by their title; and every test there
// is, by file.
func namedProofs(t *testing.T) (named []proof, tests map[string][]string) {
	t.Helper()
	tests = map[string][]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && (name == "node_modules" || name == "dist" || strings.HasPrefix(name, ".") && name != ".") {
			return filepath.SkipDir
		}
		path = filepath.ToSlash(path)
		switch {
		case strings.HasSuffix(path, "_test.go"):
			found, names, err := goProofs(path)
			named, tests[path] = append(named, found...), names
			return err
		case strings.HasSuffix(path, ".test.mjs"):
			found, names, err := browserProofs(path)
			named, tests[path] = append(named, found...), names
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return named, tests
}

func goProofs(path string) (named []proof, names []string, err error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return nil, nil, err
	}
	docs := map[*ast.CommentGroup]bool{}
	for _, declaration := range parsed.Decls {
		f, ok := declaration.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") {
			continue
		}
		names = append(names, f.Name.Name)
		docs[f.Doc] = true
		for _, id := range claimedBy(f) {
			named = append(named, proof{id, path, f.Name.Name})
		}
	}
	for _, comment := range parsed.Comments { // a claim that belongs to no test
		if m := claimComment.FindStringSubmatch(comment.Text()); m != nil && !docs[comment] {
			named = append(named, proof{m[1], path, "a comment"})
		}
	}
	return named, names, nil
}

// claimedBy are the claims that a test names, each once.
func claimedBy(f *ast.FuncDecl) []string {
	var ids []string
	if m := claimInName.FindStringSubmatch(f.Name.Name); m != nil {
		ids = append(ids, m[1])
	}
	for _, m := range claimComment.FindAllStringSubmatch(f.Doc.Text(), -1) {
		ids = append(ids, claimID.FindAllString(m[1], -1)...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func browserProofs(path string) (named []proof, names []string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range browserTest.FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1])
		if first, _, _ := strings.Cut(m[1], " "); claimID.FindString(first) == first && first != "" {
			named = append(named, proof{first, path, m[1]})
		}
	}
	return named, names, nil
}

// The page of claims and the tests say the same.
func TestClaims(t *testing.T) {
	rows := readClaims(t)
	named, tests := namedProofs(t)
	for i, row := range rows {
		if !slices.Contains(tests[row.file], row.test) {
			t.Errorf("docs/claims.md: %s: %s has no test %q", row.id, row.file, row.test)
		}
		if !slices.Contains(named, row) {
			t.Errorf("docs/claims.md: %s in %s does not name %s itself", row.test, row.file, row.id)
		}
		if slices.Contains(rows[:i], row) {
			t.Errorf("docs/claims.md: %s stands there twice: %s", row.id, row.test)
		}
	}
	for _, found := range named {
		if !slices.Contains(rows, found) {
			t.Errorf("%s: %s names %s, and docs/claims.md has no row for it", found.file, found.test, found.id)
		}
	}
	if !slices.IsSortedFunc(rows, func(a, b proof) int { return strings.Compare(a.id, b.id) }) {
		t.Error("docs/claims.md: the rows are not in the order of the claims")
	}
}
