package server_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"parley/parleytest"
)

// chat is two people who write to each other, one of them with two devices.
type chat struct {
	hanna, desk, kwame *parleytest.Device
	talk               string
	sent               map[*parleytest.Device][]string // by whoever wrote, in order
}

func newChat(w *parleytest.World) *chat {
	c := &chat{hanna: w.As("hanna"), desk: w.As("hanna"), kwame: w.As("kwame"), sent: map[*parleytest.Device][]string{}}
	c.talk = c.hanna.With(c.kwame)
	return c
}

func (c *chat) devices() []*parleytest.Device {
	return []*parleytest.Device{c.hanna, c.desk, c.kwame}
}

// write queues messages of both sides.
func (c *chat) write(what string, n int) {
	for i := range n {
		for _, d := range []*parleytest.Device{c.hanna, c.kwame} {
			text := fmt.Sprintf("%s: %s %03d", d.Session.Address, what, i)
			c.sent[d] = append(c.sent[d], text)
			d.Queue(c.talk, text)
		}
	}
}

// settle waits until everybody has everything.
func (c *chat) settle() {
	for sender, texts := range c.sent {
		sender.QueueEmpty()
		for _, d := range c.devices() {
			d.Hears(sender, texts[len(texts)-1])
		}
	}
}

// check compares every device with what was written.
func (c *chat) check(t *testing.T) {
	t.Helper()
	for _, d := range c.devices() {
		for sender, texts := range c.sent {
			if got := from(d, sender); !slices.Equal(got, texts) {
				t.Errorf("a device of %s has %d of the %d messages of %s, first difference at %d",
					d.Session.Address, len(got), len(texts), sender.Session.Address, difference(got, texts))
			}
		}
	}
	if a, b := c.hanna.Texts(c.talk), c.desk.Texts(c.talk); !slices.Equal(a, b) {
		t.Errorf("hanna's two devices have different orders from message %d on", difference(a, b))
	}
}

// A backup is made while people write; they write on; the machine is lost and the
// backup put back. Nothing that a device had is lost, nothing comes twice.
//
// claim: IM2
func TestIM2RestoreLosesAndDoublesNothing(t *testing.T) {
	w := parleytest.Start(t)
	c := newChat(w)
	c.write("early", 20)
	var load sync.WaitGroup
	load.Go(func() { c.write("during the backup", 200) })
	backup := w.Backup()
	load.Wait()
	c.write("after the backup", 50)
	c.settle()
	c.check(t)
	before := c.hanna.Session.Epoch

	addr := w.Server.Addr()
	w.Stop()
	c.write("while it is away", 10)
	w.Restore(backup)
	w.Run(addr)
	for _, d := range c.devices() {
		d.Resynced()
	}
	c.write("after the restore", 50)
	c.settle()
	c.check(t)
	fresh := w.As("hanna")
	if fresh.Session.Epoch == before {
		t.Error("the epoch is that of before the restore")
	}

	// Marks work in the new epoch.
	c.hanna.Say(c.kwame, "last")
	c.kwame.Hears(c.hanna, "last")
	c.hanna.DeliveredUpTo(c.talk, idOf(c.hanna, "last"))
	c.desk.Hears(c.hanna, "last")
	c.kwame.Say(c.hanna, "the very last")
	c.hanna.Hears(c.kwame, "the very last")
	c.desk.Hears(c.kwame, "the very last")
	c.hanna.Read(c.talk, idOf(c.hanna, "the very last"))
	c.desk.ReadUpTo(c.talk, idOf(c.desk, "the very last"))

	// And purging: what is delivered in the new epoch goes as ever.
	c.hanna.Say(c.kwame, "CANARY after the restore")
	c.kwame.Hears(c.hanna, "CANARY after the restore")
	c.desk.Hears(c.hanna, "CANARY after the restore")
	fresh.Hears(c.hanna, "CANARY after the restore")
	eventually(t, "the text is gone", func() bool { return len(w.Holds("CANARY")) == 0 })
}

// A device that was signed in after the backup is unknown to the restored server
// and says so; its person signs in again and goes on.
func TestRestoreForgetsLaterDevices(t *testing.T) {
	w := parleytest.Start(t)
	hanna, kwame := w.As("hanna"), w.As("kwame")
	hanna.Say(kwame, "before")
	kwame.Hears(hanna, "before")
	backup := w.Backup()
	later := w.As("hanna")
	addr := w.Server.Addr()
	w.Stop()
	w.Restore(backup)
	w.Run(addr)
	if answer := later.Ask("GET", "/api/session", nil); answer.Status != 401 {
		t.Errorf("a device of after the backup is answered %d", answer.Status)
	}
	hanna.Resynced()
	again := w.As("hanna")
	kwame.Resynced()
	kwame.Say(hanna, "welcome back")
	again.Hears(kwame, "welcome back")
	hanna.Hears(kwame, "welcome back")
}
