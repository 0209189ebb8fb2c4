package webapi

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/policy"
	"parley/privacy"
)

// update writes the goldens anew: go test ./edge/webapi -run TestRendering -update.
// What changes in them has to be what PRODUCT §2 says.
var update = flag.Bool("update", false, "write testdata/rendering anew")

const renderingFolder = "testdata/rendering"

// renderingChannels are the ways on which facts about a person leave the server,
// a golden file each, and the operations or events by which they do. An operation
// or event that carries a person, a card or a state and stands in none of them
// fails TestRenderingChannelsAreComplete.
var renderingChannels = map[string][]string{
	"card":   {"getCard"},
	"list":   {"getContacts"},
	"group":  {"getDirectoryGroup"},
	"search": {"searchPeople"},
	"event":  {"presence"},
	"photo":  {"getPhoto"},
	"error":  nil, // refusals, of whatever operation
	"log":    nil, // the server's own log

	// The asker's own row or state: class Self, as in card.
	"": {"getSession", "signIn", "setPresence", "setNote", "getSettings", "setPictures", "setPhones"},
}

// looker is somebody of one class of viewers.
type looker struct {
	class  privacy.Class
	actor  parley.Actor
	client *client
}

// renderingWorld has a person about whom there is everything to tell, and a
// viewer of every class. Outside viewers and nobody come in as the matrix's do.
type renderingWorld struct {
	*matrixWorld
	lookers []looker
}

// twinNames are the two classes that are no classes of the gate: people of whom
// the person never decided anything, looking before the person ever signed in.
const (
	twinInside  = "never signed in, for somebody inside"
	twinOutside = "never signed in, for somebody outside"
)

// newRenderingWorld gives what the channels show of a twin too, which has to be
// asked before anything happens.
func newRenderingWorld(t *testing.T) (*renderingWorld, map[string]map[string]any) {
	t.Helper()
	w := &renderingWorld{matrixWorld: newQuietMatrixWorld(t)}
	subject := w.ids[subjectName]
	inside, outside := w.signIn("blocked"), parley.Actor{Kind: parley.ActorRemote, Person: remotePerson}
	goldens := map[string]map[string]any{}
	w.show(goldens, twinInside, looker{actor: w.actor("blocked"), client: inside})
	w.show(goldens, twinOutside, looker{actor: outside, client: &client{world: w.world, base: w.as(outside), token: inside.token}})

	w.standApart()
	w.signEverybodyIn()
	levels := map[string]privacy.Level{}
	for _, name := range []string{"external", "colleague", "workgroup", "friend", "blocked"} {
		r, _ := roleOf(name)
		levels[name] = r.level
		w.look(privacy.ClassOf(r.level, true), w.actor(name), w.clients[name])
	}
	w.look(privacy.Self, w.actor(subjectName), w.clients["self"])
	w.look(privacy.NonContactClass(true), w.actor("stranger"), w.clients["stranger"])
	next := remotePerson
	for _, name := range []string{"external", "colleague", "workgroup", "friend", "blocked"} {
		next++
		w.relate(privacy.Relation{Other: next, Level: levels[name], InContacts: true})
		w.lookFromOutside(privacy.ClassOf(levels[name], false), parley.Actor{Kind: parley.ActorRemote, Person: next})
	}
	w.lookFromOutside(privacy.NonContactClass(false), parley.Actor{Kind: parley.ActorRemote, Person: next + 1})
	w.lookFromOutside(privacy.Nothing, parley.Actor{})
	for class := range privacy.Class(privacy.NumClasses) {
		i := slices.IndexFunc(w.lookers, func(l looker) bool { return l.class == class })
		if i < 0 {
			t.Errorf("edge/webapi/rendering_test.go: nobody of the class %s looks: make a viewer of it in newRenderingWorld, write its goldens (-update), and hold them to PRODUCT §2 in rendering_matrix_test.go", class)
			continue
		}
		if got := w.gate.Class(subject, w.lookers[i].actor); got != class {
			t.Errorf("the viewer of the class %s is of the class %s", class, got)
		}
	}
	return w, goldens
}

