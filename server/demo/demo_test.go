package demo

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"image"
	"image/jpeg"
	"strings"
	"testing"

	"parley"
	"parley/account"
	"parley/contact"
	"parley/edge/directory"
)

func TestMembersAreConsistent(t *testing.T) {
	known := map[string]int{}
	for i, m := range Members {
		if _, twice := known[m.Alias]; twice {
			t.Errorf("%s stands there twice", m.Alias)
		}
		known[m.Alias] = i
		if _, ok := offices[m.Office]; !ok {
			t.Errorf("%s works in an unknown office", m.Alias)
		}
		// Heads come first, so that the tree of managers has no cycle.
		if head, ok := known[m.Manager]; i > 0 && (!ok || head == i) {
			t.Errorf("the manager of %s does not stand before them", m.Alias)
		}
	}
	if len(Members) != 41 || Members[0].Manager != "" {
		t.Errorf("%d members, head %+v", len(Members), Members[0])
	}
	groups := map[string]bool{}
	for _, g := range Groups {
		groups[g.Name] = true
		for _, alias := range g.Members {
			if _, ok := known[alias]; !ok {
				t.Errorf("%s is in %s and nobody", alias, g.Name)
			}
		}
	}
	for _, g := range Groups {
		for _, inside := range g.Inside {
			if !groups[inside] {
				t.Errorf("%s is in %s and no group", inside, g.Name)
			}
		}
	}
	for alias, numbers := range Typed {
		if _, ok := known[alias]; !ok {
			t.Errorf("%s types numbers and is nobody", alias)
		}
		for _, n := range numbers {
			if _, ok := parley.ParsePhoneKind(n[0]); !ok || contact.DialString(n[1], "") == "" {
				t.Errorf("%s types %v", alias, n)
			}
		}
	}
	for _, address := range SignIn() {
		if _, ok := known[strings.TrimSuffix(address, "@"+Domain)]; !ok {
			t.Errorf("%s is nobody", address)
		}
	}
}

func TestPasswordHash(t *testing.T) {
	match, outdated, err := account.Argon2id{}.Check(Password, PasswordHash)
	if err != nil || !match || outdated {
		t.Errorf("match %v, outdated %v, error %v", match, outdated, err)
	}
}

func TestPortraitsAreDistinctAndDeterministic(t *testing.T) {
	first, err := portraits()
	if err != nil {
		t.Fatal(err)
	}
	again, err := portraits()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[32]byte]int{}
	for i, photo := range first {
		if !bytes.Equal(photo, again[i]) {
			t.Errorf("portrait %d is another one the second time", i)
		}
		sum := sha256.Sum256(photo)
		if other, ok := seen[sum]; ok {
			t.Errorf("%s and %s look the same", Members[i].Alias, Members[other].Alias)
		}
		seen[sum] = i
		picture, err := jpeg.Decode(bytes.NewReader(photo))
		if err != nil || picture.Bounds() != image.Rect(0, 0, portraitSide, portraitSide) {
			t.Errorf("portrait %d: %v", i, err)
		}
	}
}

// The export goes through the reader of real exports without a complaint, and
// everything in it comes out.
func TestLDIF(t *testing.T) {
	var b bytes.Buffer
	if err := WriteLDIF(&b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(b.String(), "\n") {
		if len(line) > 77 {
			t.Fatalf("a line of %d characters", len(line))
		}
	}
	i := 0
	for entry, err := range directory.People(&b, directory.DefaultMapping(Domain)) {
		if err != nil {
			t.Fatal(err)
		}
		m, p := &Members[i], entry.Person
		if p.Address != m.Address() || p.DisplayName != m.Name() || p.Title != m.Title || p.Department != m.Department ||
			p.Company != Organisation || p.Region != offices[m.Office].country || p.SourceID != sourceID(m.Alias) ||
			p.WorkPhone == "" || p.Mobile == "" || p.Office == "" || len(entry.Photo) == 0 {
			t.Errorf("%s became %+v", m.Alias, p)
		}
		if (entry.ManagerDN == "") != (m.Manager == "") {
			t.Errorf("the manager of %s became %q", m.Alias, entry.ManagerDN)
		}
		if _, _, _, err := directory.Photo(entry.Photo); err != nil {
			t.Errorf("the photo of %s: %v", m.Alias, err)
		}
		i++
	}
	if i != len(Members) {
		t.Errorf("%d of %d members came out", i, len(Members))
	}
}

type brokenPipe struct{}

var errPipe = errors.New("broken pipe")

func (brokenPipe) Write([]byte) (int, error) { return 0, errPipe }

func TestLDIFTellsOfAFailedWrite(t *testing.T) {
	if err := WriteLDIF(brokenPipe{}); !errors.Is(err, errPipe) {
		t.Errorf("error %v", err)
	}
}

func BenchmarkLDIF(b *testing.B) {
	for b.Loop() {
		var out bytes.Buffer
		if err := WriteLDIF(&out); err != nil {
			b.Fatal(err)
		}
	}
}
