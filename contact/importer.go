package contact

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"strings"
	"time"

	"parley"
)

// Record is one person as a directory tells of them.
type Record struct {
	Person    parley.Person // without ID, Directory, Manager and Photo
	Line      int64         // where it stands in the export, from 1; 0: unknown
	DN        string        // in a form in which equal names are equal strings
	ManagerDN string        // likewise; empty: no manager
	Photo     []byte        // as the directory holds it; nil: none

	waited bool // was left out of an earlier run, without the photo
	moves  bool // takes part in an exchange of addresses
}

// BadRecord is the error of one record that cannot be used. What is known of it,
// with its SourceID if possible, comes in the Record. The import goes on behind
// it; any other error of the source ends it.
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
	ErrAddressSwap   = errors.New("too many people exchange sign-in addresses at once: give one of them another address first")
	ErrElsewhere     = errors.New("this person comes from the directory that is synchronised, so the export is not taken")
	ErrNoMarkingGone = errors.New("some records could not be read, so nobody is marked gone who is missing")
	ErrHeldBack      = errors.New("so many people are missing at once that the cause may be a wrong base or filter, so nobody is marked gone until an administrator agrees")
)

// Problem is something wrong with one record, or with ErrNoMarkingGone and
// ErrHeldBack with the whole.
type Problem struct {
	SourceID string // empty when unknown
	DN       string // likewise
	Line     int64  // where the record stands in the export, from 1; 0: unknown
	Err      error
}

// Report says what a run did. Every record is counted in exactly one of Added,
// Changed, Unchanged and Skipped; of Import everybody else of the directory in
// Gone, LeftAlone or HeldBack.
type Report struct {
	Added, Changed, Unchanged int

	Skipped   int // records that could not be used
	Gone      int // people missing from a complete export, marked gone
	LeftAlone int // people missing from the export, left as they are
	HeldBack  int // people who would be marked gone if MayGo agreed

	UnknownManagers int // people whose manager is in nobody's record; they keep the one they had
}

// Importer takes what a directory says over into a Book: all of it with Import,
// and after that what changes with Update. It is for one goroutine at a time.
//
// For Update it remembers the place of every person in the directory, some 60
// bytes each, and whose address is somebody else's: they come in as soon as it is
// free.
type Importer struct {
	Book *Book

	// Directory is whose people they are: parley.Person.Directory of everybody in
	// the records. People of another one are never marked gone, and somebody of
	// another one who has a record is taken over, unless Leaves says of theirs that
	// it keeps its people.
	Directory string
	Leaves    func(directory string) bool // nil: none does

	// Photo makes the two sizes of a directory's photo. It must give equal results
	// for equal input.
	Photo func(raw []byte) (Photo, error)

	// Problem is told of everything that is wrong, while the run goes on.
	// Settled, if there is one, is told of the SourceIDs whose problem of an earlier
	// run is none any more.
	Problem func(Problem)
	Settled func(sourceID string)

	// MayGo, if there is one, is asked before people who are missing are marked
	// gone: how many of how many of the directory.
	MayGo func(missing, people int) bool

	// Ended, if there is one, is told of people who may no longer sign in, right
	// after that is stored.
	Ended func(ctx context.Context, people []parley.PersonID)

	key   maphash.Seed // of every Place
	keyed bool
	names names             // of the last Import, followed by Update
	shut  map[string]Record // by SourceID: those whose address is somebody else's
}

// A chunk is small, so that messages never wait long behind an import.
const (
	importChunk  = 100      // people
	importPhotos = 40       // people with a photo, each of which is some 20 KB to store
	importBytes  = 24 << 20 // of photos as they came
)

// maxPostponed bounds how many records wait for an address to become free.
const maxPostponed = 1000

// Import takes records over, in chunks, each stored with an audit record. Doing
// it twice changes nothing the second time. With complete the export is the
// whole directory: its people who are not in it are marked gone, unless some
// record was too bad to say whose it is. Managers are found by their DN over the
// whole export, whatever the order; circles are taken as they are.
func (im *Importer) Import(ctx context.Context, actor parley.Actor, records iter.Seq2[Record, error], complete bool) (Report, error) {
	if err := mayImport(actor); err != nil {
		return Report{}, err
	}
	im.names, im.shut = newNames(), map[string]Record{}
	r := im.run(actor)
	if err := r.read(ctx, records, true); err != nil {
		return r.report, err
	}
	missing := func(ctx context.Context) error { return r.missing(ctx, complete) }
	return r.report, r.steps(ctx, r.flush, missing, r.again, r.managers)
}

