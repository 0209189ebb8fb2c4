package server_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"strings"
	"testing"

	"parley/edge/webapi"
	"parley/parleytest"
	"parley/server"
)

// export writes an LDIF file and remembers where the records begin.
type export struct {
	strings.Builder
	lines map[string]int // by uid
}

// person adds a record. Further lines are written as they are.
func (e *export) person(uid string, more ...string) {
	if e.lines == nil {
		e.lines = map[string]int{}
	}
	e.lines[uid] = strings.Count(e.String(), "\n") + 1
	fmt.Fprintf(e, "dn: uid=%s,ou=People,dc=example,dc=test\nobjectClass: inetOrgPerson\nuid: %s\nentryUUID: %s\n", uid, uid, uuid(uid))
	if !slices.ContainsFunc(more, func(line string) bool { return strings.HasPrefix(line, "cn:") }) {
		fmt.Fprintf(e, "cn: %s Example\n", strings.ToUpper(uid[:1])+uid[1:])
	}
	for _, line := range more {
		e.WriteString(line + "\n")
	}
	e.WriteString("\n")
}

// uuid makes a lasting id of a uid.
func uuid(uid string) string {
	return fmt.Sprintf("00000000-0000-4000-8000-%012x", []byte((uid + "______")[:6]))
}

func manager(uid string) string { return "manager: uid=" + uid + ",ou=People,dc=example,dc=test" }

func photo(t *testing.T) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 400, 400))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i)
	}
	picture.Set(1, 1, color.White)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hostile is an export with one of everything that can be wrong, and five people
// in whom nothing is.
func hostile(t *testing.T) (*export, map[string]string) {
	e := &export{}
	e.WriteString("version: 1\n\n")
	e.person("ann", "mail: ann@example.test", manager("bob"))
	e.person("bob", "mail: bob@example.test", manager("cleo"))
	e.person("cleo", "mail: cleo@example.test", manager("ann")) // a circle
	e.person("dora", "mail: dora@example.test", manager("dora"), "jpegPhoto:: "+base64.StdEncoding.EncodeToString(photo(t)))
	e.person("utf8", "cn: Broken \xff\xfe name")
	e.person("twin", "mail: ann@example.test")
	e.person("base64", "title:: ***")
	e.person("url", "jpegPhoto:< file:///etc/passwd")
	e.person("change", "changetype: delete")
	e.person("nomail", "uid:", "mail: not an address", "userPrincipalName: also not one")
	e.person("bigpic", "jpegPhoto:: "+base64.StdEncoding.EncodeToString(make([]byte, 20<<20)))
	e.person("nojpeg", "jpegPhoto:: "+base64.StdEncoding.EncodeToString([]byte("GIF89a")))
	e.person("long", "title: "+strings.Repeat("x", 30<<20))
	e.lines["no dn"] = strings.Count(e.String(), "\n") + 1
	e.WriteString("cn: Somebody Without A Name\n\n")
	e.lines["no line"] = strings.Count(e.String(), "\n") + 1
	e.WriteString("\x00\x01\x02 rubbish\n\n")
	e.person("ann", "mail: ann@example.test") // once more
	e.person("emil", "mail: emil@example.test")
	return e, map[string]string{
		"utf8": "not UTF-8", "twin": "somebody else has this sign-in address", "base64": "not base64", "url": "never fetched",
		"change": "only changetype add", "bigpic": "value too long; left out", "nojpeg": "photo left out", "long": "value too long; left out",
		"no dn": "does not begin with a dn", "no line": "not an LDIF line", "ann": "the same id",
	}
}

// both runs a test over the running server, and over its folder while it is
// stopped.
func both(t *testing.T, test func(t *testing.T, w *parleytest.World, control *server.Control)) {
	t.Run("running", func(t *testing.T) {
		w := parleytest.Start(t, parleytest.Organisation("example.test"))
		control := w.Control()
		defer control.Close()
		test(t, w, control)
	})
	t.Run("stopped", func(t *testing.T) {
		w := parleytest.Start(t, parleytest.Organisation("example.test"))
		w.Stop()
		control := w.ControlAlone()
		defer control.Close()
		test(t, w, control)
	})
}

func TestHostileExport(t *testing.T) {
	export, wrong := hostile(t)
	both(t, func(t *testing.T, w *parleytest.World, control *server.Control) {
		said := w.ImportBy(control, export.String(), server.ImportOptions{Complete: true})
		if said.Added != 9 || said.Changed != 0 || said.Left != 0 {
			t.Errorf("the import says %+v", said.ImportCount)
		}
		for who, what := range wrong {
			reported := slices.ContainsFunc(said.Problems, func(p string) bool {
				at := fmt.Sprintf("line %d: ", export.lines[who])
				return strings.Contains(p, what) && (strings.HasPrefix(p, at) || strings.Contains(p, `"uid=`+who))
			})
			if !reported {
				t.Errorf("%s, line %d: nothing says %q in\n%s", who, export.lines[who], what, strings.Join(said.Problems, "\n"))
			}
		}
		for _, p := range said.Problems {
			if len(p) > 1000 {
				t.Errorf("a problem is told at length: %.100s", p)
			}
		}
		again := w.ImportBy(control, export.String(), server.ImportOptions{Complete: true})
		if again.Added != 0 || again.Changed != 0 || again.Left != 0 || again.Unchanged != said.Added {
			t.Errorf("the second time the import says %+v", again.ImportCount)
		}
		people, err := control.People(t.Context(), false)
		if err != nil || len(people) != 9 {
			t.Errorf("%d people, %v", len(people), err)
		}
	})
}

