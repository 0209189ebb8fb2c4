package place

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"parley"
)

// Circle is how many people know each other: everybody in a full circle has 80
// contacts, the average of the user model (docs/performance.md).
const Circle = 81

// RosterFile holds the roster beside the database that it belongs to.
const RosterFile = "load-roster.json"

// Roster is who there is on a server and how to be them. Written as JSON, it lets
// a later run use the same server.
type Roster struct {
	Domain   string   `json:"domain"`
	Password string   `json:"password,omitempty"` // everybody's; empty: nobody has one
	People   []Person `json:"people"`             // in circles of 81, by their order
	Names    []string `json:"names,omitempty"`    // surnames of the directory, for searches
}

// Person is one person and their devices.
type Person struct {
	ID      string   `json:"id"` // "p17"
	Address string   `json:"address"`
	Tokens  []string `json:"tokens,omitempty"` // one a device
}

// Contacts are the ids of everybody else in the circle of the person with a
// number.
func (r *Roster) Contacts(number int) []string {
	first := number / Circle * Circle
	last := min(first+Circle, len(r.People))
	list := make([]string, 0, Circle)
	for i := first; i < last; i++ {
		if i != number {
			list = append(list, r.People[i].ID)
		}
	}
	return list
}

// Conversation is the conversation of two people of the roster.
func (r *Roster) Conversation(a, b int) (string, error) {
	x, err := parley.ParsePersonID(r.People[a].ID)
	if err != nil {
		return "", err
	}
	y, err := parley.ParsePersonID(r.People[b].ID)
	if err != nil {
		return "", err
	}
	return parley.DirectStream(x, y).String(), nil
}

// Need refuses when the roster has not so many people with so many devices each.
func (r *Roster) Need(people, devices int) error {
	if len(r.People) < people {
		return fmt.Errorf("%d people needed, the roster has %d", people, len(r.People))
	}
	for _, p := range r.People[:people] {
		if len(p.Tokens) < devices {
			return fmt.Errorf("%d devices each needed, %s has %d", devices, p.ID, len(p.Tokens))
		}
	}
	return nil
}

// ReadRoster reads a roster from a file, or from the folder that it lies in.
func ReadRoster(path string) (*Roster, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, RosterFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the roster: %w", err)
	}
	var r Roster
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("reading the roster %s: %w", path, err)
	}
	for _, p := range r.People {
		if _, err := parley.ParsePersonID(p.ID); err != nil {
			return nil, fmt.Errorf("reading the roster %s: %w", path, err)
		}
	}
	return &r, nil
}

// Write writes the roster into a folder. It holds device tokens, so only its
// owner may read it.
func (r *Roster) Write(folder string) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing the roster: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, RosterFile), text, 0o600); err != nil {
		return fmt.Errorf("writing the roster: %w", err)
	}
	return nil
}

// empty reports whether a folder has nothing in it, or is not there.
func empty(folder string) (bool, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return len(entries) == 0, err
}
