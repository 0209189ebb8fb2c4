package place

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"parley"
	"parley/account"
	"parley/contact"
	"parley/privacy"
	"parley/store"
)

// Plan says whom a server for a load test needs.
type Plan struct {
	People   int  // with devices, in circles
	Devices  int  // of each of them
	Contacts bool // each has the rest of the circle in the Contacts list
	Password bool // each can sign in with the roster's password
	Others   int  // further people who are in the directory only
}

// domain is the organisation's: a name that no real one has (RFC 6761 §6.5).
const domain = "load.example"

// password is everybody's, where the plan asks for one.
const password = "load test password"

// writers is how many changes are queued at once: the store commits what gathers.
const writers = 512

// Fill makes the people of a plan in an empty folder, with the store that the
// server will open, and writes the roster beside it.
func Fill(ctx context.Context, folder string, plan Plan) (*Roster, error) {
	switch isEmpty, err := empty(folder); {
	case err != nil:
		return nil, fmt.Errorf("looking into %s: %w", folder, err)
	case !isEmpty:
		return nil, fmt.Errorf("%s is not empty: people are made in a new folder only", folder)
	}
	s, err := store.Open(ctx, store.Config{Path: folder})
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(running) }()
	f := filling{store: s, plan: plan, roster: &Roster{Domain: domain}}
	err = f.all(ctx)
	stop()
	if err = errors.Join(err, <-ended, s.Close()); err != nil {
		return nil, fmt.Errorf("making the people: %w", err)
	}
	return f.roster, f.roster.Write(folder)
}

// filling is one run of Fill.
type filling struct {
	store  *store.Store
	plan   Plan
	roster *Roster
	ids    []parley.PersonID
	hash   string // of everybody's password; empty: none
}

func (f *filling) all(ctx context.Context) (err error) {
	if f.plan.Password {
		f.roster.Password = password
		if f.hash, err = (account.Argon2id{}).Hash(password); err != nil {
			return err
		}
	}
	if err := f.people(ctx); err != nil {
		return err
	}
	f.roster.Names = surnames(f.plan.People + f.plan.Others)
	if err := f.each(ctx, f.signIn); err != nil {
		return err
	}
	if !f.plan.Contacts {
		return nil
	}
	return f.each(ctx, f.befriend)
}

// people adds everybody to the directory, in the order of the roster.
func (f *filling) people(ctx context.Context) error {
	changes := make([]contact.Change, 0, contact.MaxChunk)
	add := func() error {
		ids, err := f.store.ApplyPeople(ctx, changes, parley.Alongside{})
		f.ids = append(f.ids, ids...)
		changes = changes[:0]
		return err
	}
	for i := range f.plan.People + f.plan.Others {
		person := personOf(i)
		changes = append(changes, contact.Change{Person: person})
		if i < f.plan.People {
			f.roster.People = append(f.roster.People, Person{Address: person.Address})
		}
		if len(changes) == contact.MaxChunk {
			if err := add(); err != nil {
				return err
			}
		}
	}
	if len(changes) > 0 {
		if err := add(); err != nil {
			return err
		}
	}
	for i := range f.roster.People {
		f.roster.People[i].ID = f.ids[i].String()
	}
	return nil
}

// each calls one for everybody in the roster, many at the same time.
func (f *filling) each(ctx context.Context, one func(ctx context.Context, number int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for i := range f.roster.People {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { return one(ctx, i) })
	}
	return group.Wait()
}

// signIn gives a person the password and the devices.
func (f *filling) signIn(ctx context.Context, number int) error {
	id := f.ids[number]
	if f.hash != "" {
		change := account.PasswordChange{Person: id, Hash: f.hash}
		if _, err := f.store.SetPasswordHash(ctx, change, parley.Alongside{}); err != nil {
			return err
		}
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	for range f.plan.Devices {
		token, hash := newToken()
		_, err := f.store.AddDevice(ctx, account.NewDevice{
			Device: account.Device{
				Person: id, Class: parley.Mobile, Name: "load", Installation: random(16),
				Created: now, LastUsed: now, AuthTime: now, Methods: []string{"pwd"},
			},
			Token: hash, CheckedHash: f.hash, FreshKey: []byte(random(24)), Limit: f.plan.Devices,
		}, parley.Alongside{})
		if err != nil {
			return err
		}
		f.roster.People[number].Tokens = append(f.roster.People[number].Tokens, token)
	}
	return nil
}

// befriend puts the rest of the circle into a person's Contacts list. Nobody
// waits for one commit a contact: they are queued together.
func (f *filling) befriend(ctx context.Context, number int) error {
	first := number / Circle * Circle
	circle := f.ids[first:min(first+Circle, f.plan.People)]
	var group errgroup.Group
	for _, other := range slices.Clone(circle) {
		if other == f.ids[number] {
			continue
		}
		group.Go(func() error {
			relation := privacy.Relation{Owner: f.ids[number], Other: other, Level: privacy.Colleagues, InContacts: true}
			return f.store.SetRelation(ctx, relation, parley.Alongside{})
		})
	}
	return group.Wait()
}

// newToken makes a device token and what the store keeps of it, as package
// account does: 256 random bits in base64url, and their SHA-256.
func newToken() (string, [32]byte) {
	var raw [32]byte
	rand.Read(raw[:])
	return base64.RawURLEncoding.EncodeToString(raw[:]), sha256.Sum256(raw[:])
}

// random gives so many random bytes in base64url.
func random(bytes int) string {
	raw := make([]byte, bytes)
	rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}