func (w *renderingWorld) look(class privacy.Class, actor parley.Actor, c *client) {
	w.lookers = append(w.lookers, looker{class, actor, c})
}

func (w *renderingWorld) lookFromOutside(class privacy.Class, actor parley.Actor) {
	w.look(class, actor, &client{world: w.world, base: w.as(actor), token: w.clients["colleague"].token})
}

// TestRendering compares what every class of viewers gets of one person, in every
// channel, with the goldens.
//
// claim: CC6, PR7
func TestRendering(t *testing.T) {
	w, goldens := newRenderingWorld(t)
	for _, l := range w.lookers {
		w.show(goldens, l.class.String(), l)
	}
	w.breakStore()
	log := map[string]any{}
	for _, l := range w.lookers {
		log[l.class.String()] = w.logOf(l)
	}
	goldens["log"] = log
	for channel := range renderingChannels {
		if channel != "" {
			compareGolden(t, channel, w.tidy(goldens[channel]))
		}
	}
}

// show notes what a viewer gets in every channel but the log.
func (w *renderingWorld) show(goldens map[string]map[string]any, class string, l looker) {
	w.Helper()
	w.signedInAs(&l)
	for channel, shown := range map[string]any{
		"card": w.cardFor(l), "list": w.listFor(l), "group": w.groupFor(l), "search": w.searchFor(l), "event": w.eventsFor(l), "photo": w.photoFor(l), "error": w.errorsFor(l),
	} {
		if goldens[channel] == nil {
			goldens[channel] = map[string]any{}
		}
		goldens[channel][class] = shown
	}
}

// signedInAs makes the actor that of the client's device, where it has one.
func (w *renderingWorld) signedInAs(l *looker) {
	if l.client.base == "" {
		l.actor.Device = deviceOf(w.TB, l.client)
	}
}

// asked is a status and a body, or all that a refusal says.
func (w *renderingWorld) asked(l looker, path string, headers ...string) map[string]any {
	w.Helper()
	response := l.client.call("GET", path, nil, headers...)
	text := l.client.text(response)
	shown := map[string]any{"status": response.StatusCode}
	var value any
	switch {
	case response.Header.Get("Content-Type") == problemMedia:
		shown["refusal"] = w.refusal(text)
	case json.Unmarshal(text, &value) == nil:
		shown["body"] = value
	case len(text) > 0:
		shown["body"] = fmt.Sprintf("%d bytes", len(text))
	}
	return shown
}

// refusal is a problem document in one line. It may hold nothing that the line
// does not tell.
func (w *renderingWorld) refusal(text []byte) string {
	w.Helper()
	var p Problem
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&p); err != nil || p.Type != "tag:parley,2026:"+p.Title {
		w.Errorf("a refusal that is none: %s", text)
	}
	said := fmt.Sprintf("%s, key %s, retry %s", p.Title, p.Key, p.Retry)
	if p.Field != "" {
		said += ", field " + p.Field
	}
	if p.RetryAfter > 0 {
		said += fmt.Sprintf(", after %d s", p.RetryAfter)
	}
	return said
}

func (w *renderingWorld) cardFor(l looker) any {
	return w.asked(l, "/api/people/"+w.ids[subjectName].String())
}

// listFor is the subject's row in the groups of the Contacts tab.
func (w *renderingWorld) listFor(l looker) any { return w.rowIn(w.asked(l, "/api/contacts")) }

// groupFor is the subject's row in a group of the directory.
func (w *renderingWorld) groupFor(l looker) any {
	return w.rowIn(w.asked(l, "/api/directory-groups/"+w.groupID("group-crew")))
}

// rowIn leaves of an answer with people the subject's row.
func (w *renderingWorld) rowIn(shown map[string]any) map[string]any {
	if row := findRow(shown["body"], w.ids[subjectName].String()); row != nil {
		return map[string]any{"status": shown["status"], "row": row}
	}
	if shown["status"] == http.StatusOK {
		return map[string]any{"status": shown["status"], "row": nil}
	}
	return shown
}

