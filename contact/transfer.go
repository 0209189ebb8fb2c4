package contact

import (
	"context"
	"maps"
	"slices"
	"strings"

	"parley"
	"parley/privacy"
)

// Imported is one contact of a file that somebody brings.
type Imported struct {
	Addresses []string // whichever the file has; the first that somebody here has counts
	List      bool     // a group of the directory, by its mail address; Level does not count
	Name      string   // stands for whoever has no address among the unknown ones; nobody is found by it
	Groups    []string // names of groups; what is no name of a group is passed over
	Favourite bool
	Level     *privacy.Level // nil: the file says none
}

// ImportOutcome says what became of a file.
type ImportOutcome struct {
	Added   int      // contacts that are new in the list
	Known   int      // that were in it
	Unknown []string // of each contact whom nobody here is: its first address, or its name
	Groups  int      // groups that were made
	Version int64    // of the list since
}

// Import adds the contacts of a file to the actor's list, and makes the groups
// that they stand in. It takes nothing away: who is in the list stays in their
// groups, and keeps their level. People are found by their addresses alone, as far
// as the actor may see them, and groups of the directory by theirs, never by name. A
// file that is brought twice changes nothing the second time.
//
// It commits groups one by one and contacts in chunks. When it fails on the way
// what was committed stays, and bringing the file again goes on from there.
func (l *Lists) Import(ctx context.Context, actor parley.Actor, groups []string, people []Imported) (ImportOutcome, error) {
	if err := actor.AtDesk(); err != nil {
		return ImportOutcome{}, err
	}
	if len(people) > MaxContacts {
		return ImportOutcome{}, ErrTooManyContacts
	}
	if len(groups) > MaxOwnGroups || slices.ContainsFunc(people, func(p Imported) bool { return len(p.Groups) > MaxOwnGroups }) {
		return ImportOutcome{}, ErrTooManyGroups
	}
	list, err := l.List(ctx, actor)
	if err != nil {
		return ImportOutcome{}, err
	}
	in := bringing{lists: l, actor: actor, list: list, out: ImportOutcome{Unknown: []string{}, Version: list.Version}}
	in.match(people)
	for i := range in.people {
		groups = append(groups, in.people[i].Groups...)
	}
	if err := in.room(groups); err != nil {
		return ImportOutcome{}, err
	}
	if err := in.makeGroups(ctx); err != nil {
		return in.out, err
	}
	for chunk := range slices.Chunk(in.changes(), MaxListChanges) {
		if in.out.Version, err = l.change(ctx, actor, chunk); err != nil {
			return in.out, err
		}
	}
	return in.out, nil
}

// bringing is one import under way.
type bringing struct {
	lists  *Lists
	actor  parley.Actor
	list   ContactList
	people []matched
	names  []string           // of groups that have to be made
	groups map[string]GroupID // by folded name, those that there are
	out    ImportOutcome
}

// matched is a contact of the file who is somebody here, or a group of the directory.
type matched struct {
	contact ContactID
	Imported
}

// match finds out who the contacts of a file are. Whoever stands in it twice is
// taken together.
func (in *bringing) match(people []Imported) {
	who := in.lists.find(in.actor, people)
	at := map[ContactID]int{}
	for _, p := range people {
		contact := who(p)
		if contact == 0 {
			if unknown := append(slices.Clone(p.Addresses), p.Name); unknown[0] != "" {
				in.out.Unknown = append(in.out.Unknown, unknown[0])
			}
			continue
		}
		if contact == ContactPerson(in.actor.Person) {
			continue // nobody is a contact of their own
		}
		j, twice := at[contact]
		if !twice {
			at[contact] = len(in.people)
			in.people = append(in.people, matched{contact, p})
			continue
		}
		first := &in.people[j]
		first.Groups = append(slices.Clone(first.Groups), p.Groups...)
		first.Favourite = first.Favourite || p.Favourite
	}
}

// find looks for everybody in a file, and gives who one of them is; 0: nobody.
func (l *Lists) find(actor parley.Actor, file []Imported) func(Imported) ContactID {
	var addresses, mails []string
	for _, p := range file {
		if p.List {
			mails = append(mails, p.Addresses...)
		} else {
			addresses = append(addresses, p.Addresses...)
		}
	}
	people, groups := l.book.Match(actor, addresses), l.book.MatchGroups(actor, mails)
	return func(p Imported) ContactID {
		for _, a := range p.Addresses {
			id := Identifier(a)
			if group, ok := groups[id]; ok && p.List {
				return ContactGroup(group)
			}
			if person, ok := people[id]; ok && !p.List {
				return ContactPerson(person)
			}
		}
		return 0
	}
}

// room counts what there will be, and refuses at the beginning what has no room.
func (in *bringing) room(names []string) error {
	in.groups = map[string]GroupID{}
	for _, g := range in.list.Groups {
		in.groups[FoldGroupName(g.Name)] = g.ID
	}
	seen := map[string]bool{}
	for _, name := range names {
		name, err := GroupName(name)
		folded := FoldGroupName(name)
		if _, there := in.groups[folded]; err != nil || there || seen[folded] {
			continue
		}
		seen[folded] = true
		in.names = append(in.names, name)
	}
	if len(in.list.Groups)+len(in.names) > MaxOwnGroups {
		return ErrTooManyGroups
	}
	for _, p := range in.people {
		if in.listed(p.contact) {
			in.out.Known++
		} else {
			in.out.Added++
		}
	}
	if len(in.list.Contacts)+in.out.Added > MaxContacts {
		return ErrTooManyContacts
	}
	return nil
}

