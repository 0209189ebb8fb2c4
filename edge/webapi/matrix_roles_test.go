package webapi

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/contact"
	"parley/privacy"
)

// role is one way to stand to the person that the matrix is about, the subject,
// whose Privacy Mode is on.
type role struct {
	name    string
	kind    parley.ActorKind
	level   privacy.Level // that the subject gave
	listed  bool          // in the subject's Contacts list; else Privacy Mode shuts them out, unless they are blocked
	actsFor string        // the role of the person whose rights count, where it is not the asker
	nowhere string        // why it comes in by no edge
}

// roles are the columns of the matrix. Every kind of actor and every level has
// one; TestAccessMatrixIsComplete says so.
//
// Those that are no people on a signed-in device have no way in yet. They are
// here all the same: their requests carry the session of somebody's device, and
// an actor of their kind in it, so what refuses them is the kind alone.
//
// A delegate is somebody at level Workgroup and nothing more: the gate knows no
// scopes. When it does, the roles delegate.* get a scope each, made as the
// subject makes it, and the cells of calls and meetings tell them apart; until
// then all four have what workgroup has. What an expired delegate has is what the
// default level has, and stays so.
var roles = []role{
	{name: "anonymous", kind: parley.Nobody},
	{name: "self", kind: parley.ActorPerson},
	{name: "blocked", kind: parley.ActorPerson, level: privacy.Blocked},
	{name: "stranger", kind: parley.ActorPerson},
	{name: "external", kind: parley.ActorPerson, level: privacy.External, listed: true},
	{name: "colleague", kind: parley.ActorPerson, level: privacy.Colleagues, listed: true},
	{name: "workgroup", kind: parley.ActorPerson, level: privacy.Workgroup, listed: true},
	{name: "friend", kind: parley.ActorPerson, level: privacy.Friends, listed: true},
	{name: "delegate.make", kind: parley.ActorPerson, level: privacy.Workgroup, listed: true},
	{name: "delegate.receive", kind: parley.ActorPerson, level: privacy.Workgroup, listed: true},
	{name: "delegate.schedule", kind: parley.ActorPerson, level: privacy.Workgroup, listed: true},
	{name: "delegate.join", kind: parley.ActorPerson, level: privacy.Workgroup, listed: true},
	{name: "delegate.expired", kind: parley.ActorPerson, level: privacy.Colleagues, listed: true},
	{name: "remote", kind: parley.ActorRemote, level: privacy.External, listed: true},
	{name: "guest", kind: parley.ActorGuest},
	{name: "program", kind: parley.ActorProgram, actsFor: "friend"},
	{name: "administrator", kind: parley.ActorAdmin, actsFor: "colleague"},
	{name: "system", kind: parley.ActorSystem, nowhere: "the server acting on its own: no request carries it"},
}

// groups of roles that the rows name together.
var roleGroups = map[string]string{
	"delegates":  "delegate.make delegate.receive delegate.schedule delegate.join",
	"devices":    "self blocked stranger external colleague workgroup friend delegates delegate.expired", // people on a signed-in device
	"others":     "blocked stranger external colleague workgroup friend delegates delegate.expired",      // of those, all but the subject
	"deviceless": "anonymous remote guest program administrator",
	"everybody":  "devices deviceless",
}

// rolesOf gives the names that a list of roles and groups stands for.
func rolesOf(list string) []string {
	var names []string
	for word := range strings.FieldsSeq(list) {
		if group, ok := roleGroups[word]; ok {
			names = append(names, rolesOf(group)...)
		} else {
			names = append(names, word)
		}
	}
	return names
}

func roleOf(name string) (role, bool) {
	i := slices.IndexFunc(roles, func(r role) bool { return r.name == name })
	if i < 0 {
		return role{}, false
	}
	return roles[i], true
}

// onTheWire are the roles that make requests.
func onTheWire() []role {
	return slices.DeleteFunc(slices.Clone(roles), func(r role) bool { return r.nowhere != "" })
}

// The people around the subject who have no role.
const (
	subjectName   = "sofia"
	managerName   = "max"
	reportName    = "rita"
	bystanderName = "ben"
	invitedName   = "ivo"
)

// remotePerson stands for somebody of a federated organisation: an id that the
// directory does not have.
const remotePerson parley.PersonID = 9001

// matrixWorld is a server with a subject about whom everything is known, and
// somebody in every role.
type matrixWorld struct {
	*world
	subject *client
	socket  *dialed // the subject's phone, in use
	clients map[string]*client
}

func (r role) person() string {
	switch {
	case r.name == "self":
		return subjectName
	case r.kind == parley.ActorPerson:
		return strings.ReplaceAll(r.name, ".", "-")
	default:
		return ""
	}
}

// newMatrixWorld starts the server and signs everybody in.
func newMatrixWorld(t *testing.T) *matrixWorld {
	t.Helper()
	w := newQuietMatrixWorld(t)
	w.standApart()
	w.signEverybodyIn()
	return w
}

