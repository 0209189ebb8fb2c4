//go:build unix

package server_test

import (
	"fmt"
	"testing"

	"parley/edge/webapi"
	"parley/parleytest/org"
	"parley/parleytest/slapd"
)

// Whoever is changed while the directory is away stays, and stays signed in; who is
// deleted meanwhile goes.
//
// claim: CC3
func TestCC3WhatChangedWhileTheDirectoryWasAway(t *testing.T) {
	s := slapd.Start(t, slapd.Options{People: 20})
	all := org.People(org.Options{People: 20, Base: slapd.Base})
	w := follow(t, overSlapd(s))
	full := w.untilCompared().LastFull
	device := w.signIn(all[12].Login)
	s.Stop()
	w.until("a failure", func(s webapi.DirectoryState) bool { return s.FailingSince != "" })
	s.Restart()
	for i := 10; i < 16; i++ {
		s.Set(all[i].DN, "title", fmt.Sprint("During ", i))
	}
	s.Delete(all[16].DN)
	state := w.until("19 people in step", func(s webapi.DirectoryState) bool { return s.FailingSince == "" && s.People <= 19 })
	if state.People != 19 || state.LastFull != full || state.Problem != "" || signedOut(t, device) {
		t.Errorf("signed out %v, %+v", signedOut(t, device), state)
	}
	for i := 10; i < 16; i++ {
		title := fmt.Sprint("During ", i)
		eventually(t, title, func() bool {
			found := w.admin.Search(all[i].Login).People
			return len(found) == 1 && found[0].Title == title
		})
	}
}