// findRow finds the row of a person in lists of people.
func findRow(value any, id string) any {
	switch v := value.(type) {
	case map[string]any:
		if v["id"] == id {
			return v
		}
		for _, inner := range v {
			if row := findRow(inner, id); row != nil {
				return row
			}
		}
	case []any:
		for _, inner := range v {
			if row := findRow(inner, id); row != nil {
				return row
			}
		}
	}
	return nil
}

// searchFor is the hit, and by which of the subject's own words it comes.
func (w *renderingWorld) searchFor(l looker) any {
	shown := w.rowIn(w.asked(l, "/api/people?q=sandoval"))
	by := []string{}
	for _, word := range [][2]string{
		{"given name", "sofia"}, {"address", "sofia@example.org"}, {"mail", "sofia.sandoval@example.org"}, {"other mail", "sosa@example.org"},
		{"alias", "ssandov"}, {"work phone", "305550001"}, {"mobile", "1705550002"}, {"home phone", "3315550003"}, {"other phone", "3315550004"},
		{"typed work phone", "305550005"}, {"typed mobile", "1705550006"}, {"typed home phone", "3315550007"}, {"typed other phone", "3315550008"},
		{"title", "surveyor"}, {"office", "2.14"}, {"initials", "ss"}, {"name on the pad", "7634&pad=true"},
		{"work phone on the pad", "0305550001&pad=true"}, {"mobile on the pad", "01705550002&pad=true"}, {"home phone on the pad", "03315550003&pad=true"},
		{"work phone from abroad", "01149305550001"}, {"mobile from abroad", "00491705550002"}, {"home phone from abroad", "9011493315550003"},
	} {
		if w.rowIn(w.asked(l, "/api/people?q="+word[1]))["row"] != nil {
			by = append(by, word[0])
		}
	}
	shown["found_by"] = by
	return shown
}

// eventsFor is the presence event about the subject as things are, when the
// subject does not want to be disturbed, and out of office, which no calendar
// says yet.
func (w *renderingWorld) eventsFor(l looker) any {
	w.Helper()
	subject := w.ids[subjectName]
	facts := privacy.Facts{
		Person: parley.Person{ID: subject}, Presence: w.board.Presence(subject), Preferences: w.gate.Preferences(subject),
	}
	class, rules := w.gate.Class(subject, l.actor), policy.Default()
	shown := map[string]any{"now": decoded(w.server.presenceEvent(subject, l.actor).bytes)}
	facts.Presence.Availability, facts.Presence.Token = parley.DoNotDisturb, ""
	shown["do not disturb"] = decoded(w.server.encoded.event(facts, class, rules).bytes)
	facts.Presence.Availability, facts.Presence.Token, facts.Presence.OutOfOffice = 12600, parley.TokenOutOfOffice, "back on Monday"
	shown["out of office"] = decoded(w.server.encoded.event(facts, class, rules).bytes)
	return shown
}

func (w *renderingWorld) prefer(p privacy.Preferences) {
	w.Helper()
	if err := w.gate.SetPreferences(w.Context(), w.actor(subjectName), w.ids[subjectName], p); err != nil {
		w.Fatal(err)
	}
}

func decoded(text []byte) any {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return string(text)
	}
	return value
}

// photoFor is how the picture is answered, also to who names its version, and
// when the subject does not share it.
func (w *renderingWorld) photoFor(l looker) any {
	w.Helper()
	path := "/api/people/" + w.ids[subjectName].String() + "/photo?size=large"
	response := l.client.call("GET", path, nil)
	text := l.client.text(response)
	known := w.asked(l, path, "If-None-Match", photoTag(testPhoto.Version, "large"))
	shown := map[string]any{"status": response.StatusCode, "with_its_tag": known["status"]}
	shared := w.gate.Preferences(w.ids[subjectName])
	w.prefer(privacy.Preferences{OnlyContacts: shared.OnlyContacts, ShowPhotos: true})
	shown["not_shared"] = w.asked(l, path)["status"]
	w.prefer(shared)
	for name, header := range map[string]string{"type": "Content-Type", "tag": "ETag", "cache": "Cache-Control"} {
		shown[name] = response.Header.Get(header)
	}
	if bytes.Equal(text, testPhoto.Large) {
		shown["body"] = "the large picture"
	}
	return shown
}

