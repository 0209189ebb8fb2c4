package contact

import (
	"context"
	"maps"
	"slices"

	"parley"
)

// missing marks people gone, or counts them, who have no record in the export.
func (r *importRun) missing(ctx context.Context, complete bool) error {
	if complete && r.lost {
		r.problem(&Record{}, ErrNoMarkingGone)
		complete = false
	}
	ids := r.Book.missing(r.Directory, r.sources)
	if !complete {
		r.report.LeftAlone += len(ids)
		return nil
	}
	return r.end(ctx, ids)
}

// leave marks the people of these records gone.
func (r *importRun) leave(ctx context.Context, ended []string) error {
	var ids []parley.PersonID
	for _, source := range ended {
		if r.sources[source] {
			continue
		}
		if _, waited := r.shut[source]; waited {
			delete(r.shut, source)
			if r.Settled != nil {
				r.Settled(source)
			}
		}
		if p, known := r.Book.BySource(source); known && !p.Gone && p.Directory == r.Directory {
			ids = append(ids, p.ID)
		}
	}
	slices.Sort(ids)
	return r.end(ctx, slices.Compact(ids))
}

// end marks people gone, unless there are too many for it to be true.
func (r *importRun) end(ctx context.Context, ids []parley.PersonID) error {
	if len(ids) > 0 && r.MayGo != nil && !r.MayGo(len(ids), r.Book.Size(r.Directory)) {
		r.report.HeldBack += len(ids)
		r.problem(&Record{}, ErrHeldBack)
		return nil
	}
	gone := make([]Change, len(ids))
	for i, id := range ids {
		gone[i] = Change{Person: parley.Person{ID: id}, Gone: true}
		r.names.drop(id)
	}
	return r.inChunks(ctx, gone, func(o Outcome) { r.report.Gone += o.Gone })
}

// managers settles who was waiting for a manager, in this run or an earlier one.
func (r *importRun) managers(ctx context.Context) error {
	var changes []Change
	for _, w := range r.waiting {
		p, known := r.Book.BySource(w.sourceID)
		if !known {
			continue
		}
		manager, found := r.byDN(w.managerDN)
		if !found {
			r.report.UnknownManagers++
			r.names.want(r.Place(w.managerDN), p.ID)
			continue
		}
		if p.Manager == manager {
			continue
		}
		if w.unchanged {
			r.report.Unchanged--
			r.report.Changed++
		}
		p.Manager = manager
		changes = append(changes, Change{Person: p, KeepPhoto: true})
	}
	for person, manager := range r.names.found() {
		p, known := r.Book.Person(person)
		if known && !p.Gone && p.Manager != manager && !r.sources[p.SourceID] {
			p.Manager = manager
			changes = append(changes, Change{Person: p, KeepPhoto: true})
		}
	}
	return r.inChunks(ctx, changes, func(Outcome) {})
}

func (r *importRun) inChunks(ctx context.Context, changes []Change, count func(Outcome)) error {
	for chunk := range slices.Chunk(changes, importChunk) {
		o, err := r.store(ctx, chunk)
		if err != nil {
			return err
		}
		count(o)
	}
	return nil
}

// postpone lets a record wait for its address.
func (r *importRun) postpone(ctx context.Context, rec Record) error {
	if len(r.postponed) >= maxPostponed {
		return r.shutOut(ctx, rec, ErrAddressTaken)
	}
	r.postponed = append(r.postponed, rec)
	return nil
}

// again takes the postponed records, those of earlier runs too, whose address may
// be free by now, as often as one that moves on makes room for another. People who
// exchange addresses with each other move at once.
func (r *importRun) again(ctx context.Context) error {
	for _, source := range slices.Sorted(maps.Keys(r.shut)) {
		if !r.sources[source] {
			r.postponed = append(r.postponed, r.shut[source])
			delete(r.shut, source)
		}
	}
	for len(r.postponed) > 0 {
		before := r.postponed
		r.postponed = nil
		for _, rec := range before {
			if err := r.take(ctx, rec); err != nil {
				return err
			}
		}
		if err := r.flush(ctx); err != nil {
			return err
		}
		if len(r.postponed) < len(before) {
			continue
		}
		if moved, err := r.exchange(ctx); err != nil {
			return err
		} else if !moved {
			break
		}
	}
	return r.leaveOut(ctx)
}