// Update takes over what has changed since Import or the last Update, which must
// have succeeded: records that are new or different, then the end of those whose
// SourceIDs are given. An id that nobody has is passed over. Somebody whose record
// comes and who is named as ended is not ended.
func (im *Importer) Update(ctx context.Context, actor parley.Actor, records iter.Seq2[Record, error], ended []string) (Report, error) {
	if err := mayImport(actor); err != nil {
		return Report{}, err
	}
	if im.shut == nil {
		im.names, im.shut = newNames(), map[string]Record{}
	}
	r := im.run(actor)
	if err := r.read(ctx, records, false); err != nil {
		return r.report, err
	}
	leave := func(ctx context.Context) error { return r.leave(ctx, ended) }
	return r.report, r.steps(ctx, r.flush, leave, r.again, r.managers)
}

func mayImport(actor parley.Actor) error {
	if actor.Kind != parley.ActorAdmin && actor.Kind != parley.ActorSystem {
		return parley.Refuse(parley.Forbidden, "people.not-yours")
	}
	return nil
}

// importRun is one run under way.
type importRun struct {
	*Importer
	actor  parley.Actor
	report Report
	lost   bool // a record could not be told whose it is

	sources   map[string]bool   // whose record was there, good or bad
	addresses map[string]string // whose sign-in address each is in this run, by SourceID

	taken     []Record  // the chunk
	photos    int       // in the chunk
	bytes     int       // of these photos
	postponed []Record  // their address belongs to somebody else until now
	waiting   []waiting // for managers
}

// waiting is somebody whose manager's record had not come when theirs came.
type waiting struct {
	sourceID, managerDN string
	unchanged           bool // but for the manager, perhaps
}

func (im *Importer) run(actor parley.Actor) *importRun {
	return &importRun{Importer: im, actor: actor, sources: make(map[string]bool), addresses: make(map[string]string)}
}

// read takes records. With once each person has one at most.
func (r *importRun) read(ctx context.Context, records iter.Seq2[Record, error], once bool) error {
	for rec, err := range records {
		if bad, one := errors.AsType[*BadRecord](err); one {
			if err := r.bad(ctx, rec, bad); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("reading the directory: %w", err)
		}
		if again := r.sources[rec.Person.SourceID]; again && once {
			r.skip(rec, ErrTwice)
			continue
		} else if again {
			if err := r.flush(ctx); err != nil {
				return err
			}
		}
		delete(r.shut, rec.Person.SourceID)
		if err := r.take(ctx, rec); err != nil {
			return err
		}
	}
	return nil
}

func (r *importRun) steps(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
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
		r.place(rec)
	}
	r.problem(&rec, err)
}

// bad leaves a record out of which nothing can be made. That the directory bars
// the person holds all the same.
func (r *importRun) bad(ctx context.Context, rec Record, cause error) error {
	r.skip(rec, cause)
	was, known := r.Book.BySource(rec.Person.SourceID)
	if !known || was.Gone || was.Barred || !rec.Person.Barred || was.Directory != r.Directory {
		return nil
	}
	was.Barred = true
	_, err := r.store(ctx, []Change{{Person: was, KeepPhoto: true}})
	return err
}

// place remembers where in the directory somebody stands who has an id.
func (r *importRun) place(rec Record) {
	if p, known := r.Book.BySource(rec.Person.SourceID); known && rec.DN != "" {
		r.names.set(r.Place(rec.DN), p.ID)
	}
}