// newQuietMatrixWorld has the people of the matrix, of whom nobody has ever
// signed in or decided anything.
func newQuietMatrixWorld(t *testing.T) *matrixWorld {
	t.Helper()
	w := &matrixWorld{clients: map[string]*client{}}
	w.world = newWorld(t, func(c *Config, _ *pace) {
		c.URL, c.Region = "https://parley.example.org", "DE"
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} // so that each request has a network of its own
		c.Limits.FrameBurst = 1 << 20
		c.About.Features = []string{"feature"}
		c.AddressBooks = oneBook{}
		c.About.Operator = &Operator{Name: "Host", Contact: "mailto:privacy@host.example", PrivacyURL: "https://host.example/privacy"}
		c.About.PasswordURL = "https://password.example/"
	})
	ctx := t.Context()
	w.addPerson(ctx, plainPerson(managerName), nil)
	subject := parley.Person{
		SourceID: "source-" + subjectName, Address: subjectName + "@example.org", DisplayName: "Sofia Sandoval", GivenName: "Sofia", Surname: "Sandoval",
		Alias: "ssandov", Mail: "sofia.sandoval@example.org", OtherMail: []string{"sosa@example.org"}, Title: "Surveyor", Department: "Yard",
		Company: "Example Ltd", Office: "B 2.14", Manager: w.ids[managerName], WorkPhone: "+49 30 5550001", Mobile: "+49 170 5550002",
		HomePhone: "+49 331 5550003", OtherPhones: []string{"+49 331 5550004"}, Region: "DE", Photo: testPhoto.Version,
	}
	w.addPerson(ctx, subject, testPhoto)
	report := plainPerson(reportName)
	report.Manager = w.ids[subjectName]
	w.addPerson(ctx, report, nil)
	w.addPerson(ctx, plainPerson(invitedName), nil)
	for _, r := range roles {
		if name := r.person(); name != "" && r.name != "self" {
			w.addPerson(ctx, plainPerson(name), nil)
		}
	}
	w.addGroups(ctx)
	return w
}

// addGroups makes a group that holds the subject and another one, and a group that
// only serves a rule.
func (w *matrixWorld) addGroups(ctx context.Context) {
	w.Helper()
	subject := []parley.PersonID{w.ids[subjectName]}
	if _, err := w.book.ApplyGroups(ctx, []contact.GroupChange{
		{SourceID: "group-crew", Name: "Crew", Mail: "crew@example.org", Description: "Everybody outdoors", Listed: true, People: subject, GroupSources: []string{"group-masons"}},
		{SourceID: "group-masons", Name: "Masons", Mail: "masons@example.org", Description: "Stone", Listed: true},
		{SourceID: "group-rule", Name: "Rule holders", Mail: "rule@example.org", People: subject},
	}, parley.Alongside{}); err != nil {
		w.Fatal(err)
	}
}

// groupID is the id of a group of the directory on the wire.
func (w *matrixWorld) groupID(source string) string {
	w.Helper()
	g, ok := w.book.GroupBySource(source)
	if !ok {
		w.Fatalf("there is no group %s", source)
	}
	return g.ID.String()
}

func plainPerson(name string) parley.Person {
	given := strings.ToUpper(name[:1]) + name[1:]
	return parley.Person{
		SourceID: "source-" + name, Address: name + "@example.org", DisplayName: given + " Person", GivenName: given, Surname: "Person",
		Mail: name + "@example.org", Title: "Mason", Department: "Yard", Company: "Example Ltd",
	}
}

// standApart makes the subject decide about everybody.
func (w *matrixWorld) standApart() {
	w.Helper()
	for _, r := range roles {
		if r.level == privacy.Colleagues && !r.listed {
			continue // the subject never decided anything about them
		}
		other := remotePerson
		if r.kind == parley.ActorPerson {
			other = w.ids[r.person()]
		}
		if r.name == "delegate.expired" { // what was given for the time is taken back
			w.relate(privacy.Relation{Other: other, Level: privacy.Workgroup, InContacts: r.listed})
		}
		w.relate(privacy.Relation{Other: other, Level: r.level, InContacts: r.listed})
	}
	desk := w.actor(subjectName)
	desk.Device, desk.Class = 1, parley.Desktop
	if err := w.book.SetPhones(w.Context(), desk, []parley.TypedPhone{
		{Kind: parley.PhoneWork, Number: "+49 30 5550005"}, {Kind: parley.PhoneMobile, Number: "+49 170 5550006"},
		{Kind: parley.PhoneHome, Number: "+49 331 5550007"}, {Kind: parley.PhoneOther, Number: "+49 331 5550008"},
	}); err != nil {
		w.Fatal(err)
	}
	preferences := privacy.Preferences{SharePhoto: true, ShareTimeZone: true, ShowPhotos: true, OnlyContacts: true}
	if err := w.gate.SetPreferences(w.Context(), w.actor(subjectName), w.ids[subjectName], preferences); err != nil {
		w.Fatal(err)
	}
}

func (w *matrixWorld) relate(r privacy.Relation) {
	w.Helper()
	r.Owner = w.ids[subjectName]
	if err := w.gate.SetRelation(w.Context(), w.actor(subjectName), r); err != nil {
		w.Fatal(err)
	}
}

