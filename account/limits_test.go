package account

import (
	"testing"
	"testing/synctest"

	"parley"
)

func TestLimitsChangeWhileItWorks(t *testing.T) {
	w := newWorld(t)
	wrong := func() error {
		_, err := w.SignIn(t.Context(), attempt("anna@example.org", "wrong"))
		return err
	}
	for range 3 {
		refused(t, wrong(), parley.SignIn, "sign-in.wrong")
	}
	w.SetLimits(Limits{Failures: 3}, 1)
	refused(t, wrong(), parley.TooMany, "sign-in.too-many") // what was counted counts
	w.SetLimits(Limits{Failures: 4}, 1)
	refused(t, wrong(), parley.SignIn, "sign-in.wrong")
	refused(t, wrong(), parley.TooMany, "sign-in.too-many")
	w.SetLimits(Limits{}, 1)
	refused(t, wrong(), parley.SignIn, "sign-in.wrong") // the default of 10
}

// More checkers work at once for whoever comes after the change, and those who
// worked before give back what they had taken.
func TestCheckersAreResized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.Checkers = 1 })
		w.hasher.block = make(chan struct{})
		results := make(chan error)
		try := func(n int) {
			for range n {
				go func() {
					_, err := w.SignIn(t.Context(), attempt("anna@example.org", "wrong"))
					results <- err
				}()
			}
			synctest.Wait()
		}
		try(2)
		if at := len(*w.checkers.slots.Load()); at != 1 {
			t.Errorf("%d at work with one checker", at)
		}
		w.SetLimits(Limits{}, 3)
		try(4)
		if at := len(*w.checkers.slots.Load()); at != 3 {
			t.Errorf("%d of the new ones at work, want 3", at)
		}
		close(w.hasher.block)
		for range 6 {
			<-results
		}
		if at, waiting := len(*w.checkers.slots.Load()), w.checkers.waiting.Load(); at != 0 || waiting != 0 {
			t.Errorf("%d at work and %d waiting in the end", at, waiting)
		}
	})
}
