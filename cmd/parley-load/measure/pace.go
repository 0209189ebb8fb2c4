package measure

import (
	"context"
	"syscall"
	"time"
)

// Pace is a schedule of evenly spaced moments: the load that is offered whether
// or not the server keeps up. What is late is done at once, so that no stall of
// the server lowers the load that it is asked to bear.
type Pace struct {
	Start time.Time
	Rate  float64 // moments a second; above 0

	// Sleep waits about so long. Nil: in the kernel, because the timers of a Go
	// program that is idle otherwise are a millisecond late.
	Sleep func(time.Duration)
}

// At is when the moment with a number is due, counted from 0.
func (p *Pace) At(number int) time.Time {
	return p.Start.Add(time.Duration(float64(number) / p.Rate * float64(time.Second)))
}

// slack is how much too early a moment may be: less than what a sleep costs.
const slack = 20 * time.Microsecond

// longestSleep is how soon a wait notices that its context has ended.
const longestSleep = 100 * time.Millisecond

// Await waits until the moment with a number is due and returns when that was
// meant to be; false when ctx ended first.
func (p *Pace) Await(ctx context.Context, number int) (due time.Time, ok bool) {
	sleep := p.Sleep
	if sleep == nil {
		sleep = kernelSleep
	}
	for due = p.At(number); ctx.Err() == nil; {
		left := time.Until(due)
		if left < slack {
			return due, true
		}
		sleep(min(left, longestSleep))
	}
	return due, false
}

// kernelSleep blocks a thread. Woken early by a signal it returns early.
func kernelSleep(d time.Duration) {
	spec := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&spec, nil)
}
