package webapi

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"parley"
	"parley/privacy"
)

func TestSearchAndContacts(t *testing.T) {
	w := newWorld(t)
	anna := w.signIn("anna")
	var found PeopleFound
	anna.get(anna.call("GET", "/api/people?q=bran", nil), http.StatusOK, &found)
	if len(found.People) != 1 || found.More {
		t.Fatalf("found %+v, want Ben alone", found)
	}
	ben := found.People[0]
	if ben.ID != w.ids["ben"].String() || ben.DisplayName != "Ben Brandt" || ben.Title != "Mason" || ben.Photo != "" {
		t.Errorf("found %+v", ben)
	}
	if ben.Presence == nil || ben.Presence.Availability != int(parley.Offline) {
		t.Errorf("Ben's presence is %+v, want Offline", ben.Presence)
	}
	anna.get(anna.call("GET", "/api/people?q=zzz", nil), http.StatusOK, &found)
	if found.People == nil || len(found.People) != 0 {
		t.Errorf("found %+v, want an empty list", found)
	}
	var groups Groups
	anna.get(anna.call("GET", "/api/contacts", nil), http.StatusOK, &groups)
	if len(groups.Groups) == 0 || groups.Groups[0].Key == "" || len(groups.Groups[0].People) == 0 {
		t.Errorf("groups %+v", groups)
	}
}

func TestCard(t *testing.T) {
	w := newWorld(t)
	anna, ben := w.signIn("anna"), w.signIn("ben")
	for _, who := range []string{w.ids["anna"].String(), "anna@example.org"} {
		var card Card
		ben.get(ben.call("GET", "/api/people/"+who, nil), http.StatusOK, &card)
		if card.DisplayName != "Anna Ahrens" || card.Mail != "anna@example.org" || len(card.Reports) != 3 || card.Relationship != "colleagues" {
			t.Errorf("%s: card %+v", who, card)
		}
		if len(card.Phones) != 1 || card.Phones[0].Kind != "work" || card.Phones[0].Dial != "+493011111" {
			t.Errorf("%s: a colleague sees the phones %+v, want the work phone", who, card.Phones)
		}
	}
	var own Card
	anna.get(anna.call("GET", "/api/people/anna@example.org", nil), http.StatusOK, &own)
	if len(own.Phones) != 2 || own.Relationship != "" {
		t.Errorf("the own card shows the phones %+v and the relationship %q", own.Phones, own.Relationship)
	}
	relation := privacy.Relation{Owner: w.ids["anna"], Other: w.ids["ben"], Level: privacy.Workgroup}
	if err := w.gate.SetRelation(t.Context(), w.actor("anna"), relation); err != nil {
		t.Fatal(err)
	}
	var card Card
	ben.get(ben.call("GET", "/api/people/anna@example.org", nil), http.StatusOK, &card)
	if len(card.Phones) != 2 || card.Relationship != "colleagues" {
		t.Errorf("the workgroup sees the phones %+v; Ben's own level for Anna is %q", card.Phones, card.Relationship)
	}
	anna.get(anna.call("GET", "/api/people/ben@example.org", nil), http.StatusOK, &card)
	if card.Relationship != "workgroup" || card.Manager == nil || card.Manager.ID != w.ids["anna"].String() {
		t.Errorf("Ben's card for Anna: %q, manager %+v", card.Relationship, card.Manager)
	}
}

// TestWithheldAndAbsentAreOneAnswer compares status, headers and body.
func TestWithheldAndAbsentAreOneAnswer(t *testing.T) {
	w := newWorld(t)
	anna := w.signIn("anna")
	hide := func(person parley.PersonID) {
		if err := w.gate.SetPreferences(t.Context(), w.actor("dora"), person, privacy.Preferences{}); err != nil {
			t.Fatal(err)
		}
	}
	photo := "/api/people/" + w.ids["dora"].String() + "/photo"
	anna.get(anna.call("GET", photo, nil), http.StatusOK, nil) // else the test shows nothing
	hide(w.ids["dora"])
	paths := []string{
		"/api/people/p999", "/api/people/x", "/api/people/nobody@example.org", "/api/people/p999/photo",
		"/api/people/" + w.ids["ben"].String() + "/photo", // has none
		photo, // withheld
		photo + "?size=large",
	}
	var first *http.Response
	var text string
	for _, path := range paths {
		response := anna.call("GET", path, nil)
		body := string(anna.text(response))
		response.Header.Del("Date")
		if first == nil {
			first, text = response, body
		}
		if response.StatusCode != http.StatusNotFound || body != text || !equalHeaders(response.Header, first.Header) {
			t.Errorf("%s: %d %v %s\nwant %d %v %s", path, response.StatusCode, response.Header, body, first.StatusCode, first.Header, text)
		}
	}
}

