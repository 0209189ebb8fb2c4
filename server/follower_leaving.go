package server

import (
	"fmt"
	"time"

	"parley/contact"
)

// leaving is how many people left at once.
type leaving struct {
	at     time.Time
	people int
}

// mayGo says whether so many people may be missing, together with those who left a
// short time ago. Nobody at all, and many of all, look like a wrong base or filter,
// or like a right that the account lost. An administrator's word holds for as many
// as they were shown.
func (f *follower) mayGo(missing, people int) bool {
	if missing > 0 && missing <= f.agreed {
		f.byWord = true
		return true
	}
	recent := 0
	for _, l := range f.left {
		if time.Since(l.at) < missingWindow {
			recent += l.people
		}
	}
	return missing < people && fewEnough(missing+recent, people+recent)
}

// fewEnough says whether so many of all may leave within missingWindow.
func fewEnough(leave, all int) bool {
	return leave <= manyMissing || missingShare*leave <= all
}

// leave notes who left in a run, but for those of whom an administrator knew.
func (f *follower) leave(r contact.Report) {
	if r.Gone > 0 && !f.byWord {
		f.left = append(f.left, leaving{time.Now(), r.Gone})
	}
	for len(f.left) > 0 && time.Since(f.left[0].at) >= missingWindow {
		f.left = f.left[1:]
	}
	f.agreed, f.byWord = 0, false
}

// agree lets as many people go with the next comparison as are shown to be missing,
// and a few more, for people leave all the time.
func (s *standing) agree() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agreed, s.agreedAt = s.heldBack+s.heldBack/10, time.Now()
}

// agreement takes the administrator's word, which holds once.
func (s *standing) agreement() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	agreed := s.agreed
	s.agreed = 0
	if time.Since(s.agreedAt) >= agreedFor {
		return 0
	}
	return agreed
}

// held notes more people who would be gone if an administrator agreed.
func (s *standing) held(people int) {
	if people == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heldBack += people
	s.lasting = [2]string{"directory.held-back", fmt.Sprint(s.heldBack)}
}
