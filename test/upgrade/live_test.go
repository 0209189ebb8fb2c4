package upgrade

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/edge/webapi"
	"parley/parleytest"
	"parley/privacy"
	"parley/server"
	"parley/store"
)

// What happens in an organisation before its databases become a fixture. Whoever
// adds something that is stored lets it happen here, too, so that the next fixture
// has it.

const password = "what a fixture knows"

// The people, by alias. Gus is disabled, hal has left, ida has an invitation, jon
// has forgotten his password, and fay has never signed in.
var aliases = strings.Fields("anna ben carla dora emil fay gus hal ida jon lena")

// displayName is how somebody is called.
func displayName(alias string) string {
	return strings.ToUpper(alias[:1]) + alias[1:] + " Ångström-" + strings.ToUpper(alias[:1])
}

func address(alias string) string { return alias + "@" + Domain }

// organisation is an export of the directory.
func organisation(people []string) string {
	var b strings.Builder
	for i, alias := range people {
		fmt.Fprintf(&b, "dn: uid=%s,ou=People,dc=upgrade,dc=example\nobjectClass: inetOrgPerson\nuid: %s\n", alias, alias)
		fmt.Fprintf(&b, "entryUUID: 20000000-0000-4000-8000-%012d\n", strings.Index("abcdefghijkl", alias[:1]))
		fmt.Fprintf(&b, "cn:: %s\n", base64.StdEncoding.EncodeToString([]byte(displayName(alias))))
		fmt.Fprintf(&b, "givenName: %s\nsn: %s\nmail: %s\n", strings.ToUpper(alias[:1])+alias[1:], "Angstrom", address(alias))
		fmt.Fprintf(&b, "title: Keeper %d\ndepartmentNumber: Archive\no: Upgrade Ltd\nphysicalDeliveryOfficeName: Room %d\n", i, i)
		fmt.Fprintf(&b, "telephoneNumber: +44 20 7946 0%03d\nmobile: +44 7700 900%03d\nhomePhone: +44 113 496 0%03d\n", i, i, i)
		if alias != "anna" {
			b.WriteString("manager: uid=anna,ou=People,dc=upgrade,dc=example\n")
		}
		if alias == "anna" || alias == "ben" {
			fmt.Fprintf(&b, "jpegPhoto:: %s\n", base64.StdEncoding.EncodeToString(picture(alias)))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// picture is a small one, another for everybody.
func picture(alias string) []byte {
	p := image.NewRGBA(image.Rect(0, 0, 128, 128))
	for x := range 128 {
		for y := range 128 {
			p.Set(x, y, color.RGBA{uint8(2 * x), uint8(2 * y), alias[0], 255})
		}
	}
	var out bytes.Buffer
	jpeg.Encode(&out, p, nil) // a buffer takes everything
	return out.Bytes()
}

// life is an organisation on its way to become a fixture.
type life struct {
	t       testing.TB
	w       *parleytest.World
	facts   *Facts
	devices map[string]*parleytest.Device
	db      *sql.DB // beside the server, to look into
}

// lena is the person who has a browser: it is driven, or she is played by a device.
type lena interface {
	signIn()            // before anything was said to her
	leave()             // with all of it read, an answer, and something that the server does not get
	lacks(texts []Said) // what is for her when she has left
}

// live has everything happen and leaves the server stopped.
func live(w *parleytest.World, db *sql.DB, play func(*life) lena) *Facts {
	l := &life{t: w.TB, w: w, db: db, devices: map[string]*parleytest.Device{}, facts: &Facts{
		Made: time.Now().UTC().Truncate(time.Millisecond), Password: password, People: map[string]string{}, Devices: map[string]Device{}, Rules: map[string]string{},
	}}
	who := play(l)
	l.rules()
	l.people()
	l.signIn()
	who.signIn()
	l.decide()
	l.talk()
	l.tellLena()
	who.leave()
	who.lacks(l.missLena())
	l.leave()
	l.work()
	l.look()
	w.Stop()
	return l.facts
}

// rules has an administrator change rules of the organisation, one of them twice and
// one for a while.
func (l *life) rules() {
	control := l.w.Control()
	defer control.Close()
	for _, set := range [][2]string{
		{"policy.privacy_mode", "true"}, {"policy.message_limit", "7d"}, {"policy.message_limit", "20d"},
		{"directory.public", "title,company,work_phone"}, {"limits.devices", "3"},
	} {
		rule, err := control.SetRule(l.t.Context(), set[0], set[1])
		if err != nil {
			l.t.Fatalf("setting %s: %v", set[0], err)
		}
		l.facts.Rules[set[0]] = rule.Value
	}
	rule, err := control.ResetRule(l.t.Context(), "limits.devices")
	if err != nil {
		l.t.Fatal(err)
	}
	l.facts.Rules["limits.devices"] = rule.Value
	changes, err := control.RuleHistory(l.t.Context(), "")
	if err != nil {
		l.t.Fatal(err)
	}
	l.facts.Changes = len(changes)
}

func (l *life) people() {
	l.w.Import(organisation(aliases), server.ImportOptions{})
	l.facts.Invited = Invited{address("ida"), l.w.Invite(address("ida"))}
	control := l.w.Control()
	defer control.Close()
	for _, alias := range aliases {
		if alias == "ida" {
			continue
		}
		if err := control.SetPassword(l.t.Context(), address(alias), password); err != nil {
			l.t.Fatal(err)
		}
	}
	if err := control.Disable(l.t.Context(), address("gus")); err != nil {
		l.t.Fatal(err)
	}
	l.w.Ask("POST", "/api/password/forgotten", webapi.ForgottenRequest{Address: address("jon")})
}

// signIn signs in the devices that will be switched off.
func (l *life) signIn() {
	for _, name := range strings.Fields("anna-phone anna-desk ben-phone carla-phone dora-phone emil-phone") {
		alias, kind, _ := strings.Cut(name, "-")
		d, err := l.w.SignIn(alias, func(r *webapi.SignInRequest) {
			*r = parleytest.SignInAs(address(alias), password)
			r.DeviceName = name
			if kind == "desk" {
				r.DeviceClass = parley.Desktop.String()
			}
		})
		if err != nil {
			l.t.Fatalf("signing in %s: %v", name, err)
		}
		d.Connect()
		l.devices[name] = d.Online()
	}
	var found webapi.PeopleFound
	for _, alias := range aliases {
		if err := l.devices["anna-desk"].Call("GET", "/api/people?q="+alias, nil, &found); err != nil {
			l.t.Fatal(err)
		}
		for _, p := range found.People {
			if p.Address == address(alias) {
				l.facts.People[alias] = p.ID
			}
		}
	}
}

// contacts are those whom decide makes somebody's, by name.
var contacts = map[string]string{"anna": "ben carla fay", "ben": "anna"}

// decide has people decide about each other, and about themselves. The screens for
// it come later.
func (l *life) decide() {
	everybodyButHal := strings.Fields(strings.Replace(strings.Join(aliases, " "), "hal ", "", 1))
	l.w.Import(organisation(everybodyButHal), server.ImportOptions{Complete: true})
	id := func(alias string) parley.PersonID {
		p, err := parley.ParsePersonID(l.facts.People[alias])
		if err != nil {
			l.t.Fatalf("%s: %v", alias, err)
		}
		return p
	}
	relations := []privacy.Relation{
		{Owner: id("anna"), Other: id("ben"), Level: privacy.Friends, InContacts: true},
		{Owner: id("anna"), Other: id("carla"), Level: privacy.Workgroup, InContacts: true},
		{Owner: id("anna"), Other: id("dora"), Level: privacy.External},
		{Owner: id("anna"), Other: id("emil"), Level: privacy.Blocked},
		{Owner: id("anna"), Other: id("fay"), Level: privacy.Colleagues, InContacts: true},
		{Owner: id("ben"), Other: id("anna"), Level: privacy.Workgroup, InContacts: true},
	}
	preferences := map[string]privacy.Preferences{
		"ben":   {ShareTimeZone: true},
		"carla": {SharePhoto: true, OnlyContacts: true},
	}
	l.w.WhileStopped(func(s *store.Store) error {
		for _, r := range relations {
			if err := s.SetRelation(l.t.Context(), r, parley.Alongside{}); err != nil {
				return err
			}
		}
		for alias, p := range preferences {
			if err := s.SetPreferences(l.t.Context(), id(alias), p, parley.Alongside{}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, d := range l.devices {
		d.Online()
	}
	l.devices["anna-desk"].SetState("do-not-disturb")
	l.devices["anna-desk"].SetNote("in the stacks – not to be disturbed")
	l.devices["ben-phone"].SetNote("back at four")
	l.devices["dora-phone"].SetState("appear-away")
}

// say has a device say something, and waits until it and the other devices have it.
func (l *life) say(from, to, text string, hear ...string) (clientID string) {
	sender := l.devices[from]
	clientID = sender.Queue(l.conversation(sender.ID(), to), text)
	sender.Accepted(clientID)
	for _, name := range hear {
		l.devices[name].Hears(sender, text)
	}
	return clientID
}

func (l *life) conversation(id, alias string) string {
	return parleytest.Conversation(id, l.facts.People[alias])
}

// talk is what everybody has, and the marks of it.
func (l *life) talk() {
	phone, desk, ben := l.devices["anna-phone"], l.devices["anna-desk"], l.devices["ben-phone"]
	for i := range 3 {
		l.say("ben-phone", "anna", fmt.Sprintf("ben to anna %d", i), "anna-phone", "anna-desk")
	}
	with := phone.With(ben)
	read := phone.History()[len(phone.History())-1].ID
	phone.Read(with, read)
	desk.ReadUpTo(with, read)
	ben.DeliveredUpTo(with, read)
	l.say("anna-desk", "ben", "anna to ben", "ben-phone", "anna-phone")
	l.say("dora-phone", "carla", "dora to carla", "carla-phone")
	l.say("carla-phone", "dora", "carla to dora", "dora-phone")
	l.say("emil-phone", "anna", "anna blocks emil and gets nothing of this")
	l.purged()
}

// purged waits until the server has forgotten what everybody has.
func (l *life) purged() {
	deadline := time.Now().Add(20 * time.Second)
	for streams := 0; streams < 2; {
		if err := l.db.QueryRowContext(l.t.Context(), `SELECT count(*) FROM streams WHERE delivered > 0`).Scan(&streams); err != nil {
			l.t.Fatalf("looking for what was purged: %v", err)
		}
		if time.Now().After(deadline) {
			l.t.Fatal("nothing is purged")
		}
		<-time.After(50 * time.Millisecond)
	}
}

// leave switches the devices off, one after the other, while others go on.
func (l *life) leave() {
	l.off("anna-phone")
	for i := range 3 {
		l.miss("anna-phone", "ben-phone", "anna", fmt.Sprintf("while the phone was off %d", i), "anna-desk")
	}
	l.miss("anna-phone", "anna-desk", "ben", "from the desk", "ben-phone")
	l.off("carla-phone")
	l.miss("carla-phone", "dora-phone", "carla", "carla will see")
	for i := range 2 {
		text := fmt.Sprintf("welcome, fay %d", i)
		l.say("ben-phone", "fay", text)
		l.facts.Waiting = append(l.facts.Waiting, l.said("ben-phone", "fay", text))
	}
	l.unconfirmed()
	for _, name := range []string{"anna-desk", "dora-phone", "emil-phone"} {
		l.off(name)
	}
}

// miss has something said while a device is off.
func (l *life) miss(off, from, to, text string, hear ...string) {
	l.say(from, to, text, hear...)
	kept := l.facts.Devices[off]
	kept.Lacks = append(kept.Lacks, l.said(from, to, text))
	l.facts.Devices[off] = kept
}

func (l *life) said(from, to, text string) Said {
	id := l.devices[from].ID()
	return Said{l.conversation(id, to), id, text}
}

const (
	unconfirmed = "sent, and nobody told the phone"
	unsent      = "never sent"
)

// unconfirmed leaves ben's phone as if it had been switched off between sending a
// message and the answer, with another one behind it.
func (l *life) unconfirmed() {
	ben := l.devices["ben-phone"]
	kept := l.kept("ben-phone")
	ben.Forgetful()
	id := l.say("ben-phone", "dora", unconfirmed, "dora-phone")
	with := l.conversation(ben.ID(), "dora")
	kept.Queue = []parleytest.Message{
		{Conversation: with, From: ben.ID(), ClientID: id, Text: unconfirmed},
		{Conversation: with, From: ben.ID(), ClientID: id[1:] + id[:1], Text: unsent},
	}
	l.facts.Devices["ben-phone"] = Device{Kept: kept, Lacks: []Said{l.said("ben-phone", "dora", unconfirmed)}}
	ben.Close()
}

// kept is what a device has when it has told the server of everything it has.
func (l *life) kept(name string) parleytest.Kept {
	d := l.devices[name]
	d.QueueEmpty()
	d.Pings()
	return d.Keep()
}

func (l *life) off(name string) {
	l.facts.Devices[name] = Device{Kept: l.kept(name)}
	l.devices[name].Close()
}

// benSays is how much ben says to lena: more than one page of a device's history.
const benSays = 150

// tellLena says what lena has when she leaves.
func (l *life) tellLena() {
	with := l.conversation(l.devices["ben-phone"].ID(), "lena")
	var last string
	for i := range benSays {
		last = l.devices["ben-phone"].Queue(with, benToLena(i))
	}
	l.devices["ben-phone"].Accepted(last)
	l.say("dora-phone", "lena", "dora to lena")
}

func benToLena(i int) string { return fmt.Sprintf("ben to lena %d", i) }

// missLena says what she does not have any more.
func (l *life) missLena() (lacks []Said) {
	for i := range 3 {
		text := fmt.Sprintf("ben to lena, who is away %d", i)
		l.say("ben-phone", "lena", text)
		lacks = append(lacks, l.said("ben-phone", "lena", text))
	}
	return lacks
}

// work leaves jobs behind that no version knows, and notes where the trail ends.
func (l *life) work() {
	const waits, failed = parley.JobKind("upgrade.waits"), parley.JobKind("upgrade.failed")
	l.w.WhileStopped(func(s *store.Store) error {
		ctx, now := l.t.Context(), time.Now()
		err := s.AddJobs(ctx,
			parley.Job{Kind: waits, Name: "once", Due: now.Add(time.Hour), Payload: []byte(`{"a":1}`)},
			parley.Job{Kind: failed, Due: now, Payload: []byte{0, 255}})
		if err != nil {
			return err
		}
		leased, err := s.LeaseJobs(ctx, []parley.JobKind{failed}, time.Minute, 1)
		if err != nil || len(leased) != 1 {
			return fmt.Errorf("leased %v: %w", leased, err)
		}
		return s.FailJob(ctx, leased[0], now, "it was not to be", parley.Alongside{})
	})
	control := l.w.Control()
	defer control.Close()
	jobs, err := control.Jobs(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	for _, j := range jobs {
		if strings.HasPrefix(j.Kind, "upgrade.") {
			l.facts.Jobs = append(l.facts.Jobs, j)
		}
	}
	verified, err := control.VerifyAudit(l.t.Context())
	if err != nil || verified.Broken != 0 || verified.Mark == "" {
		l.t.Fatalf("the trail is %+v, %v", verified, err)
	}
	l.facts.Audit = verified.Mark
}

// look notes what each person's device is answered.
func (l *life) look() {
	viewers := strings.Fields("anna-phone ben-phone carla-phone dora-phone emil-phone")
	paths := strings.Fields("/api/session /api/contacts /api/devices /api/marks?after= /api/people?q=angstrom")
	for _, alias := range strings.Fields("anna ben carla gus hal") {
		paths = append(paths, "/api/people/"+l.facts.People[alias])
	}
	for _, photo := range []string{"anna small", "anna large", "ben small"} { // ben shares his with nobody
		alias, size, _ := strings.Cut(photo, " ")
		paths = append(paths, "/api/people/"+l.facts.People[alias]+"/photo?size="+size)
	}
	for _, viewer := range viewers {
		for _, path := range paths {
			l.facts.Views = append(l.facts.Views, View{viewer, path, answer(l.t, l.w.Base, l.facts.Devices[viewer], path)})
		}
	}
}

// answer is what the server answers to a device, without times; a picture as the
// hash of its bytes.
func answer(t testing.TB, base string, d Device, path string) any {
	t.Helper()
	a := parleytest.Ask(t, base, "GET", path, nil, "Authorization", "Bearer "+d.Session.Token)
	if a.Header.Get("Content-Type") == "image/jpeg" {
		return map[string]any{"picture": fmt.Sprintf("%x", sha256.Sum256(a.Body))}
	}
	var v any
	if err := json.Unmarshal(a.Body, &v); err != nil {
		t.Fatalf("%s: %d %s", path, a.Status, a.Body)
	}
	return timeless(v)
}