// signEverybodyIn gives every role a client, and the subject a phone that is in
// use, a state and a note.
func (w *matrixWorld) signEverybodyIn() {
	w.Helper()
	w.subject = w.signIn(subjectName)
	w.socket = w.subject.online()
	until := stamp(time.Now().Add(time.Hour))
	for path, body := range map[string]any{
		"/api/me/presence": SetPresenceRequest{State: "off-work", Until: until},
		"/api/me/note":     SetNoteRequest{Note: "at the dentist", Until: until},
	} {
		w.subject.get(w.subject.call("PUT", path, body), http.StatusOK, nil)
	}
	for _, r := range onTheWire() {
		w.clients[r.name] = w.clientFor(r)
	}
}

// clientFor is a fresh client of a role.
func (w *matrixWorld) clientFor(r role) *client {
	w.Helper()
	switch {
	case r.kind == parley.Nobody:
		return &client{world: w.world}
	case r.kind == parley.ActorPerson:
		return w.signIn(r.person())
	}
	acted, ok := w.clients[r.actsFor]
	if !ok {
		acted = w.clients["colleague"]
	}
	actor := parley.Actor{Kind: r.kind}
	switch r.kind {
	case parley.ActorRemote:
		actor.Person = remotePerson
	case parley.ActorProgram, parley.ActorAdmin:
		actor.Person = w.ids[acted.name()]
	}
	return &client{world: w.world, base: w.as(actor), token: acted.token, session: acted.session}
}

// deskOf is a client of a role at a device of the class desktop; of who is no person
// on a device there is none, and the role asks as it always does.
func (w *matrixWorld) deskOf(c *client, r role) *client {
	w.Helper()
	if r.kind != parley.ActorPerson {
		return c
	}
	return w.atDesk(r.person())
}

// within is the same world for a subtest: what fails there fails it, and what is
// opened there ends with it.
func (w *matrixWorld) within(t *testing.T) *matrixWorld {
	inner := &matrixWorld{socket: w.socket, clients: map[string]*client{}}
	inner.world = &world{
		TB: t, server: w.server, web: w.web, store: w.store, gate: w.gate, board: w.board, lists: w.lists, book: w.book, log: w.log, auth: w.auth,
		logged: w.logged, ids: w.ids,
	}
	of := func(c *client) *client {
		own := *c
		own.world = inner.world
		return &own
	}
	inner.subject = of(w.subject)
	for name, c := range w.clients {
		inner.clients[name] = of(c)
	}
	return inner
}

// as serves what the server does to an actor of any kind: a request is identified
// and admitted by its token as always, and then the actor is exchanged. This is
// the only way in for actors that no edge makes yet. Where the actor has no device,
// it gets that of the token.
func (w *world) as(actor parley.Actor) string {
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		c := w.server.identify(r)
		setHeaders(rw.Header())
		if err := w.server.admit(rw, r, &c); err != nil {
			writeProblem(rw, problemOf(err))
			return
		}
		other := actor
		if other.Device == 0 && other.Kind != parley.Nobody {
			other.Device = c.session.Actor.Device
		}
		c.session.Actor = other
		w.server.api.ServeHTTP(rw, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
	}))
	w.Cleanup(s.Close)
	return s.URL
}

// fill puts what a test knows by then into the places of a request.
func (w *matrixWorld) fill(text string, c *client) string {
	w.Helper()
	for _, place := range []struct {
		name  string
		value func() string
	}{
		{"{subject}", func() string { return w.ids[subjectName].String() }},
		{"{subject.address}", func() string { return subjectName + "@example.org" }},
		{"{subject.device}", func() string { return w.subject.session.Device }},
		{"{me.device}", func() string { return cmp.Or(c.session.Device, "d1") }},
		{"{me.address}", func() string { return w.addressOf(c) }},
		{"{invitation}", func() string {
			code, _, err := w.auth.Invite(w.Context(), parley.System, w.ids[invitedName])
			if err != nil {
				w.Fatal(err)
			}
			return string(code)
		}},
		{"{installation}", newClientID},
		{"{group}", func() string { return w.groupID("group-crew") }},
		{"{rule}", func() string { return w.groupID("group-rule") }},
	} {
		if strings.Contains(text, place.name) {
			text = strings.ReplaceAll(text, place.name, place.value())
		}
	}
	return text
}

// addressOf is the sign-in address of whoever asks. Those who have none try that
// of somebody whom there is not.
func (w *matrixWorld) addressOf(c *client) string {
	if c.base != "" || c.token == "" {
		return "nobody@example.org"
	}
	return c.session.Address
}

// message is a message to somebody's conversation with the client.
func (w *matrixWorld) messageTo(from *client, to parley.PersonID, kind string) SendFrame {
	m := from.message(bystanderName, fmt.Sprintf("from %s", from.name()))
	m.Kind, m.Conversation = kind, parley.DirectStream(w.ids[from.name()], to).String()
	return m
}