// leaveOut reports the records that cannot have their address.
func (r *importRun) leaveOut(ctx context.Context) error {
	moving := make(map[string]bool, len(r.postponed))
	for _, rec := range r.postponed {
		moving[rec.Person.SourceID] = true
	}
	for _, rec := range r.postponed {
		holder, _ := r.Book.ByAddress(rec.Person.Address)
		cause := ErrAddressTaken
		if moving[holder.SourceID] && holder.SourceID != rec.Person.SourceID {
			cause = ErrAddressSwap
		}
		if err := r.shutOut(ctx, rec, cause); err != nil {
			return err
		}
	}
	return r.flush(ctx)
}

// shutOut is what becomes of somebody whose address another person has: somebody
// new stays out, and somebody known keeps the address that they have. Both are
// looked at again with every update.
func (r *importRun) shutOut(ctx context.Context, rec Record, cause error) error {
	kept := rec
	kept.Photo, kept.waited = nil, true
	if len(r.shut) < maxPostponed {
		r.shut[rec.Person.SourceID] = kept
	}
	if rec.waited {
		return nil // it was told and done before
	}
	was, known := r.Book.BySource(rec.Person.SourceID)
	if !known || was.Gone {
		r.skip(rec, cause)
		return nil
	}
	r.problem(&rec, cause)
	rec.Person.Address = was.Address
	return r.add(ctx, rec)
}

// exchange moves people whose addresses go round in a circle, the whole circle in
// one chunk. It reports whether there was one.
func (r *importRun) exchange(ctx context.Context) (bool, error) {
	place := make(map[string]int, len(r.postponed)) // in postponed, by SourceID
	for i, rec := range r.postponed {
		place[rec.Person.SourceID] = i
	}
	for i := range r.postponed {
		circle := r.circle(i, place)
		if len(circle) == 0 {
			continue
		}
		for _, at := range circle {
			rec := r.postponed[at]
			rec.moves = true
			r.addresses[rec.Person.Address] = rec.Person.SourceID
			r.taken = append(r.taken, rec)
		}
		if err := r.flush(ctx); err != nil {
			return false, err
		}
		slices.Sort(circle)
		for _, at := range slices.Backward(circle) {
			r.postponed = slices.Delete(r.postponed, at, at+1)
		}
		return true, nil
	}
	return false, nil
}

// circle follows who has the address that somebody wants, and so on, until it
// comes round to the first.
func (r *importRun) circle(first int, place map[string]int) []int {
	var circle []int
	for at := first; len(circle) < importChunk; {
		circle = append(circle, at)
		holder, held := r.Book.ByAddress(r.postponed[at].Person.Address)
		next, moves := place[holder.SourceID]
		switch {
		case !held || !moves:
			return nil
		case next == first:
			return circle
		}
		at = next
	}
	return nil
}

// missing gives the people of a directory who have no record in an export.
func (b *Book) missing(directory string, sources map[string]bool) []parley.PersonID {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var ids []parley.PersonID
	for _, e := range b.people {
		if e != nil && !e.person.Gone && e.person.Directory == directory && e.person.SourceID != "" && !sources[e.person.SourceID] {
			ids = append(ids, e.person.ID)
		}
	}
	return ids
}

// Size counts the people of a directory who are not gone.
func (b *Book) Size(directory string) int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	n := 0
	for _, e := range b.people {
		if e != nil && !e.person.Gone && e.person.Directory == directory {
			n++
		}
	}
	return n
}
