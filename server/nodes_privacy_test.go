package server_test

import (
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley"
	"parley/edge/webapi"
	"parley/parleytest"
	"parley/privacy"
	"parley/server"
)

// nodes starts two nodes, whose devices take turns; it passes a test over that runs
// in the other setting.
func nodes(t *testing.T, change ...func(*server.Config)) *parleytest.World {
	t.Helper()
	if !parleytest.TwoNodes() {
		t.Skip("is about several nodes")
	}
	return parleytest.Start(t, change...)
}

// What somebody decides on one node holds for the very next message on another,
// and for presence and cards there as soon as that node has heard of it.
//
// claim: PR7, CC6
func TestPR7BlockOnAnotherNode(t *testing.T) {
	w := nodes(t)
	hanna, other, amara := w.As("hanna"), w.As("hanna"), w.As("amara")
	blank := hanna.Search("kwame").People[0].ID
	before := seen(t, hanna, blank)
	kwame := w.As("kwame")
	kwame.SetNote("at the dentist")
	talk := hanna.With(kwame)
	for _, d := range []*parleytest.Device{hanna, other} {
		d.Watch(blank)
		d.Sees(blank, "Available", availability(3500))
	}
	w.RelateElsewhere(kwame, hanna, privacy.Blocked)
	hanna.Say(kwame, "on the one node")
	other.Queue(talk, "on the other")
	other.Hears(hanna, "on the other")
	for _, d := range []*parleytest.Device{hanna, other} {
		d.Sees(blank, "nothing", func(p webapi.Presence) bool { return p == (webapi.Presence{Availability: 18500}) })
		if got := seen(t, d, blank); got != before {
			t.Errorf("blocked, hanna gets\n%s\nunlike a person who never signed in\n%s", got, before)
		}
	}
	fence(t, kwame, amara)
	if got := kwame.Texts(talk); len(got) != 0 {
		t.Errorf("kwame got %q of somebody he blocks", got)
	}
	if got := other.Texts(talk); !slices.Equal(got, []string{"on the one node", "on the other"}) {
		t.Errorf("hanna's other device has %q", got)
	}
}

// A node that is told of a block and cannot read it admits nothing until it can.
//
// claim: PR7
func TestPR7BlockThatCannotBeReadYet(t *testing.T) {
	w := nodes(t)
	hanna, kwame, amara := w.As("hanna"), w.As("kwame"), w.As("amara")
	unlock := blockUnreadably(t, w.Database(), kwame.ID(), hanna.ID())
	talk := hanna.With(kwame)
	id := hanna.Queue(talk, "are you there?")
	if problem := hanna.Refused(id); problem.Title != parley.Unavailable.String() {
		t.Errorf("the message was refused with %+v", problem)
	}
	unlock()
	fence(t, kwame, amara)
	again := hanna.Queue(talk, "are you there now?")
	hanna.Accepted(again)
	fence(t, kwame, amara)
	if got := kwame.Texts(talk); len(got) != 0 {
		t.Errorf("kwame got %q of somebody he blocks", got)
	}
}

// So do a person's own switches: in Privacy Mode a stranger is left without
// presence and picture.
//
// claim: PM1, PP2
func TestPM1ChosenOnAnotherNode(t *testing.T) {
	w := nodes(t, func(c *server.Config) { c.Policy.PrivacyMode = true })
	hanna, other, kwame, amara := w.As("hanna"), w.As("hanna"), w.As("kwame"), w.As("amara")
	photo := "/api/people/" + kwame.ID() + "/photo?size=small"
	for _, d := range []*parleytest.Device{hanna, other} {
		d.Watch(kwame.ID())
		d.Sees(kwame.ID(), "Available", availability(3500))
		if status := d.Ask("GET", photo, nil).Status; status != 200 {
			t.Fatalf("the picture is answered %d: the test shows nothing", status)
		}
	}
	w.PreferElsewhere(kwame, privacy.Preferences{OnlyContacts: true})
	for _, d := range []*parleytest.Device{hanna, other} {
		d.Say(amara, "by now this node knows")
		if status := d.Ask("GET", photo, nil).Status; status != 404 {
			t.Errorf("the picture is answered %d", status)
		}
		row := d.Search("kwame").People[0]
		if row.Photo != "" || row.Presence != nil {
			t.Errorf("a stranger finds %+v", row)
		}
		d.Sees(kwame.ID(), "nothing", func(p webapi.Presence) bool { return p == webapi.Presence{} })
	}
}

// A node that was not woken looks by itself, often enough for a device that was
// ended elsewhere to be gone within a second.
//
// claim: AC3
func TestAC3EndedByANodeThatIsNotHeard(t *testing.T) {
	w := nodes(t)
	for _, d := range []*parleytest.Device{w.As("hanna"), w.As("kwame")} {
		ended := w.EndElsewhere(d)
		if reason := d.SignedOut(); reason != "revoked" {
			t.Errorf("the device is told %q", reason)
		}
		took := time.Since(ended)
		t.Logf("told after %v", took.Round(time.Millisecond))
		if took > time.Second {
			t.Errorf("it took %v", took)
		}
		if !signedOut(t, d) {
			t.Error("its token works on")
		}
	}
}

// blockUnreadably commits, as one more node does, that owner blocks other, and
// keeps everybody from reading it until unlock.
func blockUnreadably(t *testing.T, database, owner, other string) (unlock func()) {
	t.Helper()
	ctx := t.Context()
	connect := func() *pgx.Conn {
		conn, err := pgx.Connect(ctx, database)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close(ctx) })
		return conn
	}
	do := func(conn *pgx.Conn, query string, args ...any) {
		t.Helper()
		if _, err := conn.Exec(ctx, query, args...); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	number := func(id string) int64 {
		person, err := parley.ParsePersonID(id)
		if err != nil {
			t.Fatal(err)
		}
		return int64(person)
	}
	node, reader, looker := connect(), connect(), connect()
	do(node, "BEGIN")
	do(node, "UPDATE meta SET changes = changes + 1 WHERE id = 1")
	do(node, "INSERT INTO relations (owner, other, level, in_contacts) VALUES ($1, $2, $3, 0)", number(owner), number(other), int64(privacy.Blocked))
	do(node, "INSERT INTO changes (seq, kind, person, other, pos, detail, at) SELECT changes, 'relation', $1, $2, 0, '', $3 FROM meta",
		number(owner), number(other), time.Now().UnixMilli())
	locked := make(chan struct{})
	go func() {
		defer close(locked)
		do(reader, "BEGIN")
		do(reader, "LOCK TABLE relations IN ACCESS EXCLUSIVE MODE")
	}()
	for waits := false; !waits; {
		if err := looker.QueryRow(ctx, "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'").Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
	do(node, "COMMIT")
	<-locked
	return func() { do(reader, "COMMIT") }
}
