package store

import (
	"fmt"
	"math"
	"time"

	"parley"
	"parley/conversation"
)

// farBehind is how many entries of other nodes are read with the turn given up in
// between, so that they need not wait.
const farBehind = 4 * batchLimit

// commit makes the item and what else is waiting durable, and answers.
func (w *writer) commit(first item) {
	if w.session == nil || w.ended != nil {
		if first.done != nil {
			first.done(0, errOutOfReach)
		}
		return
	}
	b := w.newBatch()
	if first.done != nil {
		b.waiting = append(b.waiting, outcome{item: first})
	}
	started := time.Now()
	err := w.together(b, first.bulk)
	if _, failure := storageFailure(err); err != nil && !failure && b.tx != nil && b.tx.spoiled() {
		b, err = w.oneByOne(b)
	}
	b.end()
	if err != nil {
		w.abort(b, err)
		return
	}
	w.stats.commit(b, time.Since(started))
	if len(w.heads) > maxHeads {
		clear(w.heads) // they are read again when they are needed
	}
	w.publish(b)
}

func (w *writer) newBatch() *batch {
	b := &batch{cursors: w.cursors, heads: w.heads, now: time.Now().UTC().Truncate(time.Millisecond)}
	b.feeds = w.engine.shared()
	b.ctx, b.end = w.engine.patience()
	return b
}

// together commits the items of the batch and those that wait, sending as much as
// possible at once. Its error concerns the whole batch.
func (w *writer) together(b *batch, bulk bool) error {
	if err := w.begin(b, false); err != nil {
		return err
	}
	if err := w.fill(b, bulk); err != nil {
		return err
	}
	return b.commit()
}

// oneByOne commits the items of a batch that has failed, each by itself, so that
// only those are refused that are to blame.
func (w *writer) oneByOne(failed *batch) (*batch, error) {
	w.undo(failed)
	failed.end()
	b := w.newBatch()
	b.careful = true
	for _, o := range failed.waiting {
		b.waiting = append(b.waiting, outcome{item: o.item})
	}
	if err := w.begin(b, true); err != nil {
		return b, err
	}
	if err := w.applyAll(b, b.waiting); err != nil {
		return b, err
	}
	return b, b.commit()
}

// begin starts the batch's transaction where the log ends by then. What other
// nodes have committed is told before.
func (w *writer) begin(b *batch, careful bool) error {
	for attempt := 0; ; attempt++ {
		tx, at, err := w.engine.begin(b.ctx, w.session, careful)
		if err != nil {
			return fmt.Errorf("beginning a commit: %w", err)
		}
		b.tx = tx
		if !w.engine.shared() {
			at = w.at()
		}
		// Whoever is told of changes may have to read, and others wait meanwhile.
		giveUpTurn := attempt < 3 && (at.seq > w.seq || at.head-w.at().head > farBehind)
		if giveUpTurn {
			b.tx = nil
			if err := tx.rollback(); err != nil {
				return fmt.Errorf("letting other nodes go first: %w", err)
			}
		}
		if err := w.follow(b.ctx, at); err != nil {
			return err
		}
		if !giveUpTurn {
			b.began, b.head = at, at.head
			return nil
		}
	}
}

// fill applies what is in the batch, then changes as long as any wait and there
// is room, and then at most one step of bulk work.
func (w *writer) fill(b *batch, bulk bool) error {
	started := time.Now()
	for done := 0; ; {
		for w.more(b, started) {
		}
		some := b.waiting[done:]
		if len(some) == 0 {
			break
		}
		if err := w.applyAll(b, some); err != nil {
			return err
		}
		done += len(some)
		if w.engine.shared() { // others wait for their turn
			break
		}
	}
	if !bulk && w.bulkTurn() {
		select {
		case it := <-w.bulk:
			b.waiting = append(b.waiting, outcome{item: it})
			if err := w.apply(b, &b.waiting[len(b.waiting)-1]); err != nil {
				return err
			}
		default:
		}
	}
	select {
	case <-w.cursors.due:
		return b.writeCursors(maxCursors)
	default:
		return nil
	}
}

// more takes another change into the batch, if one waits and there is room.
func (w *writer) more(b *batch, started time.Time) bool {
	if len(b.waiting) >= batchLimit || time.Since(started) >= batchTime {
		return false
	}
	select {
	case it := <-w.queue:
		b.waiting = append(b.waiting, outcome{item: it})
		return true
	default:
		return false
	}
}

// bulkTurn gives bulk work its turn when no change is left over, and else with
// every second commit.
func (w *writer) bulkTurn() bool {
	turn := w.starved || len(w.queue) == 0
	w.starved = !turn
	return turn
}

