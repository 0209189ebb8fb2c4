package server

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley"
	"parley/contact"
	"parley/edge/directory"
)

const (
	// maxEntryProblems is how many single entries are told of.
	maxEntryProblems = 50

	// maxKnownProblems is how many are remembered.
	maxKnownProblems = 1000

	// saveEvery is how often it is stored that nothing has changed.
	saveEvery = 20 * time.Second

	maxDetail = 500 // bytes
)

// records turns what the directory says into what contact takes: whoever is not in
// the groups that may sign in is barred.
func (f *follower) records(entries iter.Seq2[directory.Entry, error]) iter.Seq2[contact.Record, error] {
	return func(yield func(contact.Record, error) bool) {
		for entry, err := range entries {
			if bad, one := errors.AsType[*directory.RecordError](err); one {
				err = &contact.BadRecord{Err: bad.Err}
			} else if err == nil && len(entry.Warnings) > 0 {
				f.standing.entry(contact.Problem{SourceID: entry.Person.SourceID, DN: entry.DN, Err: entry.Warnings[0].Err})
			}
			if f.bars(&entry) {
				entry.Person.Barred = true
			}
			if !yield(recordOf(&entry), err) {
				return
			}
		}
	}
}

func recordOf(e *directory.Entry) contact.Record {
	return contact.Record{Person: e.Person, Line: e.Line, DN: e.DN, ManagerDN: e.ManagerDN, Photo: e.Photo}
}

// found gives changes in the form of a search.
func found(people []directory.Found) iter.Seq2[directory.Entry, error] {
	return func(yield func(directory.Entry, error) bool) {
		for _, p := range people {
			if !yield(p.Entry, p.Err) {
				return
			}
		}
	}
}

// entry notes what is wrong with one entry.
func (s *standing) entry(p contact.Problem) {
	if errors.Is(p.Err, contact.ErrHeldBack) || errors.Is(p.Err, contact.ErrNoMarkingGone) {
		return // of the whole: see held
	}
	key := p.SourceID
	if key == "" {
		key = p.DN
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.problems) < maxKnownProblems {
		s.problems[key] = contact.EntryProblem{DN: cleanText(p.DN), Text: cleanText(p.Err.Error())}
	}
}

func (s *standing) settled(source string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.problems, source)
}

// begin forgets what was wrong: everything is looked at again.
func (s *standing) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.problems)
}

func (s *standing) works() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.follows && s.state.FailingSince.IsZero()
}

// compared notes that everything was compared.
func (s *standing) compared(x *directory.Session, r contact.Report) {
	s.mu.Lock()
	s.follows, s.heldBack = true, 0
	s.state.LastFull = time.Now().UTC()
	s.lasting = [2]string{}
	if r.LeftAlone > 0 {
		s.lasting = [2]string{"directory.unreadable", contact.ErrNoMarkingGone.Error()}
	}
	s.mu.Unlock()
	s.held(r.HeldBack)
	s.inStep(x)
}

// inStep notes that everything up to now is taken over. It reports whether that is
// worth storing.
func (s *standing) inStep(x *directory.Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UTC()
	news := !s.state.FailingSince.IsZero() || s.state.Server != cleanText(x.Server) || now.Sub(s.saved) >= saveEvery
	s.state.Kind, s.state.Mode, s.state.Server = string(x.Kind), string(x.Mode), cleanText(x.Server)
	s.state.LastSync, s.state.FailingSince = now, time.Time{}
	s.state.Problem, s.state.Detail = s.lasting[0], s.lasting[1]
	if s.unjudged[0] != "" {
		s.state.Problem, s.state.Detail = s.unjudged[0], s.unjudged[1]
	}
	return news
}

func (s *standing) count(r contact.Report, groups contact.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.added += r.Added
	s.changed += r.Changed
	s.gone += r.Gone
	s.groups += groups.Added + groups.Updated + groups.Gone
}

// counts are what was taken over since the start.
func (s *standing) counts() (added, changed, gone, groups int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.added, s.changed, s.gone, s.groups
}

// failed notes that the directory cannot be followed, and tells the log once.
func (f *follower) failed(ctx context.Context, err error) {
	key := problemOf(err)
	f.standing.mu.Lock()
	s := &f.standing.state
	news := s.FailingSince.IsZero() || s.Problem != key
	if s.FailingSince.IsZero() {
		s.FailingSince = time.Now().UTC()
	}
	s.Problem, s.Detail = key, cleanText(err.Error())
	f.standing.agreed = 0 // to what may be different when it works again
	f.standing.mu.Unlock()
	if news {
		f.log.Warn("the directory cannot be followed; people and groups stay as they were", "problem", key, "error", err)
	}
	f.save(ctx)
}

// unjudged notes why the groups do not tell who may sign in; nil: they do. It tells
// the log once.
func (f *follower) unjudged(err error) {
	now := [2]string{}
	if err != nil {
		now = [2]string{problemOf(err), cleanText(err.Error())}
	}
	f.standing.mu.Lock()
	news := f.standing.unjudged != now
	f.standing.unjudged = now
	f.standing.mu.Unlock()
	if news && err != nil {
		f.log.Warn("the groups of ldap.users do not tell who may sign in; that stays as it was", "problem", now[0], "error", err)
	}
}

// cleanText makes a text of a directory one that every database stores and every
// screen shows: UTF-8 without control characters, and not long.
func cleanText(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) > maxDetail {
		end := maxDetail
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	return text
}

// problemOf gives the key of the text that says what is wrong.
func problemOf(err error) string {
	if errors.Is(err, errNobody) {
		return "directory.nobody"
	}
	return "directory." + directory.CauseOf(err)
}

// save stores how it stands, for the other nodes and the time after a restart.
func (f *follower) save(ctx context.Context) {
	f.standing.mu.Lock()
	state := f.standing.snapshot()
	f.standing.saved = time.Now().UTC()
	f.standing.mu.Unlock()
	if err := f.store.SetDirectoryState(ctx, state); err != nil && ctx.Err() == nil {
		f.log.Error("how the directory is followed was not stored", "error", err)
	}
}

// snapshot is the state with the first problems by DN. mu is held.
func (s *standing) snapshot() contact.DirectoryState {
	state := s.state
	state.Directory = parley.LDAP
	list := slices.SortedFunc(maps.Values(s.problems), func(a, b contact.EntryProblem) int {
		if a.DN < b.DN {
			return -1
		}
		return 1
	})
	state.Problems = list[:min(len(list), maxEntryProblems)]
	return state
}

// state is how it stands. A node that does not follow the directory tells what the
// one that does has stored.
func (f *follower) state(ctx context.Context) (contact.DirectoryState, bool, error) {
	f.standing.mu.Lock()
	own, state := f.standing.follows || !f.standing.state.FailingSince.IsZero(), f.standing.snapshot()
	f.standing.mu.Unlock()
	if own && f.leads() {
		return state, true, nil
	}
	state, err := f.store.DirectoryState(ctx, parley.LDAP)
	return state, true, err
}

// size counts the people and the groups of the directory.
func (f *follower) size() (people, groups int) {
	for _, source := range f.book.GroupSources(parley.LDAP) {
		if !strings.HasPrefix(source, administratorsPrefix) {
			groups++
		}
	}
	return f.book.Size(parley.LDAP), groups
}

// inAdministrators reports whether the directory makes somebody an administrator.
func (f *follower) inAdministrators(person parley.PersonID) bool {
	return len(f.config.Administrators) > 0 && f.book.InGroup(person, f.administrators)
}
