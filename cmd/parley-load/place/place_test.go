package place

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/account"
	"parley/store"
)

// TestFill reads back with the store what was made.
func TestFill(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new")
	const people = Circle + 3
	roster, err := Fill(t.Context(), folder, Plan{People: people, Devices: 2, Contacts: true, Password: true, Others: 5})
	if err != nil {
		t.Fatal(err)
	}
	again, err := ReadRoster(folder)
	if err != nil || len(again.People) != people || again.People[7].Tokens[1] != roster.People[7].Tokens[1] || len(again.Names) == 0 {
		t.Fatalf("the roster reads back as %d people, %v", len(again.People), err)
	}
	if info, err := os.Stat(filepath.Join(folder, RosterFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the roster's mode is %v, %v", info.Mode(), err)
	}
	s, err := store.Open(t.Context(), store.Config{Path: folder})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found := 0
	for person, err := range s.People(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if found++; found <= people && roster.People[found-1].ID != person.ID.String() {
			t.Errorf("person %d is %s in the roster", person.ID, roster.People[found-1].ID)
		}
	}
	if found != people+5 {
		t.Errorf("%d people in the directory", found)
	}
	checkSignedIn(t, s, roster)
	checkContacts(t, s, roster)
}

func checkSignedIn(t *testing.T, s *store.Store, roster *Roster) {
	for _, i := range []int{0, Circle, Circle + 2} {
		id, err := parley.ParsePersonID(roster.People[i].ID)
		if err != nil {
			t.Fatal(err)
		}
		hash, err := s.PasswordHash(t.Context(), id)
		if match, outdated, checked := (account.Argon2id{}).Check(roster.Password, hash); err != nil || checked != nil || !match || outdated {
			t.Errorf("the password of %s does not fit: %v %v", id, err, checked)
		}
		for _, token := range roster.People[i].Tokens {
			raw, err := base64.RawURLEncoding.DecodeString(token)
			if err != nil {
				t.Fatal(err)
			}
			if d, err := s.DeviceByToken(t.Context(), sha256.Sum256(raw)); err != nil || d.Person != id {
				t.Errorf("a token of %s finds a device of %s, %v", id, d.Person, err)
			}
		}
	}
	if err := roster.Need(len(roster.People), 2); err != nil {
		t.Error(err)
	}
	if roster.Need(len(roster.People)+1, 1) == nil || roster.Need(1, 3) == nil {
		t.Error("more people or devices are found than there are")
	}
}

// checkContacts shows that the Contacts lists in the database are those of the
// roster.
func checkContacts(t *testing.T, s *store.Store, roster *Roster) {
	stored := map[string][]string{}
	for r, err := range s.Relations(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if r.InContacts {
			stored[r.Owner.String()] = append(stored[r.Owner.String()], r.Other.String())
		}
	}
	for i, person := range roster.People {
		want := roster.Contacts(i)
		if size := map[bool]int{true: Circle - 1, false: 2}[i < Circle]; len(want) != size {
			t.Errorf("%s has %d contacts", person.ID, len(want))
		}
		got := stored[person.ID]
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: stored %v, want %v", person.ID, got, want)
		}
	}
}

// TestFillLeavesOthersAlone shows that nothing is written into a folder that holds
// anything.
func TestFillLeavesOthersAlone(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "parley.db"), []byte("somebody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Fill(t.Context(), folder, Plan{People: 1, Devices: 1}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(folder, "parley.db")); err != nil || string(text) != "somebody's" {
		t.Errorf("the file is %q, %v", text, err)
	}
}

func TestConversation(t *testing.T) {
	r := Roster{People: []Person{{ID: "p9"}, {ID: "p10"}}}
	for _, pair := range [][2]int{{0, 1}, {1, 0}} {
		if got, err := r.Conversation(pair[0], pair[1]); err != nil || got != "p9.p10" {
			t.Errorf("%v: %s, %v", pair, got, err)
		}
	}
}

func TestReadRosterRefuses(t *testing.T) {
	for _, text := range []string{"", "{", `{"people":[{"id":"17"}]}`, `{"people":[{"id":"p0"}]}`} {
		file := filepath.Join(t.TempDir(), "roster")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRoster(file); err == nil {
			t.Errorf("%q was read", text)
		}
	}
	if _, err := ReadRoster(t.TempDir()); err == nil {
		t.Error("a folder without a roster was read")
	}
}

func TestPeopleAreAlwaysTheSame(t *testing.T) {
	seen := map[string]bool{}
	for i := range 3000 {
		p := personOf(i)
		if fmt.Sprint(p) != fmt.Sprint(personOf(i)) || seen[p.SourceID+p.Address] || p.Surname == "" {
			t.Fatalf("person %d: %+v", i, p)
		}
		seen[p.SourceID+p.Address] = true
	}
	if names := surnames(3000); len(names) < 500 || !slices.IsSorted(names) {
		t.Errorf("%d surnames", len(names))
	}
}

func TestParseFigures(t *testing.T) {
	const text = "# HELP parley_sockets Open sockets.\n# TYPE parley_sockets gauge\nparley_sockets 12\n" +
		"parley_log_purged_total 1.5e+06\nparley_refusals_total{kind=\"invalid\"} 3\nnonsense\nx y\n"
	got := parseFigures([]byte(text))
	if len(got) != 2 || got["parley_sockets"] != 12 || got["parley_log_purged_total"] != 1_500_000 {
		t.Errorf("got %v", got)
	}
}

func FuzzParseFigures(f *testing.F) {
	f.Add([]byte("parley_sockets 12\n# x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for name := range parseFigures(text) {
			if strings.ContainsAny(name, " {\n") {
				t.Errorf("%q is a name", name)
			}
		}
	})
}