// applyAll admits the entries among the items and runs all of them.
func (w *writer) applyAll(b *batch, items []outcome) error {
	var entries []*parley.Entry
	for i := range items {
		if o := &items[i]; o.op == nil {
			o.admitted = o.entry
			o.refusal = w.admit(&o.admitted)
			entries = append(entries, &o.admitted)
		}
	}
	if !b.careful && len(entries) > 0 {
		if err := b.tx.expect(entries, b.heads); err != nil {
			return err
		}
	}
	for i := range items {
		if err := w.apply(b, &items[i]); err != nil {
			return err
		}
	}
	return nil
}

// apply runs one item. Its error concerns the whole batch; what concerns the
// item alone goes into its outcome.
func (w *writer) apply(b *batch, o *outcome) error {
	op := o.op
	switch op.(type) {
	case nil:
		if !b.careful {
			return o.settle(b, o.place(b))
		}
		op = alone{o}
	case ordering:
		if err := b.writeCursors(math.MaxInt); err != nil {
			return err
		}
	}
	return o.settle(b, b.run(op))
}

// alone is an entry that is put into the log like an operation: if that fails, the
// database forgets about it.
type alone struct{ o *outcome }

func (a alone) apply(b *batch) error { return a.o.place(b) }

// settle books how an item went, unless that concerns the whole batch.
func (o *outcome) settle(b *batch, err error) error {
	if err != nil && b.broken(err) {
		return err
	}
	if err != nil {
		o.pos, o.err, o.silent = 0, err, false
	}
	return nil
}

// place puts an entry into the log, or finds where it is already.
func (o *outcome) place(b *batch) error {
	e := &o.admitted
	if o.refusal != nil {
		pos, known, err := b.tx.find(e.Device, e.ClientID)
		if o.err = o.refusal; known {
			o.pos, o.err = pos, conversation.ErrKnown
		}
		return err
	}
	left, err := b.tx.left(e)
	if err != nil {
		return err
	}
	if left {
		pos, known, err := b.tx.find(e.Device, e.ClientID)
		if o.err = conversation.ErrElsewhere; known {
			o.pos, o.err = pos, conversation.ErrKnown
		}
		return err
	}
	fresh, err := b.append(*e)
	if err != nil {
		return fmt.Errorf("inserting an entry: %w", err)
	}
	if fresh {
		o.silent = true
		return nil
	}
	o.err = conversation.ErrKnown
	o.pos, err = b.known(e.Device, e.ClientID)
	return err
}

// publish tells of a commit: first the entries, then everybody who waits.
func (w *writer) publish(b *batch) {
	if w.failing {
		w.failing = false
		w.log.Info("storing works again")
	}
	w.reach.succeeded()
	end := b.ends()
	w.reached(end)
	if end != b.began {
		w.wakeOthers()
	}
	w.note()
	if len(b.entries) > 0 {
		w.committed(b.entries)
	}
	if b.jobs {
		w.jobs()
	}
	for i := range b.waiting {
		if o := &b.waiting[i]; !o.silent {
			o.done(o.pos, o.err)
		}
	}
}

// note says that there is something to tidy.
func (w *writer) note() {
	select {
	case w.wrote <- struct{}{}:
	default:
	}
}

// alone commits one operation on the caller's goroutine, once run has returned.
func (w *writer) alone(op operation) (err error) {
	w.commit(item{op: op, bulk: true, done: func(_ parley.Pos, e error) { err = e }})
	return err
}

// undo takes back what a batch did.
func (w *writer) undo(b *batch) {
	if b.tx != nil {
		// The database may have rolled back by itself; then this fails and is right.
		_ = b.tx.rollback()
	}
	clear(w.heads)
	w.cursors.putBack(b.taken)
}

// abort takes the batch back and tells everybody in it that nothing was stored.
// When the connection was lost during the commit itself, it may have been stored
// all the same: then it is told of like what other nodes committed.
func (w *writer) abort(b *batch, cause error) {
	w.undo(b)
	w.stats.failures.Add(1)
	refusal, ok := storageFailure(cause)
	if !ok {
		refusal = &parley.Error{Kind: parley.Unavailable, Key: "store.unavailable", Err: cause}
	}
	if !w.failing {
		w.failing = true
		w.log.Error("storing failed, nothing of it was acknowledged", "error", cause, "waiting", len(b.waiting))
	}
	w.failed()
	for i := range b.waiting {
		b.waiting[i].done(0, refusal)
	}
}