func (in *bringing) makeGroups(ctx context.Context) error {
	for _, name := range in.names {
		id, version, err := in.lists.AddGroup(ctx, in.actor, name)
		if err != nil {
			return err
		}
		in.groups[FoldGroupName(name)] = id
		in.out.Groups++
		in.out.Version = version
	}
	return nil
}

// changes is what the file means for the list.
func (in *bringing) changes() []ListChange {
	var list []ListChange
	for _, p := range in.people {
		c := ListChange{Contact: p.contact}
		was := in.stands(p.contact)
		groups := slices.DeleteFunc(slices.Clone(was), func(g GroupID) bool { return g == Favourites })
		for _, name := range p.Groups {
			if name, err := GroupName(name); err == nil {
				groups = append(groups, in.groups[FoldGroupName(name)])
			}
		}
		slices.Sort(groups)
		if groups = slices.Compact(groups); len(groups) > 0 {
			c.Groups = &groups
		}
		if p.Favourite {
			c.Favourite = &p.Favourite
		}
		if person, is := p.contact.Person(); is && p.Level != nil && !in.listed(p.contact) {
			if r, _ := in.lists.gate.Relation(in.actor, person); r.Level != privacy.Blocked {
				c.Level = p.Level
			}
		}
		list = append(list, c)
	}
	return list
}

func (in *bringing) listed(contact ContactID) bool {
	_, is := in.find(contact)
	return is
}

// stands gives the groups in which somebody stands.
func (in *bringing) stands(contact ContactID) []GroupID {
	if i, is := in.find(contact); is {
		return in.list.Contacts[i].Groups
	}
	return nil
}

func (in *bringing) find(contact ContactID) (int, bool) {
	return slices.BinarySearchFunc(in.list.Contacts, contact, func(l Listed, c ContactID) int { return int(l.Contact - c) })
}

// matchAtOnce is how many people are looked at under one lock.
const matchAtOnce = 2000

// Match finds who has these addresses, in any form that Identifier takes: as sign-in
// address, or as a mail address that the actor may see. An address that two people
// have as their mail is nobody's. The answer is by Identifier.
func (b *Book) Match(actor parley.Actor, addresses []string) map[string]parley.PersonID {
	wanted := make(map[string]bool, len(addresses))
	who := map[string]parley.PersonID{}
	if !mayLook(actor) {
		return who
	}
	for _, a := range addresses {
		id := Identifier(a)
		if person, ok := b.ByAddress(id); ok && id != "" {
			who[id] = person.ID
		} else if id != "" {
			wanted[id] = true
		}
	}
	several := map[string]bool{}
	for from, more := 0, len(wanted) > 0; more; from += matchAtOnce {
		more = b.matchSome(actor, from, wanted, func(id string, person parley.PersonID) {
			several[id] = several[id] || who[id] != 0 && who[id] != person
			who[id] = person
		})
	}
	for id, is := range several {
		if is {
			delete(who, id)
		}
	}
	return who
}

// matchSome looks for wanted mail addresses among some of the people, and reports
// whether there are more.
func (b *Book) matchSome(actor parley.Actor, from int, wanted map[string]bool, found func(string, parley.PersonID)) (more bool) {
	rules := b.policy.Policy()
	b.mu.RLock()
	defer b.mu.RUnlock()
	upto := min(from+matchAtOnce, len(b.people))
	for i := from; i < upto; i++ {
		e := b.people[i]
		if e == nil || e.person.Gone {
			continue
		}
		p := &e.person
		if id := mailIdentifier(p.Mail); wanted[id] && b.sees(p, actor, rules, privacy.Address) {
			found(id, p.ID)
		}
		for _, mail := range p.OtherMail {
			if id := mailIdentifier(mail); wanted[id] && b.sees(p, actor, rules, privacy.OtherMail) {
				found(id, p.ID)
			}
		}
	}
	return upto < len(b.people)
}

// MatchGroups finds which groups of the directory have these mail addresses, of those
// that the actor may see. An address that two groups have is of neither. The answer is
// by Identifier.
func (b *Book) MatchGroups(actor parley.Actor, mails []string) map[string]parley.DirectoryGroupID {
	found := map[string]parley.DirectoryGroupID{}
	wanted := make(map[string]bool, len(mails))
	for _, mail := range mails {
		if id := Identifier(mail); id != "" {
			wanted[id] = true
		}
	}
	if len(wanted) == 0 || !actor.Inside() {
		return found
	}
	several := map[string]bool{}
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, g := range b.groups.listed {
		if id := mailIdentifier(g.Mail); wanted[id] {
			several[id] = several[id] || found[id] != 0
			found[id] = g.ID
		}
	}
	maps.DeleteFunc(found, func(id string, _ parley.DirectoryGroupID) bool { return several[id] })
	return found
}

// mailIdentifier is Identifier, at once for the form in which nearly all addresses
// are written.
func mailIdentifier(mail string) string {
	if isASCII(mail) && !strings.ContainsAny(mail, " <>:;\"\t") && !strings.HasSuffix(mail, ".") {
		return strings.ToLower(mail)
	}
	return Identifier(mail)
}
