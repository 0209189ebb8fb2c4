package webapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley"
	"parley/privacy"
)

const (
	canaryPeople = 8
	canaryRounds = 40
)

// canary is a text that stands in one place of one person's data: "note.ann".
var canary = regexp.MustCompile(`canary-([a-z]+)-([a-z]+)(?:-([a-z]+))?-`)

// canaryPerson is one person of the test at two devices, with every frame that
// came to either.
type canaryPerson struct {
	name    string
	devices []*client
	sockets []*dialed

	mu     sync.Mutex
	frames [][]byte
}

func (p *canaryPerson) tap(frame []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frames = append(p.frames, bytes.Clone(frame))
}

// TestFramesHoldNobodyElsesData has people do everything at once who all have
// their own words in every place, and looks through every frame that came to any
// socket: notes only where the level shows them, messages only at the two who
// talk, and what the socket never carries nowhere.
//
// claim: CC6, PR7
func TestFramesHoldNobodyElsesData(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *pace) { c.Limits.FrameBurst = 1 << 20 })
	chance := rand.New(rand.NewPCG(1, 2))
	people := w.canaryPeople()
	levels := map[[2]string]privacy.Level{} // by owner and other
	for _, owner := range people {
		for _, other := range people {
			if owner == other {
				continue
			}
			levels[[2]string{owner.name, other.name}] = privacy.Level(chance.IntN(5))
			relation := privacy.Relation{Owner: w.ids[owner.name], Other: w.ids[other.name], Level: levels[[2]string{owner.name, other.name}]}
			if err := w.gate.SetRelation(t.Context(), w.actor(owner.name), relation); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.connectAll(people)
	var all sync.WaitGroup
	for i, p := range people {
		all.Go(func() { p.act(people, rand.New(rand.NewPCG(3, uint64(i)))) })
	}
	all.Wait()
	found := map[string]int{}
	var secrets []string
	for _, p := range people {
		for _, device := range p.devices {
			secrets = append(secrets, device.token, device.session.HistoryKey)
		}
	}
	for _, p := range people {
		for _, socket := range p.sockets {
			socket.settle()
		}
		p.mu.Lock()
		for _, frame := range p.frames {
			if slices.ContainsFunc(secrets, func(s string) bool { return bytes.Contains(frame, []byte(s)) }) {
				t.Errorf("a frame of %s holds a token or a history key", p.name)
			}
			for _, text := range canariesIn(t, frame) {
				found[text[1]]++
				if !mayHear(p.name, text[1:], levels) {
					t.Errorf("a frame of %s holds %s: %.300s", p.name, text[0], frame)
				}
			}
		}
		p.mu.Unlock()
	}
	if found["note"] == 0 || found["message"] == 0 || found["id"] == 0 {
		t.Errorf("found %v: the test shows nothing", found)
	}
}

// mayHear says whether somebody may have a canary on a socket: what and whose it
// is, and to whom it goes.
func mayHear(viewer string, of []string, levels map[[2]string]privacy.Level) bool {
	what, whose, to := of[0], of[1], of[2]
	level := levels[[2]string{whose, viewer}]
	switch what {
	case "note":
		return viewer == whose || level == privacy.Colleagues || level == privacy.Workgroup || level == privacy.Friends
	case "message", "id":
		return viewer == whose || viewer == to && levels[[2]string{to, whose}] != privacy.Blocked
	default: // of the directory, of sessions, of devices: never in a frame
		return false
	}
}

// canariesIn finds the canaries of a frame, in the bodies of messages too.
func canariesIn(t *testing.T, frame []byte) [][]string {
	t.Helper()
	var list []event
	if err := json.Unmarshal(frame, &list); err != nil {
		t.Fatalf("%s: %v", frame, err)
	}
	found := canary.FindAllStringSubmatch(string(frame), -1)
	for _, e := range list {
		body, err := base64.StdEncoding.DecodeString(e.text("body"))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, canary.FindAllStringSubmatch(string(body), -1)...)
	}
	return found
}

