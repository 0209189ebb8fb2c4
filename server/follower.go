package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley"
	"parley/contact"
	"parley/edge/directory"
	"parley/edge/webapi"
)

const (
	// followAgain is how long the follower waits after it failed, at first and at
	// most.
	followAgain    = time.Second
	followAgainMax = time.Minute

	// leadCheck is how often it is asked whether this node is the one that follows.
	leadCheck = time.Second

	// manyMissing is how many people may leave within missingWindow without it
	// looking like a wrong base or filter, or a right taken away; so does one in
	// missingShare of all.
	manyMissing   = 20
	missingShare  = 10
	missingWindow = time.Hour

	// agreedFor is how long an administrator's word holds that people may go.
	agreedFor = 10 * time.Minute
)

// follower keeps people and groups in step with the corporate directory: all of it
// compared at the start and now and then, changes as they come. One node does it.
// When the directory does not answer, everything stays as it was last known.
type follower struct {
	config   *LDAPConfig
	sync     *directory.Sync
	book     *contact.Book
	store    contact.StateStore
	log      *slog.Logger
	leads    func() bool
	importer contact.Importer
	wanted   chan struct{} // one token: compare everything now

	administrators string // SourceID of the administrators' group

	running atomic.Bool

	// Of the goroutine that runs.
	cursor   []byte // where the next changes begin; nil: with a comparison
	mode     directory.Mode
	compared time.Time
	groups   followedGroups
	users    *allowed // nil: everybody may sign in
	agreed   int      // so many people may go, in this comparison
	byWord   bool     // they went because of that
	left     []leaving
	spared   bool // somebody was not barred whom groups that tell would bar

	standing standing
}

// followDirectory makes the follower, where there is a corporate directory.
func (p *parts) followDirectory() {
	if p.ldap == nil {
		return
	}
	p.follower = p.newFollower()
	if p.peers != nil {
		p.peers.bus.Hear(topicDirectory, func(_ string, payload []byte) { p.follower.request(len(payload) > 0 && payload[0] == 1) })
	}
}

// directory is the follower for the edge; nil: there is none.
func (p *parts) directory() webapi.Directory {
	if p.follower == nil {
		return nil
	}
	return p
}

// State implements webapi.Directory.
func (p *parts) State(ctx context.Context) (contact.DirectoryState, bool, error) {
	return p.follower.state(ctx)
}

// Size implements webapi.Directory.
func (p *parts) Size() (people, groups int) { return p.follower.size() }

// Sync implements webapi.Directory. Whichever node follows the directory compares
// everything.
func (p *parts) Sync(ctx context.Context, by parley.Actor, removals bool) error {
	if !p.follower.running.Load() {
		return parley.Refuse(parley.Conflict, "directory.not-running")
	}
	detail := ""
	if removals {
		detail = "whoever is missing is marked gone"
	}
	audit := parley.Audit{At: time.Now().UTC(), Actor: by, Action: parley.AuditDirectorySync, Detail: detail}
	if err := p.store.AddAudit(ctx, audit); err != nil {
		return err
	}
	p.follower.request(removals)
	if p.peers != nil {
		var payload byte
		if removals {
			payload = 1
		}
		p.peers.bus.Tell(topicDirectory, []byte{payload})
	}
	return nil
}

// inAdministrators reports whether the directory makes somebody an administrator.
func (p *parts) inAdministrators(person parley.PersonID) bool {
	return p.follower != nil && p.follower.inAdministrators(person)
}

// takeOverPerson takes somebody over from the directory who is not known yet.
func (p *parts) takeOverPerson(ctx context.Context, source string) error {
	if p.follower == nil {
		return parley.ErrWithheld
	}
	err := p.follower.takeOver(ctx, source)
	if err == nil {
		return nil
	}
	// The node that follows the directory may have been quicker.
	if who, lookErr := p.store.IdentityBySource(ctx, source); lookErr == nil && !who.Gone {
		return nil
	}
	return err
}

func (p *parts) newFollower() *follower {
	c := &p.config.LDAP
	f := &follower{
		config: c, book: p.book, store: p.store, log: p.config.Logger, wanted: make(chan struct{}, 1),
		sync: directory.NewSync(p.ldap, directory.SyncConfig{
			Mode: directory.Mode(c.Sync), Interval: c.Interval, Required: append(append([]string{}, c.Administrators...), c.Users...),
		}),
		administrators: administratorsGroup(c.Administrators),
		leads:          func() bool { return p.peers == nil || p.peers.Leads() },
	}
	f.standing.problems = map[string]contact.EntryProblem{}
	f.importer = contact.Importer{
		Book: p.book, Directory: parley.LDAP, Photo: importedPhoto,
		Problem: f.standing.entry, Settled: f.standing.settled, MayGo: f.mayGo, Ended: p.endAtOnce,
	}
	return f
}