// People are found right after their import, while others talk.
//
// claim: UC1, CC3
func TestUC1ImportedPeopleAreFoundAtOnce(t *testing.T) {
	w := parleytest.Start(t, parleytest.Organisation("example.test"))
	var e export
	e.person("ann", "mail: ann@example.test")
	w.Import(e.String(), server.ImportOptions{})
	w.SetPassword("ann@example.test", good)
	ann := parleytest.SignIn(t, w.Base, parleytest.SignInAs("ann@example.test", good)).Online()
	export, _ := hostile(t)
	w.Import(export.String(), server.ImportOptions{})
	for query, want := range map[string]string{"emil": "emil", "dora exam": "dora", "cleo@example.test": "cleo"} {
		if found := ann.Search(query); len(found.People) != 1 || !lists(hits(found), want) {
			t.Errorf("%q finds %v", query, names(hits(found)))
		}
	}
	var card webapi.Card
	ann.Ask("GET", "/api/people/ann@example.test", nil).Into(t, &card)
	if card.Manager == nil || card.Manager.DisplayName != "Bob Example" || len(card.Reports) != 1 || card.Reports[0].DisplayName != "Cleo Example" {
		t.Errorf("in a circle of managers Ann's card is %+v", card)
	}
	var dora webapi.Card
	ann.Ask("GET", "/api/people/dora@example.test", nil).Into(t, &dora)
	if dora.Photo == "" || dora.Manager != nil || len(dora.Reports) > 0 {
		t.Errorf("Dora, her own manager, has the card %+v", dora)
	}
}

func TestCompleteExportMarksWhoLeft(t *testing.T) {
	w := parleytest.Start(t, parleytest.Organisation("example.test"))
	var all, fewer, broken export
	for _, uid := range []string{"ann", "bob", "cleo"} {
		all.person(uid, "mail: "+uid+"@example.test")
	}
	w.Import(all.String(), server.ImportOptions{Complete: true})
	for _, address := range []string{"ann@example.test", "cleo@example.test"} {
		w.SetPassword(address, good)
	}
	ann := parleytest.SignIn(t, w.Base, parleytest.SignInAs("ann@example.test", good)).Online()
	cleo := parleytest.SignIn(t, w.Base, parleytest.SignInAs("cleo@example.test", good)).Online()

	fewer.person("ann", "mail: ann@example.test")
	fewer.person("bob", "mail: bob@example.test")
	broken.person("ann", "mail: ann@example.test")
	broken.person("cleo", "cn:: ***") // it cannot be told who this is
	if said := w.Import(broken.String(), server.ImportOptions{Complete: true}); said.Left != 0 ||
		!slices.ContainsFunc(said.Problems, func(p string) bool { return strings.Contains(p, "nobody is marked gone") }) {
		t.Errorf("an export with an unreadable record: %+v", said)
	}
	if said := w.Import(fewer.String(), server.ImportOptions{}); said.Left != 0 {
		t.Errorf("an export that is not complete: %+v", said)
	}
	if signedOut(t, cleo) {
		t.Error("Cleo is signed out by an export that says nothing of her")
	}
	if said := w.Import(fewer.String(), server.ImportOptions{Complete: true}); said.Left != 1 || said.Unchanged != 2 {
		t.Errorf("a complete export without Cleo: %+v", said)
	}
	if reason := cleo.SignedOut(); reason != "disabled" {
		t.Errorf("who has left is told %q", reason)
	}
	if answer := w.Ask("POST", "/api/session", parleytest.SignInAs("cleo@example.test", good)); answer.Status != 403 {
		t.Errorf("who has left signs in with %d", answer.Status)
	}
	if found := ann.Search("cleo"); len(found.People) != 0 {
		t.Errorf("who has left is found: %v", names(hits(found)))
	}
	if said := w.Import(all.String(), server.ImportOptions{Complete: true}); said.Changed != 1 {
		t.Errorf("an export with Cleo again: %+v", said)
	}
	if answer := w.Ask("POST", "/api/session", parleytest.SignInAs("cleo@example.test", good)); answer.Status != 200 {
		t.Errorf("who came back signs in with %d", answer.Status)
	}
}

// Addresses move between people as a directory moves them: the person, and what
// hangs on them, is who they are by their lasting id.
func TestAddressesMoveBetweenPeople(t *testing.T) {
	w := parleytest.Start(t, parleytest.Organisation("example.test"))
	var before, after, swapped export
	before.person("ann", "mail: ann@example.test")
	before.person("bob", "mail: info@example.test")
	before.person("cleo", "mail: cleo@example.test")
	w.Import(before.String(), server.ImportOptions{})
	w.SetPassword("info@example.test", good)
	after.person("ann", "mail: info@example.test") // takes over Bob's, who takes Cleo's
	after.person("bob", "mail: cleo@example.test")
	after.person("cleo", "mail: cleo.new@example.test")
	if said := w.Import(after.String(), server.ImportOptions{}); said.Changed != 3 || len(said.Problems) > 0 {
		t.Errorf("the import says %+v", said)
	}
	bob := parleytest.SignIn(t, w.Base, parleytest.SignInAs("cleo@example.test", good)).Online()
	if bob.Session.Person.DisplayName != "Bob Example" {
		t.Errorf("with Bob's password and new address %s signs in", bob.Session.Person.DisplayName)
	}
	swapped.person("ann", "mail: cleo@example.test")
	swapped.person("bob", "mail: info@example.test")
	if said := w.Import(swapped.String(), server.ImportOptions{}); said.Changed != 2 || len(said.Problems) > 0 {
		t.Errorf("two who exchange addresses: %+v", said)
	}
	bob = parleytest.SignIn(t, w.Base, parleytest.SignInAs("info@example.test", good)).Online()
	if bob.Session.Person.DisplayName != "Bob Example" {
		t.Errorf("after the exchange %s signs in with Bob's password and address", bob.Session.Person.DisplayName)
	}
}
