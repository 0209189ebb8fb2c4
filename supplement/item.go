package supplement

import (
	"slices"
	"strings"

	"parley/policy"
	"parley/privacy"
)

// Feature is a chapter of the inventory: what a part of Parley does, and the data
// that it takes.
type Feature struct {
	Name  string // a heading
	Does  string // sentences
	Items []Item
}

// Item is one thing that is known, kept or sent. The phrases are made to be put
// into sentences: "Parley keeps NAME UNTIL. It comes from SOURCE and is used to
// USE. WHO sees it."
type Item struct {
	Name    string // what it is, as "the text of a message"
	Source  string // where it comes from, as "its sender, who types it"
	Use     string // what it is for, as "show it to the people of the conversation"
	Seen    Audience
	Control string   // sentences: what the person or the administrator can do about it
	Rules   []string // the administrator's switches that concern it: fields of policy.Policy
	Claims  []string // the promises of the product that it belongs to
	Kept    []Kept
	Sent    []Sent
}

// Kept is a place where an item lies. Nothing lies there that is not named.
type Kept struct {
	In    Medium
	Until Term
	Names []string // what the medium calls it
}

// Sent is a way on which an item leaves the place where it is.
type Sent struct {
	By    Medium
	To    Receiver
	Names []string // what the medium calls it
}

// Medium is a kind of place or way. Each has its own kind of names.
type Medium string

// The media.
const (
	Database Medium = "the server's database"           // table.column
	Folder   Medium = "the server's data folder"        // a file, or a pattern as of path.Match
	Memory   Medium = "the server's memory"             // a field of a Go type: presence.Activity.TimeZone
	Log      Medium = "the server's log"                // the key of an attribute
	Figures  Medium = "the server's figures"            // the label of a metric
	Wire     Medium = "the app's connection"            // schema.field, operation.parameter, or header name
	Bus      Medium = "the connections between servers" // a topic or a table
	Push     Medium = "push notifications"              // a field of the payload
	Outbound Medium = "the server's outbound calls"     // a declared purpose of package egress
	Clear    Medium = "the device, in clear"            // record.field of the app's database
	Sealed   Medium = "the device, encrypted"           // record.field of the app's database, inside a box
	Browser  Medium = "the browser"                     // a cookie, cache, lock or channel
)

// Media lists them all.
func Media() []Medium {
	return []Medium{Database, Folder, Memory, Log, Figures, Wire, Bus, Push, Outbound, Clear, Sealed, Browser}
}

// Term says how long something is kept; it completes "it is kept ...". A name in
// braces is a field of policy.Policy whose present value belongs there.
type Term string

// Receiver says whom something is sent to; it completes "it is sent to ...".
type Receiver string

// Audience says who gets to see an item.
type Audience struct {
	Who  string         // completes "it is seen by ..."
	Rows privacy.Fields // the rows of the privacy matrix that decide; 0: the matrix has no say

	// Typed says that the rows are of numbers that the person typed, which the
	// directory's switches do not open.
	Typed bool
}

// ofPresence are the rows that do not come from the directory. Somebody blocked
// sees none of them: only a person who is never there.
const ofPresence = privacy.Colour | privacy.State | privacy.Since | privacy.Notes | privacy.Place |
	privacy.Urgent | privacy.Calendar | privacy.Meetings

// Classes are the classes of viewers that the matrix shows the item to under
// these rules, if the person shares it. Without rows there are none: Who says it
// all.
func (a Audience) Classes(p policy.Policy) []privacy.Class {
	var classes []privacy.Class
	for c := range privacy.Class(privacy.NumClasses) {
		visible := privacy.Visible(c, p)
		if a.Typed {
			visible = privacy.VisibleTyped(c)
		}
		if c.Level() == privacy.Blocked {
			visible &^= ofPresence
		}
		if visible&a.Rows != 0 {
			classes = append(classes, c)
		}
	}
	return classes
}

// Features gives the inventory, in the order in which people read it. It is
// shared: not to be changed.
func Features() []Feature {
	return []Feature{account, devices, directory, presences, relationships, messages, sources, app, operation}
}

// Items gives every item of every feature.
func Items() []Item {
	var items []Item
	for _, f := range Features() {
		items = append(items, f.Items...)
	}
	return items
}

// Declared gives the items that each name of a medium belongs to. A place holds
// one item; a field or a key on the way may carry several.
func Declared(in Medium) map[string][]Item {
	declared := map[string][]Item{}
	for _, item := range Items() {
		for _, name := range item.Names(in) {
			declared[name] = append(declared[name], item)
		}
	}
	return declared
}

// Names are the item's names in a medium, kept or sent.
func (i Item) Names(in Medium) []string {
	var names []string
	for _, kept := range i.Kept {
		if kept.In == in {
			names = append(names, kept.Names...)
		}
	}
	for _, sent := range i.Sent {
		if sent.By == in {
			names = append(names, sent.Names...)
		}
	}
	slices.Sort(names)
	return names
}

// names splits a list that is written as one text.
func names(list string) []string { return strings.Fields(list) }
