package contact

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"parley"
)

// Record is one person of a directory's export.
type Record struct {
	Person    parley.Person // without ID, Manager and Photo
	Line      int64         // where it stands in the export, from 1; 0: unknown
	DN        string        // in a form in which equal names are equal strings
	ManagerDN string        // likewise; empty: no manager
	Photo     []byte        // as the directory holds it; nil: none
}

// BadRecord is the error of one record that cannot be used. The import goes on
// behind it; any other error of the source ends it.
type BadRecord struct{ Err error }

// Error tells what is wrong with the record.
func (b *BadRecord) Error() string { return b.Err.Error() }

// Unwrap returns the cause.
func (b *BadRecord) Unwrap() error { return b.Err }

// What an Importer can find wrong with a record.
var (
	ErrNoSource      = errors.New("record has no lasting id (entryUUID, objectGUID)")
	ErrNoAddress     = errors.New("record has no sign-in address")
	ErrTwice         = errors.New("another record of this export has the same id")
	ErrAddressTaken  = errors.New("somebody else has this sign-in address")
	ErrAddressSwap   = errors.New("people of this export exchange sign-in addresses, and no two people have one at any moment: give one of them another address first")
	ErrNoMarkingGone = errors.New("some records could not be read, so nobody is marked gone who is missing")
)

// Problem is something wrong with one record, or with ErrNoMarkingGone with the
// export as a whole.
type Problem struct {
	SourceID string // empty when unknown
	DN       string // likewise
	Line     int64  // where the record stands in the export, from 1; 0: unknown
	Err      error
}

// Report says what an import did. Every record is counted in exactly one of
// Added, Changed, Unchanged and Skipped; everybody else of the directory in Gone
// or LeftAlone.
type Report struct {
	Added, Changed, Unchanged int

	Skipped   int // records that could not be used
	Gone      int // people missing from a complete export, marked gone
	LeftAlone int // people missing from the export, left as they are

	UnknownManagers int // people whose manager is in nobody's record; they keep the one they had

	// Disabled are the people whose record says that they may not sign in. Doing
	// so is account's.
	Disabled []parley.PersonID
}

// Importer takes a directory's export over into a Book. It may be used for any
// number of imports, one after the other.
type Importer struct {
	Book *Book

	// Photo makes the two sizes of a directory's photo. It must give equal results
	// for equal input.
	Photo func(raw []byte) (Photo, error)

	// Problem is told of everything that is wrong, while the import goes on.
	Problem func(Problem)
}

// A chunk is small, so that messages never wait long behind an import.
const (
	importChunk  = 100 // people
	importPhotos = 40  // people with a photo, each of which is some 20 KB to store
)

// maxPostponed bounds how many records wait for an address to become free.
const maxPostponed = 1000

// Import takes records over, in chunks, each stored with an audit record. Doing
// it twice changes nothing the second time. With complete the export is the
// whole directory: people with a SourceID who are not in it are marked gone,
// unless some record was too bad to say whose it is. Managers are found by their
// DN over the whole export, whatever the order; circles are taken as they are.
func (im *Importer) Import(ctx context.Context, actor parley.Actor, records iter.Seq2[Record, error], complete bool) (Report, error) {
	if actor.Kind != parley.ActorAdmin && actor.Kind != parley.ActorSystem {
		return Report{}, parley.Refuse(parley.Forbidden, "people.not-yours")
	}
	r := importRun{
		Importer: im, actor: actor,
		byDN: make(map[string]string), sources: make(map[string]bool), addresses: make(map[string]string),
	}
	for rec, err := range records {
		if bad, one := errors.AsType[*BadRecord](err); one {
			r.skip(rec, bad)
			continue
		}
		if err != nil {
			return r.report, fmt.Errorf("reading the export: %w", err)
		}
		if err := r.take(ctx, rec, true); err != nil {
			return r.report, err
		}
	}
	for _, step := range []func(context.Context) error{
		r.flush,
		func(ctx context.Context) error { return r.missing(ctx, complete) },
		r.again,
		r.managers,
	} {
		if err := step(ctx); err != nil {
			return r.report, err
		}
	}
	return r.report, nil
}

