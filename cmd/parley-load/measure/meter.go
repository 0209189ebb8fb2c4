package measure

import "time"

// Meter measures a stretch of work: how long it took, and the processor time
// that the server, this program, and everything else on the machine used for it.
// So whoever reads a figure sees what limited it and how disturbed it was.
type Meter struct {
	pid                int
	began              time.Time
	server, own, whole time.Duration
}

// Stretch is what a Meter measured.
type Stretch struct {
	Wall   time.Duration
	Server time.Duration // processor time of the server; 0 when it is not known
	Own    time.Duration // of this program
	Rest   time.Duration // of everything else
	RSS    int64         // of the server at the end, in bytes
}

// Begin starts measuring. pid is the server's; 0 when it is not known.
func Begin(pid int) Meter {
	m := Meter{pid: pid, own: ownCPU(), whole: machineBusy()}
	if pid > 0 {
		if used, err := UsageOf(pid); err == nil {
			m.server = used.CPU
		}
	}
	m.began = time.Now()
	return m
}

// End gives what the stretch since Begin took.
func (m Meter) End() Stretch {
	s := Stretch{Wall: time.Since(m.began)}
	if m.pid > 0 {
		if used, err := UsageOf(m.pid); err == nil {
			s.Server, s.RSS = max(used.CPU-m.server, 0), used.RSS
		}
	}
	s.Own = ownCPU() - m.own
	s.Rest = max(machineBusy()-m.whole-s.Own-s.Server, 0)
	return s
}

// Add joins two stretches into one as long as both.
func (s Stretch) Add(t Stretch) Stretch {
	return Stretch{Wall: s.Wall + t.Wall, Server: s.Server + t.Server, Own: s.Own + t.Own, Rest: s.Rest + t.Rest, RSS: t.RSS}
}

// PerSecond is the rate of n things done in the stretch.
func (s Stretch) PerSecond(n uint64) float64 {
	if s.Wall <= 0 {
		return 0
	}
	return float64(n) / s.Wall.Seconds()
}

// PerCoreSecond is the rate of n things for each second of a processor that the
// server used: what other work on the machine changes least. 0 when it is not
// known.
func (s Stretch) PerCoreSecond(n uint64) float64 {
	if s.Server <= 0 {
		return 0
	}
	return float64(n) / s.Server.Seconds()
}

// Cores is how many processors were busy with a share of the stretch.
func (s Stretch) Cores(used time.Duration) float64 {
	if s.Wall <= 0 {
		return 0
	}
	return used.Seconds() / s.Wall.Seconds()
}
