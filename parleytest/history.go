package parleytest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Run is what came of a while of talking, as senders and devices tell it. Check
// says what is wrong with it.
type Run struct {
	// Sent holds, of each sending device, the messages that it was told are
	// durable, in the order in which they were queued. Their From and
	// Conversation say who has to have them.
	Sent [][]Message

	// Devices are all devices that must have everything of their person's
	// conversations.
	Devices []Observed

	// Chosen is the availability that each person has, by id.
	Chosen map[string]int
}

// Observed is what one device has.
type Observed struct {
	Name    string // for the report
	Person  string
	History []Message
	Doubled []string       // what came twice although the cursor had passed it
	Resyncs int            // times that it was told to begin anew, after which what comes twice is no fault
	Shown   map[string]int // the availability it shows of people, by id
}

// Check returns what is wrong, nothing if all is well: every message that was
// acknowledged is on every device of its people exactly once; all devices have a
// conversation in one order, and each sender's messages in the order of sending;
// nobody has what nobody sent; nobody is told that their place in the log is
// unknown; and every device shows everybody as they are.
func Check(r Run) []string {
	var wrong []string
	for _, d := range r.Devices {
		wrong = append(wrong, checkDevice(r, d)...)
		wrong = append(wrong, checkPresence(r, d)...)
	}
	return append(wrong, checkOrder(r.Devices)...)
}

// identity tells messages apart.
func identity(m Message) string { return m.From + " " + m.ClientID }

// checkDevice compares one device with what was sent.
func checkDevice(r Run, d Observed) []string {
	var wrong []string
	place := map[string]int{}
	for i, m := range d.History {
		if before, twice := place[identity(m)]; twice {
			wrong = append(wrong, fmt.Sprintf("%s has %q twice, at %d and %d", d.Name, m.Text, before, i))
		}
		place[identity(m)] = i
	}
	for _, text := range d.Doubled {
		wrong = append(wrong, fmt.Sprintf("%s was sent %q twice", d.Name, text))
	}
	if d.Resyncs > 0 {
		wrong = append(wrong, fmt.Sprintf("%s was told to begin anew, %d times", d.Name, d.Resyncs))
	}
	expected := map[string]bool{}
	for _, sent := range r.Sent {
		last := -1
		for _, m := range sent {
			if !reads(d.Person, m.Conversation) {
				continue
			}
			expected[identity(m)] = true
			at, there := place[identity(m)]
			switch {
			case !there:
				wrong = append(wrong, fmt.Sprintf("%s lacks %q, which was acknowledged", d.Name, m.Text))
			case at < last:
				wrong = append(wrong, fmt.Sprintf("%s has %q before what its sender sent before it", d.Name, m.Text))
			default:
				last = at
			}
		}
	}
	for _, m := range d.History {
		if !expected[identity(m)] {
			wrong = append(wrong, fmt.Sprintf("%s has %q, which nobody was told is sent", d.Name, m.Text))
		}
	}
	return wrong
}

// checkPresence compares what a device shows with what people chose.
func checkPresence(r Run, d Observed) []string {
	var wrong []string
	for _, person := range slices.Sorted(maps.Keys(r.Chosen)) {
		if shown, ok := d.Shown[person]; !ok || shown != r.Chosen[person] {
			wrong = append(wrong, fmt.Sprintf("%s shows %s as %d, who is %d", d.Name, person, shown, r.Chosen[person]))
		}
	}
	return wrong
}

// checkOrder compares the order of each conversation on all devices with that on
// the first one that has it.
func checkOrder(devices []Observed) []string {
	var wrong []string
	first := map[string][]Message{}
	owner := map[string]string{}
	for _, d := range devices {
		byConversation := map[string][]Message{}
		for _, m := range d.History {
			byConversation[m.Conversation] = append(byConversation[m.Conversation], m)
		}
		for _, conversation := range slices.Sorted(maps.Keys(byConversation)) {
			list := byConversation[conversation]
			reference, known := first[conversation]
			if !known {
				first[conversation], owner[conversation] = list, d.Name
				continue
			}
			for i := range min(len(list), len(reference)) {
				if identity(list[i]) != identity(reference[i]) {
					wrong = append(wrong, fmt.Sprintf("%s and %s have %s in different orders: %q and %q at %d",
						d.Name, owner[conversation], conversation, list[i].Text, reference[i].Text, i))
					break
				}
			}
		}
	}
	return wrong
}

// reads reports whether a person takes part in a conversation of two.
func reads(person, conversation string) bool {
	one, other, _ := strings.Cut(conversation, ".")
	return person == one || person == other
}

// Sent is what the server has accepted of this device's own, in the order in
// which it was queued.
func (d *Device) Sent() []Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	var sent []Message
	for _, m := range d.queued {
		if d.index[m.From+m.ClientID] {
			sent = append(sent, m)
		}
	}
	return sent
}

// Observe is what this device has and shows.
func (d *Device) Observe(name string) Observed {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := Observed{
		Name: name, Person: d.Session.Person.ID, History: slices.Clone(d.history), Doubled: slices.Clone(d.doubled),
		Resyncs: d.resyncs,
		Shown:   map[string]int{},
	}
	for person, p := range d.presence {
		o.Shown[person] = p.Availability
	}
	return o
}
