package main

import (
	"context"
	"fmt"
	"os"
	"sync"

	"parley/cmd/parley-load/place"
	"parley/cmd/parley-load/xmpp"
)

// xmppCrowd is people with clients of another server. Their contacts are those of
// the accounts that "accounts" writes: a server tells of contacts, not of whom a
// client names.
type xmppCrowd struct {
	connections
	site *site

	mu      sync.Mutex
	clients map[int]*xmpp.Client // by person
}

func newXMPPCrowd(s *site) *xmppCrowd {
	return &xmppCrowd{site: s, clients: map[int]*xmpp.Client{}}
}

// xmppMember is one client.
type xmppMember struct {
	client *xmpp.Client
	out    []byte
}

// join implements crowd: stream, password, stream, bind, roster, and presence until
// the own one is back.
func (c *xmppCrowd) join(ctx context.Context, j joining) (member, error) {
	account := xmpp.Account{Addr: c.site.addr, From: from(j.person), Domain: xmpp.Domain, User: xmpp.User(j.person), Password: xmpp.Password}
	client, err := xmpp.Open(ctx, account, xmppEars{j.ears})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.clients[j.person] = client
	c.mu.Unlock()
	c.add(client)
	return &xmppMember{client: client}, nil
}

// xmppEars pass on what a client hears.
type xmppEars struct{ ears ears }

func (e xmppEars) Message(_, text []byte) { e.ears.message(text) }

func (e xmppEars) Presence(from, note []byte) {
	if person, err := xmpp.Number(from); err == nil {
		e.ears.notice(person, note)
	}
}

func (e xmppEars) Applied() { e.ears.applied() }

func (m *xmppMember) write(to int, number uint64, text []byte) error {
	address := fmt.Sprintf("%s@%s/load", xmpp.User(to), xmpp.Domain)
	m.out = xmpp.AppendMessage(m.out, address, fmt.Sprintf("m%d", number), text)
	return nil
}

func (m *xmppMember) flush() error {
	err := m.client.Write(m.out)
	m.out = m.out[:0]
	return err
}

func (m *xmppMember) leave() { m.client.Close() }

func (c *xmppCrowd) acknowledges() bool { return false }

func (c *xmppCrowd) gaps() int64 { return 0 }

// xmppVoice changes notes on the streams that are there.
type xmppVoice struct{ crowd *xmppCrowd }

func (c *xmppCrowd) voice(int) (voice, error) { return xmppVoice{c}, nil }

func (v xmppVoice) say(_ context.Context, person int, note string) error {
	v.crowd.mu.Lock()
	client := v.crowd.clients[person]
	v.crowd.mu.Unlock()
	if client == nil {
		return fmt.Errorf("person %d is not connected", person)
	}
	return client.Note(note)
}

func (v xmppVoice) close() {}

// accounts makes what another server needs to know of the people.
var accounts = scenario{
	name: "accounts",
	about: "Writes people with 80 contacts for another server, whom the scenarios then measure with --xmpp:\n" +
		"--form portable is one file (XEP-0227, which ejabberd imports), --form prosody a folder in Prosody's\n" +
		"own storage. --provision names the new file or folder.",
	alone:   runAccounts,
	people:  wholeCircles,
	workers: 1,
}

// fans is how many people have the first one as a contact: fanout needs them.
const fans = 1000

func runAccounts(_ context.Context, o *options, r *report) (err error) {
	all := xmpp.Accounts{People: o.people, Circle: place.Circle, Fans: fans}
	if _, err := os.Lstat(o.keep); o.keep == "" || err == nil {
		return errUsage("parley-load accounts: name something new with --provision")
	}
	switch o.form {
	case "portable":
		err = writePortable(all, o.keep)
	case "prosody":
		err = all.WriteProsody(o.keep)
	default:
		return errUsage(fmt.Sprintf("parley-load accounts: --form %q is neither portable nor prosody", o.form))
	}
	if err == nil {
		r.add(Result{Scenario: "accounts", Case: o.form, Metrics: map[string]float64{"devices": float64(o.people)}})
	}
	return err
}

func writePortable(all xmpp.Accounts, path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing accounts: %w", err)
	}
	defer file.Close() // an error of the close below counts
	if err := all.WritePortable(file); err != nil {
		return fmt.Errorf("writing accounts: %w", err)
	}
	return file.Close()
}