// endAtOnce ends the devices of people who may no longer sign in, without waiting
// for the announcements of a large import.
func (p *parts) endAtOnce(ctx context.Context, people []parley.PersonID) {
	if err := p.accounts.Recheck(ctx, people); err != nil {
		p.config.Logger.Error("looking for devices to end failed", "error", err) // the next minute looks again
	}
}

// run follows the directory while this node is the one that does, until ctx ends.
func (f *follower) run(ctx context.Context) error {
	f.running.Store(true)
	pause := followAgain
	for {
		wait := leadCheck
		if f.leads() {
			began := time.Now()
			err := f.follow(ctx)
			switch {
			case ctx.Err() != nil:
				return nil
			case err == nil:
				pause, wait = followAgain, 0
			case errors.Is(err, directory.ErrResync) && f.standing.works():
				f.log.Info("the directory cannot tell what has changed, comparing everything", "error", err)
				wait = max(0, followAgain-time.Since(began))
			default:
				f.failed(ctx, err)
				if time.Since(began) > followAgainMax {
					pause = followAgain
				}
				wait, pause = pause, min(2*pause, followAgainMax)
			}
		}
		again := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			again.Stop()
			return nil
		case <-again.C:
		case <-f.wanted:
			again.Stop()
			f.cursor = nil
		}
	}
}

// follow compares everything and then takes changes, until it is time to compare
// again, or another node follows, or something fails.
func (f *follower) follow(ctx context.Context) error {
	x, err := f.sync.Open(ctx)
	if err != nil {
		return err
	}
	defer x.Close()
	told := true
	if f.cursor == nil || f.mode != x.Mode || time.Since(f.compared) >= f.config.fullEvery(f.mode) {
		if err := f.compare(ctx, x); err != nil {
			return err
		}
	} else {
		told = false // after a break it goes on where it was
	}
	until, stop := f.until(ctx)
	defer stop()
	for c, err := range x.Changes(until, f.cursor) {
		if err == nil {
			err = f.take(ctx, x, &c)
		} else if until.Err() != nil {
			break // in the middle of a question
		}
		if err != nil && (!told || errors.Is(err, directory.ErrResync)) {
			f.cursor = nil
		}
		if err != nil {
			return err
		}
		told = true
	}
	if ctx.Err() == nil {
		f.cursor = nil // it is time, or an administrator wants it
	}
	return nil
}

// until is a context that ends when it is time to compare everything, or another
// node follows, or by stop, which waits for whoever watches that.
func (f *follower) until(ctx context.Context) (until context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	full := time.NewTimer(f.config.fullEvery(f.mode) - time.Since(f.compared))
	check := time.NewTicker(leadCheck)
	go func() {
		defer close(ended)
		defer cancel()
		defer full.Stop()
		defer check.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-full.C:
				return
			case <-f.wanted:
				return
			case <-check.C:
				if !f.leads() {
					return
				}
			}
		}
	}()
	return ctx, func() { cancel(); <-ended }
}

// compare takes over everything.
func (f *follower) compare(ctx context.Context, x *directory.Session) error {
	began := time.Now()
	f.cursor = nil
	mark, err := x.Mark(ctx)
	if err != nil {
		return err
	}
	groups, err := x.Groups(ctx)
	if err != nil {
		return err
	}
	f.groups = newFollowedGroups(&f.importer)
	for i := range groups {
		f.groups.keep(&groups[i])
	}
	then := f.judge()
	f.users, f.spared = then, false
	f.standing.begin()
	f.agreed = f.standing.agreement()
	report, err := f.importer.Import(ctx, parley.System, f.records(x.People(ctx)), true)
	f.leave(report)
	if err != nil {
		return fmt.Errorf("taking people over: %w", err)
	}
	again := f.judgedAgain(then)
	changed, err := f.applyGroups(ctx)
	if err != nil {
		return err
	}
	f.cursor, f.mode, f.compared = x.Cursor(mark), x.Mode, time.Now()
	f.standing.count(report, changed)
	f.standing.compared(x, report)
	f.log.Info("the directory was compared", "kind", string(x.Mode), "added", report.Added, "changed", report.Changed, "left", report.Gone,
		"problems", report.Skipped, "took", time.Since(began).String())
	f.save(ctx)
	if again {
		return errJudgedAgain
	}
	return nil
}

