package measure

import "sync"

// Ledger is the account of what one sender sent to one receiver: numbered from 0,
// each once, in order. It says what of it was lost, doubled or overtaken.
type Ledger struct {
	mu         sync.Mutex
	sent       uint64
	accepted   uint64
	next       uint64              // the lowest number that is higher than every arrived one
	missing    map[uint64]struct{} // numbers below next that have not arrived
	duplicated uint64
	disordered uint64
	strange    uint64
}

// Tally is what a Ledger, or many, found.
type Tally struct {
	Sent       uint64
	Accepted   uint64 // the sender was told so
	Arrived    uint64 // each counted once
	Lost       uint64 // sent and never arrived
	Duplicated uint64 // arrived once more
	Disordered uint64 // arrived behind a later one
	Strange    uint64 // arrived with a number that was never sent
}

// Send gives the number of the next message.
func (l *Ledger) Send() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	return l.sent - 1
}

// Accept notes that the server took a message.
func (l *Ledger) Accept() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accepted++
}

// maxMissing bounds what is remembered of gaps: behind so many nobody asks any
// more which ones were missing.
const maxMissing = 1 << 20

// Arrive notes that the message with a number is there, and reports whether that
// is news: the first time.
func (l *Ledger) Arrive(number uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case number >= l.sent:
		l.strange++
		return false
	case number >= l.next:
		for n := l.next; n < number && len(l.missing) < maxMissing; n++ {
			if l.missing == nil {
				l.missing = map[uint64]struct{}{}
			}
			l.missing[n] = struct{}{}
		}
		l.next = number + 1
		return true
	}
	if _, late := l.missing[number]; !late {
		l.duplicated++
		return false
	}
	delete(l.missing, number)
	l.disordered++
	return true
}

// Tally sums up. What is on its way counts as lost.
func (l *Ledger) Tally() Tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	lost := uint64(len(l.missing)) + l.sent - l.next
	return Tally{
		Sent: l.sent, Accepted: l.accepted, Arrived: l.sent - lost, Lost: lost,
		Duplicated: l.duplicated, Disordered: l.disordered, Strange: l.strange,
	}
}

// Add adds up two tallies.
func (t Tally) Add(u Tally) Tally {
	return Tally{
		Sent: t.Sent + u.Sent, Accepted: t.Accepted + u.Accepted, Arrived: t.Arrived + u.Arrived, Lost: t.Lost + u.Lost,
		Duplicated: t.Duplicated + u.Duplicated, Disordered: t.Disordered + u.Disordered, Strange: t.Strange + u.Strange,
	}
}