// canaryPeople makes people with their own words wherever the directory has any.
func (w *world) canaryPeople() []*canaryPerson {
	w.Helper()
	var people []*canaryPerson
	for i := range canaryPeople {
		name := "abcdefghijklm"[i:i+1] + "nn" // ann, bnn, …
		own := func(what string) string { return fmt.Sprintf("canary-%s-%s-", what, name) }
		w.addPerson(w.Context(), parley.Person{
			SourceID: own("source"), Address: name + "@example.org", DisplayName: own("display"), GivenName: own("given"), Surname: own("surname"),
			Alias: own("alias"), Mail: own("mail") + "@example.org", Title: own("title"), Department: own("department"), Company: own("company"),
			Office: own("office"), WorkPhone: own("work"), Mobile: own("mobile"), HomePhone: own("home"),
		}, nil)
		people = append(people, &canaryPerson{name: name})
	}
	return people
}

func (w *world) connectAll(people []*canaryPerson) {
	w.Helper()
	var everybody []string
	for _, p := range people {
		everybody = append(everybody, w.ids[p.name].String())
	}
	for _, p := range people {
		for range 2 {
			device := w.signIn(p.name)
			device.tap = p.tap
			socket := device.online()
			socket.send(WatchFrame{Type: "watch", People: everybody})
			p.devices, p.sockets = append(p.devices, device), append(p.sockets, socket)
		}
	}
}

// act does what people do: states, notes, messages, typing, reading.
func (p *canaryPerson) act(people []*canaryPerson, chance *rand.Rand) {
	device := p.devices[0]
	for round := range canaryRounds {
		other := people[chance.IntN(len(people))]
		if other == p {
			continue
		}
		here := p.sockets[chance.IntN(len(p.sockets))]
		m := device.message(other.name, fmt.Sprintf("canary-message-%s-%s-%d", p.name, other.name, round))
		m.ClientID = (fmt.Sprintf("canary-id-%s-%s-%d-", p.name, other.name, round) + strings.Repeat("x", 22))[:22]
		here.send(TypingFrame{Type: "typing", Conversation: m.Conversation, On: true})
		here.send(m)
		for _, e := range here.settle() {
			if e.text("type") == "entry" {
				here.send(ReadFrame{Type: "read", Conversation: e.text("conversation"), ID: e.text("cursor")})
				here.send(AckFrame{Type: "ack", Cursor: e.text("cursor")})
			}
		}
		note := SetNoteRequest{Note: fmt.Sprintf("canary-note-%s-%d", p.name, round)}
		device.get(device.call("PUT", "/api/me/note", note), http.StatusOK, nil)
		state := SetPresenceRequest{State: []string{"available", "busy", "do-not-disturb", "reset"}[chance.IntN(4)]}
		device.get(device.call("PUT", "/api/me/presence", state), http.StatusOK, nil)
	}
}

// TestCanariesAreFound shows that the search above finds what it looks for.
func TestCanariesAreFound(t *testing.T) {
	body := base64.StdEncoding.EncodeToString([]byte("canary-message-ann-bnn-7"))
	frame := []byte(`[{"type":"presence","presence":{"note":"canary-note-cnn-1"}},{"type":"entry","client_id":"canary-id-ann-bnn-7-xx","body":"` + body + `"}]`)
	var got []string
	for _, text := range canariesIn(t, frame) {
		got = append(got, strings.Join(text[1:], " "))
	}
	slices.Sort(got)
	if want := []string{"id ann bnn", "message ann bnn", "note cnn "}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	levels := map[[2]string]privacy.Level{{"ann", "bnn"}: privacy.External, {"bnn", "ann"}: privacy.Blocked}
	for _, test := range []struct {
		viewer, what, whose, to string
		want                    bool
	}{
		{"ann", "note", "ann", "", true}, {"bnn", "note", "ann", "", false}, {"ann", "note", "bnn", "", false},
		{"ann", "message", "ann", "bnn", true}, {"bnn", "message", "ann", "bnn", false}, {"cnn", "message", "ann", "bnn", false},
		{"ann", "message", "bnn", "ann", true}, {"ann", "mobile", "ann", "", false},
	} {
		if got := mayHear(test.viewer, []string{test.what, test.whose, test.to}, levels); got != test.want {
			t.Errorf("may %s hear the %s of %s to %q: %v", test.viewer, test.what, test.whose, test.to, got)
		}
	}
}