// take takes changes over. After an error everything has to be compared: what was
// taken in half would not come again.
func (f *follower) take(ctx context.Context, x *directory.Session, c *directory.Changes) (err error) {
	defer func() {
		if err != nil {
			f.cursor = nil
		}
	}()
	groups, err := f.takeGroups(c)
	if err != nil {
		return err
	}
	people, ended := c.People, f.groups.people(c.Ended)
	if c.EverybodyIs != nil {
		ended = append(ended, f.importer.Missing(c.EverybodyIs)...)
	}
	if groups {
		more, err := f.admit(ctx)
		if err != nil {
			return err
		}
		people = append(people, more...)
	}
	if len(people)+len(ended) > 0 || groups {
		if err := f.update(ctx, people, ended, groups); err != nil {
			return err
		}
	}
	f.cursor = c.Cursor
	if f.standing.inStep(x) || len(people)+len(ended) > 0 {
		f.save(ctx)
	}
	return nil
}

// takeGroups takes in where people and groups stand now, and the groups that have
// changed. It reports whether any did.
func (f *follower) takeGroups(c *directory.Changes) (bool, error) {
	moved := f.groups.moves(c)
	f.groups.move(moved)
	f.users.move(moved)
	if f.groups.renamedAbove(c) {
		return false, fmt.Errorf("members of a group have other names now: %w", directory.ErrResync)
	}
	return f.groups.take(c), nil
}

// update takes over people who have changed or left, and the groups.
func (f *follower) update(ctx context.Context, people []directory.Found, ended []string, groups bool) error {
	for i := range people {
		f.standing.settled(people[i].Entry.Person.SourceID)
	}
	report, err := f.importer.Update(ctx, parley.System, f.records(found(people)), ended)
	f.leave(report)
	if err != nil {
		return fmt.Errorf("taking changes over: %w", err)
	}
	changed := contact.Outcome{}
	if groups || report.Added+report.Gone+report.Changed > 0 {
		if changed, err = f.applyGroups(ctx); err != nil {
			return err
		}
	}
	f.standing.count(report, changed)
	f.standing.held(report.HeldBack)
	if f.judgedAgain(f.users) {
		return errJudgedAgain
	}
	return nil
}

// takeOver takes one person over who has just signed in with the directory's
// password and is not known yet.
func (f *follower) takeOver(ctx context.Context, source string) error {
	x, err := f.sync.Open(ctx)
	if err != nil {
		return err
	}
	defer x.Close()
	entry, there, err := x.Person(ctx, source)
	if _, bad := errors.AsType[*directory.RecordError](err); bad || err == nil && !there {
		return errors.Join(err, parley.ErrWithheld)
	}
	if err != nil {
		return err
	}
	if len(f.config.Users) > 0 {
		in, err := x.InGroups(ctx, entry.DN, entry.Person.Alias, f.config.Users)
		if err != nil {
			return err
		}
		entry.Person.Barred = entry.Person.Barred || !in
	}
	one := contact.Importer{Book: f.book, Directory: parley.LDAP, Photo: importedPhoto}
	records := func(yield func(contact.Record, error) bool) { yield(recordOf(&entry), nil) }
	_, err = one.Update(ctx, parley.System, records, nil)
	return err
}

// request has everything compared soon, if this node follows the directory. With
// removals whoever is missing goes then.
func (f *follower) request(removals bool) {
	if !f.leads() {
		return
	}
	if removals {
		f.standing.agree()
	}
	select {
	case f.wanted <- struct{}{}:
	default:
	}
}

// standing is how the following stands on this node.
type standing struct {
	mu       sync.Mutex
	state    contact.DirectoryState
	problems map[string]contact.EntryProblem // by SourceID, or by DN where that is unknown
	lasting  [2]string                       // key and detail of a problem that is one while it works
	unjudged [2]string                       // likewise: why it is not known who may sign in
	heldBack int                             // people who are missing and not gone, as it is shown
	agreed   int                             // so many may go with the next comparison
	agreedAt time.Time
	saved    time.Time
	follows  bool // this node has compared everything since the start

	added, changed, gone, groups int // taken over since the start
}
