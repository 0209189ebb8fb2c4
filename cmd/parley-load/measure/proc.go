package measure

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// tick is the unit of processor times in /proc: USER_HZ is 100 wherever Linux
// runs.
const tick = 10 * time.Millisecond

// Usage is what a process has used.
type Usage struct {
	CPU time.Duration // user and system, since it began
	RSS int64         // bytes resident now
}

// MiB is the resident memory in MiB.
func (u Usage) MiB() float64 { return float64(u.RSS) / (1 << 20) }

// UsageOf reads what a process and all processes under it have used: a peer may
// keep its store in a child.
func UsageOf(pid int) (Usage, error) {
	var sum Usage
	for i, p := range family(pid) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
		if err != nil && i > 0 {
			continue // a child that has ended meanwhile
		}
		if err != nil {
			return sum, fmt.Errorf("reading what process %d used: %w", p, err)
		}
		one, err := parseStat(text)
		if err != nil {
			return sum, fmt.Errorf("reading what process %d used: %w", p, err)
		}
		sum.CPU += one.CPU
		sum.RSS += one.RSS
	}
	return sum, nil
}

// family lists a process and those under it.
func family(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", all[i], all[i]))
		if err != nil {
			continue // gone, or the kernel does not say
		}
		for _, field := range bytes.Fields(children) {
			if child, err := strconv.Atoi(string(field)); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}

// The fields of /proc/PID/stat behind the command's name, counted from 0 (proc(5)).
const (
	statUser   = 11
	statSystem = 12
	statPages  = 21
)

var errStat = errors.New("not the form of /proc/PID/stat")

// parseStat reads the text of /proc/PID/stat. The command's name stands in
// parentheses and may hold anything, parentheses included.
func parseStat(text []byte) (Usage, error) {
	_, rest, found := lastCut(text, ')')
	fields := bytes.Fields(rest)
	if !found || len(fields) <= statPages {
		return Usage{}, errStat
	}
	var numbers [3]int64
	for i, at := range []int{statUser, statSystem, statPages} {
		n, err := strconv.ParseInt(string(fields[at]), 10, 64)
		if err != nil || n < 0 {
			return Usage{}, errStat
		}
		numbers[i] = n
	}
	return Usage{
		CPU: time.Duration(numbers[0]+numbers[1]) * tick,
		RSS: numbers[2] * int64(os.Getpagesize()),
	}, nil
}

func lastCut(text []byte, sep byte) (before, after []byte, found bool) {
	if i := bytes.LastIndexByte(text, sep); i >= 0 {
		return text[:i], text[i+1:], true
	}
	return text, nil, false
}

// ownCPU is the processor time that this program has used.
func ownCPU() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// The columns of the first line of /proc/stat (proc(5)), counted from 0.
const (
	cpuIdle  = 3
	cpuWait  = 4
	cpuGuest = 8 // this and the next are counted in the first two already
)

// parseBusy reads from the text of /proc/stat how long all processors together
// were not idle.
func parseBusy(text []byte) time.Duration {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) == 0 || string(fields[0]) != "cpu" {
		return 0
	}
	var ticks int64
	for i, field := range fields[1:] {
		if i == cpuIdle || i == cpuWait || i >= cpuGuest {
			continue
		}
		if n, err := strconv.ParseInt(string(field), 10, 64); err == nil && n > 0 {
			ticks += n
		}
	}
	return time.Duration(ticks) * tick
}

func machineBusy() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	return parseBusy(text)
}