func equalHeaders(a, b http.Header) bool {
	if len(a) != len(b) {
		return false
	}
	for name, values := range a {
		if !slices.Equal(values, b[name]) {
			return false
		}
	}
	return true
}

func TestPhoto(t *testing.T) {
	w := newWorld(t)
	anna := w.signIn("anna")
	path := "/api/people/dora@example.org/photo"
	var row PeopleFound
	anna.get(anna.call("GET", "/api/people?q=dahl", nil), http.StatusOK, &row)
	if len(row.People) != 1 || row.People[0].Photo != "0000000000000abc" {
		t.Fatalf("found %+v, want Dora with her picture's version", row.People)
	}
	response := anna.call("GET", path, nil)
	tag := response.Header.Get("ETag")
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "image/jpeg" || tag == "" || response.Header.Get("Cache-Control") != "private, no-cache" {
		t.Fatalf("status %d, headers %v", response.StatusCode, response.Header)
	}
	if text := string(anna.text(response)); text != "small picture" {
		t.Errorf("the picture is %q", text)
	}
	large := anna.call("GET", path+"?size=large", nil)
	if text := string(anna.text(large)); text != "large picture" || large.Header.Get("ETag") == tag {
		t.Errorf("the large picture is %q with the tag %s", text, large.Header.Get("ETag"))
	}
	again := anna.call("GET", path, nil, "If-None-Match", tag)
	if text := anna.text(again); again.StatusCode != http.StatusNotModified || len(text) > 0 {
		t.Errorf("with its tag: status %d, %q", again.StatusCode, text)
	}
	if err := w.gate.SetPreferences(t.Context(), w.actor("dora"), w.ids["dora"], privacy.Preferences{}); err != nil {
		t.Fatal(err)
	}
	anna.refused(anna.call("GET", path, nil, "If-None-Match", tag), http.StatusNotFound, "not-found", "not-found")
}

func TestStateAndNote(t *testing.T) {
	w := newWorld(t)
	anna, ben := w.signIn("anna"), w.signIn("ben")
	anna.online()
	socket := ben.online()
	socket.send(WatchFrame{Type: "watch", People: []string{w.ids["anna"].String()}})
	if e := socket.expect("presence"); availability(e) != int(parley.Available) {
		t.Errorf("Ben sees Anna %v, want Available", e)
	}
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	var own Presence
	anna.get(anna.call("PUT", "/api/me/presence", SetPresenceRequest{State: "do-not-disturb", Until: until.Format(time.RFC3339)}), http.StatusOK, &own)
	if own.Availability != int(parley.DoNotDisturb) || own.Source != "manual" || own.Until != stamp(until) {
		t.Errorf("Anna sees herself as %+v", own)
	}
	if e := socket.expect("presence"); availability(e) != int(parley.DoNotDisturb) {
		t.Errorf("Ben sees Anna %v, want Do Not Disturb", e)
	}
	anna.get(anna.call("PUT", "/api/me/note", SetNoteRequest{Note: "in the cellar"}), http.StatusOK, &own)
	if own.Note != "in the cellar" {
		t.Errorf("Anna's note is %q", own.Note)
	}
	if e := socket.expect("presence"); presenceField(e, "note") != "in the cellar" {
		t.Errorf("Ben sees the note %v", e)
	}
	anna.get(anna.call("PUT", "/api/me/presence", SetPresenceRequest{State: "reset"}), http.StatusOK, &own)
	if own.Availability != int(parley.Available) {
		t.Errorf("after the reset Anna sees herself as %+v", own)
	}
	p := anna.refused(anna.call("PUT", "/api/me/presence", `{"state":"asleep"}`), http.StatusUnprocessableEntity, "invalid", "invalid")
	if p.Field != "state" {
		t.Errorf("the refusal names the field %q", p.Field)
	}
}

func availability(e event) int {
	n, _ := presenceField(e, "availability").(float64)
	return int(n)
}

func presenceField(e event, name string) any {
	p, _ := e["presence"].(map[string]any)
	return p[name]
}

// TestPanicIsOneFailedRequest: the next request works.
func TestPanicIsOneFailedRequest(t *testing.T) {
	w := newWorld(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/fault", func(http.ResponseWriter, *http.Request) { panic("a fault with a secret") })
	inner := w.server.api
	w.server.api = mux
	recorder := httptest.NewRecorder()
	w.server.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/api/fault", nil))
	if recorder.Code != http.StatusInternalServerError || w.server.Stats().Panics != 1 {
		t.Errorf("status %d, %d panics counted", recorder.Code, w.server.Stats().Panics)
	}
	w.server.api = inner
	recorder = httptest.NewRecorder()
	w.server.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/api/about", nil))
	if recorder.Code != http.StatusOK {
		t.Errorf("the next request: status %d", recorder.Code)
	}
}