// take puts a record into the chunk. A record whose address is somebody else's
// waits until all others are in.
func (r *importRun) take(ctx context.Context, rec Record) error {
	p := &rec.Person
	p.Address, p.Directory = strings.ToLower(p.Address), r.Directory
	was, known := r.Book.BySource(p.SourceID)
	elsewhere := known && !was.Gone && was.Directory != r.Directory
	switch {
	case p.SourceID == "":
		r.skip(rec, ErrNoSource)
		return nil
	case p.Address == "":
		r.skip(rec, ErrNoAddress)
		return nil
	case elsewhere && r.Leaves != nil && r.Leaves(was.Directory):
		r.skip(rec, ErrElsewhere)
		return nil
	}
	r.sources[p.SourceID] = true
	holder, held := r.Book.ByAddress(p.Address)
	inRun, taken := r.addresses[p.Address]
	if taken && inRun != p.SourceID || held && holder.SourceID != p.SourceID {
		return r.postpone(ctx, rec)
	}
	r.addresses[p.Address] = p.SourceID
	if rec.waited && r.Settled != nil {
		r.Settled(p.SourceID)
	}
	return r.add(ctx, rec)
}

// add puts a record into the chunk, and stores the chunk when it is full.
func (r *importRun) add(ctx context.Context, rec Record) error {
	r.place(rec)
	r.taken = append(r.taken, rec)
	if len(rec.Photo) > 0 {
		r.photos++
		r.bytes += len(rec.Photo)
	}
	if len(r.taken) >= importChunk || r.photos >= importPhotos || r.bytes >= importBytes {
		return r.flush(ctx)
	}
	return nil
}

// flush stores the chunk and counts what it came to. Should the store refuse the
// chunk for one of the people in it, the others are stored without them.
func (r *importRun) flush(ctx context.Context) error {
	if len(r.taken) == 0 {
		return nil
	}
	changes, err := r.changes(ctx)
	if err != nil {
		return err
	}
	err = r.keep(ctx, changes)
	if parley.KindOf(err) == parley.Conflict {
		err = r.keepEach(ctx, changes)
	}
	if err != nil {
		return err
	}
	for _, rec := range r.taken {
		r.place(rec)
	}
	clear(r.taken) // lets go of the photos
	r.taken, r.photos, r.bytes = r.taken[:0], 0, 0
	return nil
}

// changes makes changes of people of the chunk.
func (r *importRun) changes(ctx context.Context) ([]Change, error) {
	changes := make([]Change, len(r.taken))
	for i := range r.taken {
		changes[i] = r.change(&r.taken[i])
	}
	return changes, r.picture(ctx, changes)
}

// change is a record as a change of a person, but for the photo.
func (r *importRun) change(rec *Record) Change {
	c := Change{Person: rec.Person, KeepPhoto: rec.waited, Moves: rec.moves}
	was, known := r.Book.BySource(c.Person.SourceID)
	c.Person.ID, c.Person.Manager = was.ID, 0
	if rec.ManagerDN == "" {
		return c
	}
	manager, found := r.byDN(rec.ManagerDN)
	if c.Person.Manager = manager; !found {
		c.Person.Manager = was.Manager
		same := c
		same.KeepPhoto = true // the photo is looked at later
		r.waiting = append(r.waiting, waiting{c.Person.SourceID, rec.ManagerDN, known && samePerson(was, same.result(was))})
	}
	return c
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

func (r *importRun) keepEach(ctx context.Context, chunk []Change) error {
	for i := range chunk {
		err := r.keep(ctx, chunk[i:i+1])
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
	ending := r.ending(changes)
	outcome, err := r.Book.applyWith(ctx, changes, func(o Outcome) parley.Alongside {
		if o.Added+o.Updated+o.Gone == 0 {
			return parley.Alongside{}
		}
		return parley.Alongside{Audit: []parley.Audit{{
			At: time.Now().UTC(), Actor: r.actor, Action: parley.AuditPeopleImported,
			Detail: fmt.Sprintf("added %d, changed %d, gone %d", o.Added, o.Updated, o.Gone),
		}}}
	})
	if err == nil && len(ending) > 0 {
		r.Ended(ctx, ending)
	}
	return outcome, err
}

// ending are the people who may sign in until these changes are made.
func (r *importRun) ending(changes []Change) []parley.PersonID {
	if r.Ended == nil {
		return nil
	}
	var people []parley.PersonID
	for _, c := range changes {
		was, known := r.Book.Person(c.Person.ID)
		if known && was.Enabled() && (c.Gone || c.Person.Barred) {
			people = append(people, was.ID)
		}
	}
	return people
}
