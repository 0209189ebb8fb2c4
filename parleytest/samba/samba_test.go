//go:build linux

package samba_test

import (
	"regexp"
	"testing"

	"parley/parleytest/org"
	"parley/parleytest/samba"
)

// Every state gives the sub-code that it stands for.
func TestStates(t *testing.T) {
	s := samba.Start(t, samba.Options{People: 40, Photos: 10})
	people := org.People(org.Options{People: 40, Base: samba.Base, AD: true})
	login := func(i int) string { return people[i].Login }
	s.Disable(login(3), true)
	s.MustChange(login(4))
	s.Expire(login(5))
	s.NoHours(login(6))
	s.OnlyAt(login(7), "PC1")
	s.ExpirePassword(login(8))
	s.Lock(login(9))
	s.SetPassword(login(10), "An0ther one")
	s.Stop()
	s.Restart()
	code := regexp.MustCompile(`data ([0-9a-f]+)`)
	for i, want := range map[int]string{
		org.Head: "", org.Special: "", 3: "533", 4: "773", 5: "701", 6: "530", 7: "531", 8: "532", 9: "775", 10: "52e",
	} {
		err, got := s.Bind(login(i), org.Password), ""
		if err != nil {
			if found := code.FindStringSubmatch(err.Error()); found != nil {
				got = found[1]
			} else {
				got = err.Error()
			}
		}
		if got != want {
			t.Errorf("%d: %q, want %q", i, got, want)
		}
	}
}