// errorsFor are refusals that have to do with the subject.
func (w *renderingWorld) errorsFor(l looker) any {
	subject := w.ids[subjectName].String()
	shown := map[string]any{}
	for what, path := range map[string]string{
		"a picture of no size": "/api/people/" + subject + "/photo?size=huge", "what there is not of the person": "/api/people/" + subject + "/nothing",
		"an id that is none": "/api/people/" + subject + "x", "somebody who does not exist": "/api/people/p8888",
		"too long a text": "/api/people?q=" + strings.Repeat("sofia", 50), "the person as a device": "/api/devices/" + subject,
	} {
		shown[what] = w.asked(l, path)
	}
	return shown
}

// breakStore makes reading photos and storing choices fail from now on, so that
// the log has something to tell.
func (w *renderingWorld) breakStore() {
	w.Helper()
	db, err := sql.Open("sqlite", filepath.Join(w.path, "parley.db"))
	if err != nil {
		w.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"photos", "choices"} {
		if _, err := db.Exec("ALTER TABLE " + table + " RENAME TO broken_" + table); err != nil {
			w.Fatal(err)
		}
	}
}

// logOf is what the server's log, at its most talkative, tells while a viewer
// asks for everything and the store is broken; and, of the person, a new note.
func (w *renderingWorld) logOf(l looker) any {
	w.Helper()
	w.signedInAs(&l)
	before := len(w.logged.String())
	for _, show := range []func(looker) any{w.cardFor, w.listFor, w.searchFor, w.eventsFor, w.photoFor, w.errorsFor} {
		show(l)
	}
	if l.class == privacy.Self {
		w.subject.text(w.subject.call("PUT", "/api/me/note", SetNoteRequest{Note: "at the dentist"}))
	}
	lines := slices.Collect(strings.Lines(w.logged.String()[before:]))
	for i, line := range lines {
		for _, secret := range w.words() {
			if strings.Contains(line, secret) {
				w.Errorf("the log holds %q: %s", secret, line)
			}
		}
		lines[i] = chance.ReplaceAllString(strings.TrimSpace(line), "$1=…")
	}
	slices.Sort(lines)
	return notNil(slices.Compact(lines))
}

var chance = regexp.MustCompile(`\b(time|request|device)=\S+`)

// words are what the log must not hold of the subject.
func (w *renderingWorld) words() []string {
	return []string{
		"Sofia", "Sandoval", "sofia", "ssandov", "sosa@", "Surveyor", "2.14", "5550001", "5550002", "5550003", "5550004", "dentist", "off-work",
		"Europe/Berlin", "picture", w.subject.token, w.subject.session.HistoryKey,
	}
}

// tidy replaces times, which never come twice, and the ids of people.
func (w *renderingWorld) tidy(shown map[string]any) string {
	w.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(shown); err != nil {
		w.Fatal(err)
	}
	tidied := times.ReplaceAllString(text.String(), "<time>")
	for _, name := range []string{subjectName, managerName, reportName} {
		tidied = regexp.MustCompile(`\b`+w.ids[name].String()+`\b`).ReplaceAllString(tidied, "<"+name+">")
	}
	return tidied
}

var times = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)

func compareGolden(t *testing.T, channel, got string) {
	t.Helper()
	file := filepath.Join(renderingFolder, channel+".json")
	if *update {
		if err := os.MkdirAll(renderingFolder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Errorf("%s: the channel has no golden: write it (-update), and hold it to PRODUCT §2 in rendering_matrix_test.go", err)
		return
	}
	if string(want) != got {
		t.Errorf("edge/webapi/%s: %s", file, firstDifference(string(want), got))
	}
}

// firstDifference shows where two texts part, with the lines before.
func firstDifference(want, got string) string {
	wanted, gotten := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(wanted), len(gotten)) {
		w, g := line(wanted, i), line(gotten, i)
		if w != g {
			return fmt.Sprintf("line %d, after\n%s\nwant %s\ngot  %s", i+1, strings.Join(wanted[max(0, i-8):min(i, len(wanted))], "\n"), w, g)
		}
	}
	return "no difference"
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "the end"
}