// importRun is one import under way.
type importRun struct {
	*Importer
	actor  parley.Actor
	report Report
	lost   bool // a record could not be told whose it is

	byDN      map[string]string // DN to SourceID
	sources   map[string]bool   // whose record was there, good or bad
	addresses map[string]string // whose sign-in address each is in this export, by SourceID

	chunk     []Change
	taken     []Record  // what the chunk was made of, without the photos
	photos    int       // in the chunk
	disabled  []string  // SourceIDs
	postponed []Record  // their address belongs to somebody else until now
	waiting   []waiting // for managers
}

// waiting is somebody whose manager's record had not come when theirs came.
type waiting struct {
	sourceID, managerDN string
	unchanged           bool // but for the manager, perhaps
}

func (r *importRun) problem(rec *Record, err error) {
	if r.Problem != nil {
		r.Problem(Problem{rec.Person.SourceID, rec.DN, rec.Line, err})
	}
}

func (r *importRun) skip(rec Record, err error) {
	r.report.Skipped++
	if rec.Person.SourceID == "" {
		r.lost = true
	} else {
		r.sources[rec.Person.SourceID] = true
		r.name(rec)
	}
	r.problem(&rec, err)
}

// name remembers whose DN a record has, for those it is the manager of.
func (r *importRun) name(rec Record) {
	if rec.DN != "" {
		r.byDN[rec.DN] = rec.Person.SourceID
	}
}

// take turns a record into a change of the chunk. A record whose address is
// somebody else's waits until all others are in.
func (r *importRun) take(ctx context.Context, rec Record, first bool) error {
	p := &rec.Person
	p.Address = strings.ToLower(p.Address)
	switch {
	case p.SourceID == "":
		r.skip(rec, ErrNoSource)
		return nil
	case first && r.sources[p.SourceID]:
		r.skip(rec, ErrTwice)
		return nil
	case p.Address == "":
		r.skip(rec, ErrNoAddress)
		return nil
	}
	holder, held := r.Book.ByAddress(p.Address)
	inExport, taken := r.addresses[p.Address]
	full := first && len(r.postponed) == maxPostponed
	switch {
	case taken && inExport != p.SourceID, held && holder.SourceID != p.SourceID && full:
		r.skip(rec, ErrAddressTaken)
		return nil
	case held && holder.SourceID != p.SourceID:
		r.sources[p.SourceID] = true
		r.postponed = append(r.postponed, rec)
		return nil
	}
	r.sources[p.SourceID] = true
	r.addresses[p.Address] = p.SourceID
	return r.add(ctx, rec)
}

// add puts a record into the chunk, and stores the chunk when it is full.
func (r *importRun) add(ctx context.Context, rec Record) error {
	c := r.change(rec)
	rec.Photo = nil
	r.chunk, r.taken = append(r.chunk, c), append(r.taken, rec)
	if c.Photo != nil {
		r.photos++
	}
	if len(r.chunk) == importChunk || r.photos == importPhotos {
		return r.flush(ctx)
	}
	return nil
}

// change is a record as a change of a person.
func (r *importRun) change(rec Record) Change {
	c := Change{Person: rec.Person}
	was, known := r.Book.BySource(c.Person.SourceID)
	c.Person.ID, c.Person.Manager = was.ID, 0
	r.name(rec)
	if len(rec.Photo) > 0 {
		photo, err := r.Photo(rec.Photo)
		if err != nil {
			r.problem(&rec, fmt.Errorf("photo left out: %w", err))
			c.KeepPhoto = true
		} else {
			c.Photo = &photo
		}
	}
	if rec.ManagerDN != "" {
		manager, _ := r.Book.BySource(r.byDN[rec.ManagerDN])
		if c.Person.Manager = manager.ID; manager.ID == 0 {
			c.Person.Manager = was.Manager
			r.waiting = append(r.waiting, waiting{
				c.Person.SourceID, rec.ManagerDN, known && samePerson(was, c.result(was)),
			})
		}
	}
	if rec.Person.Disabled {
		r.disabled = append(r.disabled, c.Person.SourceID)
	}
	return c
}

// flush stores the chunk and counts what it came to. Should the store refuse the
// chunk for one of the people in it, the others are stored without them.
func (r *importRun) flush(ctx context.Context) error {
	err := r.keep(ctx, r.chunk)
	if parley.KindOf(err) == parley.Conflict {
		err = r.keepEach(ctx)
	}
	if err != nil {
		return err
	}
	r.chunk, r.taken, r.photos = r.chunk[:0], r.taken[:0], 0
	for _, id := range r.disabled {
		if p, known := r.Book.BySource(id); known {
			r.report.Disabled = append(r.report.Disabled, p.ID)
		}
	}
	r.disabled = r.disabled[:0]
	return nil
}

