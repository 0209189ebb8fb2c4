package server_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"parley/edge/webapi"
	"parley/parleytest"
)

// disk is a place for data that a test can fill and empty.
type disk struct {
	data  string
	fill  func(t *testing.T, p *parleytest.Process)
	empty func(t *testing.T, p *parleytest.Process)
}

// limited is a folder in which the process may not write: the system refuses
// every byte, as it does when a quota is used up.
func limited(t *testing.T) disk {
	var before unix.Rlimit
	set := func(t *testing.T, p *parleytest.Process, limit unix.Rlimit) {
		if err := unix.Prlimit(p.PID(), unix.RLIMIT_FSIZE, &limit, nil); err != nil {
			t.Fatalf("limiting the server's files: %v", err)
		}
	}
	return disk{
		data: t.TempDir(),
		fill: func(t *testing.T, p *parleytest.Process) {
			if err := unix.Prlimit(p.PID(), unix.RLIMIT_FSIZE, nil, &before); err != nil {
				t.Fatalf("reading the limit of the server's files: %v", err)
			}
			set(t, p, unix.Rlimit{Cur: 1, Max: before.Max})
		},
		empty: func(t *testing.T, p *parleytest.Process) { set(t, p, before) },
	}
}

// small is a real, small disk. Making one needs rights that not everybody has.
func small(t *testing.T) (disk, bool) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=12m,mode=700"); err != nil {
		t.Logf("no small disk can be made here (%v)", err)
		return disk{}, false
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("removing the small disk: %v", err)
		}
	})
	filler := filepath.Join(dir, "filler")
	return disk{
		data: filepath.Join(dir, "data"),
		fill: func(t *testing.T, _ *parleytest.Process) {
			file, err := os.Create(filler)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			for size := 1 << 20; size > 0; size /= 2 { // the last bytes, too
				for err = nil; err == nil; {
					_, err = io.WriteString(file, strings.Repeat("x", size))
				}
				if !errors.Is(err, syscall.ENOSPC) {
					t.Fatalf("filling the disk: %v", err)
				}
			}
		},
		empty: func(t *testing.T, _ *parleytest.Process) {
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
		},
	}, true
}

// While nothing can be stored nothing is acknowledged, and what needs no storing
// works on. With room again everything goes through, once and in order.
//
// claim: IM2
func TestIM2FullDisk(t *testing.T) {
	t.Run("quota", func(t *testing.T) { fullDisk(t, limited(t)) })
	t.Run("disk", func(t *testing.T) {
		if d, ok := small(t); ok {
			if err := os.Mkdir(d.data, 0o700); err != nil {
				t.Fatal(err)
			}
			fullDisk(t, d)
		}
	})
}

func fullDisk(t *testing.T, d disk) {
	p := parleytest.StartProcessIn(t, d.data)
	hanna, desk, kwame := p.SignIn("hanna").Online(), p.SignIn("hanna").Online(), p.SignIn("kwame").Online()
	talk := hanna.With(kwame)
	hanna.Say(kwame, "before")
	kwame.Hears(hanna, "before")
	d.fill(t, p)

	// The write-ahead log may have room left: write until there is none.
	var sent []string
	var refused webapi.Problem
	for i := 0; refused.Title == ""; i++ {
		if i == 2000 {
			t.Fatal("the disk does not get full")
		}
		sent = append(sent, fmt.Sprintf("%04d %s", i, strings.Repeat("x", 8000)))
		refused = hanna.Answered(hanna.Queue(talk, sent[i]))
	}
	if refused.Title != "full" || refused.Status != 507 || refused.Retry != "later" {
		t.Errorf("a message is refused with %+v", refused)
	}
	missing := sent[len(sent)-1]
	if slices.Contains(hanna.Texts(talk), missing) {
		t.Error("a message that was not stored was acknowledged")
	}
	if hanna.Pending() != 1 {
		t.Errorf("%d messages wait, want the one that was refused", hanna.Pending())
	}
	if answer := hanna.Ask("PUT", "/api/me/note", webapi.SetNoteRequest{Note: "out"}); answer.Status != 507 || answer.Problem().Title != "full" {
		t.Errorf("a note is answered %d %s", answer.Status, answer.Body)
	}

	// Reading needs no room.
	if found := hanna.Search("mensah"); len(found.People) != 1 {
		t.Errorf("a search finds %d people", len(found.People))
	}
	for _, path := range []string{"/api/people/" + kwame.ID(), "/api/people/" + kwame.ID() + "/photo", "/api/sync?after=", "/api/contacts", "/api/devices"} {
		if answer := hanna.Ask("GET", path, nil); answer.Status != 200 {
			t.Errorf("%s is answered %d %s", path, answer.Status, answer.Body)
		}
	}
	hanna.Watch(kwame.ID())
	hanna.Sees(kwame.ID(), "Available", availability(3500))
	if !strings.Contains(p.Log(), "storing failed, nothing of it was acknowledged") {
		t.Errorf("the operator is not told:\n%s", p.Log())
	}

	d.empty(t, p)
	hanna.Close() // an app that comes back sends its queue
	hanna.Connect()
	hanna.QueueEmpty()
	hanna.Say(kwame, "after")
	sent = slices.Concat([]string{"before"}, sent, []string{"after"})
	p.Kill() // and all of it is on the disk
	p.Start()
	kwame.Say(hanna, "got it")
	for _, reader := range []*parleytest.Device{kwame, desk, hanna} {
		reader.Hears(kwame, "got it")
		if got := from(reader, hanna); !slices.Equal(got, sent) {
			t.Errorf("a device of %s has %d of %d messages, first difference at %d", reader.Session.Address, len(got), len(sent), difference(got, sent))
		}
	}
}