func (r *importRun) keep(ctx context.Context, chunk []Change) error {
	o, err := r.store(ctx, chunk)
	if err != nil {
		return err
	}
	r.report.Added += o.Added
	r.report.Changed += o.Updated
	r.report.Unchanged += o.Unchanged
	return nil
}

func (r *importRun) keepEach(ctx context.Context) error {
	for i := range r.chunk {
		err := r.keep(ctx, r.chunk[i:i+1])
		if refusal, ok := errors.AsType[*parley.Error](err); ok && refusal.Kind == parley.Conflict {
			r.report.Skipped++
			r.problem(&r.taken[i], refusal)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// store applies changes, with an audit record if they change anything.
func (r *importRun) store(ctx context.Context, changes []Change) (Outcome, error) {
	if err := ctx.Err(); err != nil {
		return Outcome{}, err
	}
	return r.Book.applyWith(ctx, changes, func(o Outcome) parley.Alongside {
		if o.Added+o.Updated+o.Gone == 0 {
			return parley.Alongside{}
		}
		return parley.Alongside{Audit: []parley.Audit{{
			At: time.Now().UTC(), Actor: r.actor, Action: parley.AuditPeopleImported,
			Detail: fmt.Sprintf("added %d, changed %d, gone %d", o.Added, o.Updated, o.Gone),
		}}}
	})
}

// missing marks people gone, or counts them, who have no record in the export.
func (r *importRun) missing(ctx context.Context, complete bool) error {
	if complete && r.lost {
		r.problem(&Record{}, ErrNoMarkingGone)
		complete = false
	}
	var gone []Change
	for _, id := range r.Book.missing(r.sources) {
		if !complete {
			r.report.LeftAlone++
			continue
		}
		gone = append(gone, Change{Person: parley.Person{ID: id}, Gone: true})
	}
	return r.inChunks(ctx, gone, func(o Outcome) { r.report.Gone += o.Gone })
}

// again takes the postponed records, whose address may be free by now, as often
// as one that moves on makes room for another.
func (r *importRun) again(ctx context.Context) error {
	for before := maxPostponed + 1; len(r.postponed) > 0 && len(r.postponed) < before; {
		before = len(r.postponed)
		waiting := r.postponed
		r.postponed = nil
		for _, rec := range waiting {
			if err := r.take(ctx, rec, false); err != nil {
				return err
			}
		}
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	moving := make(map[string]bool, len(r.postponed))
	for _, rec := range r.postponed {
		moving[rec.Person.SourceID] = true
	}
	for _, rec := range r.postponed {
		holder, _ := r.Book.ByAddress(rec.Person.Address)
		if moving[holder.SourceID] {
			r.skip(rec, ErrAddressSwap)
		} else {
			r.skip(rec, ErrAddressTaken)
		}
	}
	return nil
}

// managers settles who was waiting for a manager.
func (r *importRun) managers(ctx context.Context) error {
	var changes []Change
	for _, w := range r.waiting {
		p, known := r.Book.BySource(w.sourceID)
		if !known {
			continue
		}
		manager, found := r.Book.BySource(r.byDN[w.managerDN])
		if !found {
			r.report.UnknownManagers++
			continue
		}
		if p.Manager == manager.ID {
			continue
		}
		if w.unchanged {
			r.report.Unchanged--
			r.report.Changed++
		}
		p.Manager = manager.ID
		changes = append(changes, Change{Person: p, KeepPhoto: true})
	}
	return r.inChunks(ctx, changes, func(Outcome) {})
}

func (r *importRun) inChunks(ctx context.Context, changes []Change, count func(Outcome)) error {
	for len(changes) > 0 {
		n := min(len(changes), importChunk)
		o, err := r.store(ctx, changes[:n])
		if err != nil {
			return err
		}
		count(o)
		changes = changes[n:]
	}
	return nil
}

// missing gives the people of the directory who have no record in an export.
func (b *Book) missing(sources map[string]bool) []parley.PersonID {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var ids []parley.PersonID
	for _, e := range b.people {
		if e != nil && !e.person.Gone && e.person.SourceID != "" && !sources[e.person.SourceID] {
			ids = append(ids, e.person.ID)
		}
	}
	return ids
}
