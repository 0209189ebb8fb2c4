package webapi

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"parley"
	"parley/contact"
	"parley/privacy"
)

// Groups are the groups of the Contacts tab: favourites, the person's own groups in
// their order, and the others.
type Groups struct {
	Groups  []Group `json:"groups"`
	Version int64   `json:"version" doc:"Of the list; another one with each change. Compare it for equality."`
}

// Group is one group of the Contacts tab.
type Group struct {
	ID        string      `json:"id" doc:"favourites, c1, c2 and so on, others; of a suggestion what it is."`
	Key       string      `json:"key" doc:"Text key of the group's title."`
	Name      string      `json:"name,omitempty" doc:"What fills the title, such as a department's name."`
	Suggested bool        `json:"suggested,omitempty" doc:"Nobody in it is a contact yet: a start for whoever has none."`
	People    []PersonRow `json:"people"`

	Lists []DirectoryGroupRow `json:"lists,omitempty" doc:"Groups of the directory in it, by name."`
}

// SetContactRequest adds a contact or changes where they stand. What is not there
// stays as it is.
type SetContactRequest struct {
	Groups    []string `json:"groups,omitzero" maxItems:"64" doc:"All own groups in which the contact stands from now on."`
	Favourite *bool    `json:"favourite,omitempty"`
	Level     string   `json:"level,omitempty" enum:"friends,workgroup,colleagues,external,blocked,default" doc:"The privacy relationship."`
}

// SetRelationshipRequest gives somebody a privacy relationship.
type SetRelationshipRequest struct {
	Level string `json:"level" enum:"friends,workgroup,colleagues,external,blocked,default"`
}

// ContactGroupRequest makes a group.
type ContactGroupRequest struct {
	Name string `json:"name" minLength:"1" maxLength:"200"`
}

// ChangeContactGroupRequest changes a group. What is not there stays as it is.
type ChangeContactGroupRequest struct {
	Name     string `json:"name,omitempty" maxLength:"200"`
	Position *int   `json:"position,omitempty" minimum:"0" doc:"Among the own groups, from 0."`
}

// ContactsChange says what a change has come to.
type ContactsChange struct {
	Version int64  `json:"version" doc:"Of the list since."`
	Group   string `json:"group,omitempty" doc:"The group that was made."`
}

type (
	setContactInput struct {
		Who  string `path:"who" maxLength:"320" doc:"An id, of a person or of a group of the directory, or a sign-in address."`
		Body SetContactRequest
	}
	setRelationshipInput struct {
		Who  string `path:"who" maxLength:"320" doc:"An id or a sign-in address."`
		Body SetRelationshipRequest
	}
	groupInput struct {
		Group string `path:"group" maxLength:"24"`
	}
	changeGroupInput struct {
		Group string `path:"group" maxLength:"24"`
		Body  ChangeContactGroupRequest
	}
)

func (s *Server) getContacts(ctx context.Context, c caller, _ *nothing) (*reply[Groups], error) {
	actor := c.session.Actor
	list, err := s.config.Lists.List(ctx, actor)
	if err != nil {
		return nil, err
	}
	groups := s.ownGroups(list, actor)
	if len(list.Contacts) == 0 {
		suggested, err := s.suggestions(ctx, actor)
		if err != nil {
			return nil, err
		}
		groups = append(groups, suggested...)
	}
	return &reply[Groups]{Groups{Groups: groups, Version: list.Version}}, nil
}

// ownGroups sorts a list into its groups. Each row is made once, however many
// groups somebody stands in.
func (s *Server) ownGroups(list contact.ContactList, actor parley.Actor) []Group {
	g := newGrouping(list)
	for _, l := range s.config.Book.ByName(list.Contacts) {
		person, _ := l.Contact.Person()
		if row, ok := s.row(person, actor); ok {
			g.put(l, func(group *Group) { group.People = append(group.People, row) })
		}
	}
	for _, l := range list.Contacts {
		id, _ := l.Contact.Group()
		if group, ok := s.config.Book.ShownGroup(actor, id); ok {
			g.put(l, func(in *Group) { in.Lists = append(in.Lists, groupRowOf(group)) })
		}
	}
	return g.sorted()
}

// grouping is a list on its way into groups.
type grouping struct {
	favourites, others Group
	own                []Group
	at                 map[contact.GroupID]*Group
}

func newGrouping(list contact.ContactList) *grouping {
	g := &grouping{
		favourites: Group{ID: contact.Favourites.String(), Key: "contacts.favourites", People: []PersonRow{}},
		others:     Group{ID: "others", Key: "contacts.others", People: []PersonRow{}},
		own:        make([]Group, len(list.Groups)), at: make(map[contact.GroupID]*Group, len(list.Groups)+1),
	}
	g.at[contact.Favourites] = &g.favourites
	for i, own := range list.Groups {
		g.own[i] = Group{ID: own.ID.String(), Key: "contacts.group", Name: own.Name, People: []PersonRow{}}
		g.at[own.ID] = &g.own[i]
	}
	return g
}

// put calls into with each group in which a contact stands: the others, if none of
// the person's own.
func (g *grouping) put(l contact.Listed, into func(*Group)) {
	grouped := false
	for _, id := range l.Groups {
		if group := g.at[id]; group != nil {
			into(group)
			grouped = grouped || id != contact.Favourites
		}
	}
	if !grouped {
		into(&g.others)
	}
}

// sorted gives the groups in their order. Favourites and others are there when
// somebody is in them, the person's own groups always.
func (g *grouping) sorted() []Group {
	groups := make([]Group, 0, len(g.own)+2)
	add := func(group Group, always bool) {
		if always || len(group.People)+len(group.Lists) > 0 {
			slices.SortFunc(group.Lists, func(a, b DirectoryGroupRow) int {
				return cmp.Or(cmp.Compare(contact.FoldGroupName(a.Name), contact.FoldGroupName(b.Name)), cmp.Compare(a.ID, b.ID))
			})
			groups = append(groups, group)
		}
	}
	add(g.favourites, false)
	for _, own := range g.own {
		add(own, true)
	}
	add(g.others, false)
	return groups
}

// suggestions are the groups of whoever has no contact yet.
func (s *Server) suggestions(ctx context.Context, actor parley.Actor) ([]Group, error) {
	groups, err := s.config.Book.Groups(ctx, actor)
	if err != nil {
		return nil, err
	}
	list := make([]Group, 0, len(groups))
	for _, g := range groups {
		list = append(list, Group{ID: g.ID, Key: g.Key, Name: g.Name, Suggested: true, People: s.rows(g.People, actor)})
	}
	return list, nil
}

func (s *Server) setContact(ctx context.Context, c caller, in *setContactInput) (*reply[ContactsChange], error) {
	id, err := s.contactOf(in.Who)
	if err != nil {
		return nil, err
	}
	change := contact.ListChange{Contact: id, Favourite: in.Body.Favourite}
	if in.Body.Groups != nil {
		groups := make([]contact.GroupID, len(in.Body.Groups))
		for i, text := range in.Body.Groups {
			if groups[i], err = parseGroup(text); err != nil {
				return nil, contact.ErrNoGroup
			}
		}
		change.Groups = &groups
	}
	if in.Body.Level != "" {
		level, err := parseLevel(in.Body.Level)
		if err != nil {
			return nil, err
		}
		change.Level = &level
	}
	return changed(s.config.Lists.Set(ctx, c.session.Actor, change))
}

func (s *Server) removeContact(ctx context.Context, c caller, in *whoInput) (*reply[ContactsChange], error) {
	id, err := s.contactOf(in.Who)
	if err != nil {
		return nil, err
	}
	return changed(s.config.Lists.Remove(ctx, c.session.Actor, id))
}

func (s *Server) addContactGroup(ctx context.Context, c caller, in *bodyOf[ContactGroupRequest]) (*reply[ContactsChange], error) {
	id, version, err := s.config.Lists.AddGroup(ctx, c.session.Actor, in.Body.Name)
	if err != nil {
		return nil, err
	}
	return &reply[ContactsChange]{ContactsChange{Version: version, Group: id.String()}}, nil
}

func (s *Server) changeContactGroup(ctx context.Context, c caller, in *changeGroupInput) (*reply[ContactsChange], error) {
	id, err := parseGroup(in.Group)
	if err != nil {
		return nil, err
	}
	var name *string
	if in.Body.Name != "" {
		name = &in.Body.Name
	}
	return changed(s.config.Lists.ChangeGroup(ctx, c.session.Actor, id, name, in.Body.Position))
}

func (s *Server) deleteContactGroup(ctx context.Context, c caller, in *groupInput) (*reply[ContactsChange], error) {
	id, err := parseGroup(in.Group)
	if err != nil {
		return nil, err
	}
	return changed(s.config.Lists.DeleteGroup(ctx, c.session.Actor, id))
}

func (s *Server) setRelationship(ctx context.Context, c caller, in *setRelationshipInput) (*nothing, error) {
	id, err := s.who(in.Who)
	if err != nil {
		return nil, err
	}
	level, err := parseLevel(in.Body.Level)
	if err != nil {
		return nil, err
	}
	return done(s.config.Lists.SetLevel(ctx, c.session.Actor, id, level))
}

func changed(version int64, err error) (*reply[ContactsChange], error) {
	if err != nil {
		return nil, err
	}
	return &reply[ContactsChange]{ContactsChange{Version: version}}, nil
}

// contactOf finds what may stand in a list by id or by sign-in address.
func (s *Server) contactOf(text string) (contact.ContactID, error) {
	if group, err := parley.ParseDirectoryGroupID(text); err == nil {
		return contact.ContactGroup(group), nil
	}
	id, err := s.who(text)
	return contact.ContactPerson(id), err
}

// parseGroup reads the number of an own group; what is none is withheld.
func parseGroup(text string) (contact.GroupID, error) {
	digits, ok := strings.CutPrefix(text, "c")
	n, err := strconv.ParseUint(digits, 10, 31)
	if !ok || err != nil || n == 0 || digits[0] == '0' {
		return 0, parley.ErrWithheld
	}
	return contact.GroupID(n), nil
}

// parseLevel reads a level; default is the one that nobody chose.
func parseLevel(text string) (privacy.Level, error) {
	if text == "default" {
		return privacy.DefaultLevel(true), nil
	}
	level, ok := privacy.ParseLevel(text)
	if !ok {
		return 0, parley.RefuseField("relation.level-unknown", "level")
	}
	return level, nil
}

// ImportContactsRequest brings a file of contacts.
type ImportContactsRequest struct {
	Format string `json:"format" enum:"json,vcard"`
	Data   string `json:"data" minLength:"1" maxLength:"2097152" doc:"The file, at most 2 MiB."`
}

// ContactsImported says what became of a file.
type ContactsImported struct {
	Added   int      `json:"added" doc:"Contacts that are new in the list."`
	Known   int      `json:"known" doc:"Contacts that were in it."`
	Unknown []string `json:"unknown" doc:"The addresses that nobody here has, as far as this person may see; of a group of the directory without one its name."`
	Groups  int      `json:"groups" doc:"Groups that were made."`
	Version int64    `json:"version" doc:"Of the list since."`
}

type (
	exportInput struct {
		Format string `query:"format" enum:"json,vcard" default:"json"`
	}
	downloadOutput struct {
		ContentType string `header:"Content-Type"`
		Disposition string `header:"Content-Disposition"`
		Body        []byte
	}
)

func (s *Server) importContacts(ctx context.Context, c caller, in *bodyOf[ImportContactsRequest]) (*reply[ContactsImported], error) {
	if err := c.session.Actor.AtDesk(); err != nil {
		return nil, err
	}
	groups, people, err := readContactFile(in.Body.Format, in.Body.Data)
	if err != nil {
		return nil, err
	}
	out, err := s.config.Lists.Import(ctx, c.session.Actor, groups, people)
	if err != nil {
		return nil, err
	}
	return &reply[ContactsImported]{ContactsImported{
		Added: out.Added, Known: out.Known, Unknown: out.Unknown, Groups: out.Groups, Version: out.Version,
	}}, nil
}

// exportContacts gives the person's own list as a file. It holds of everybody what
// the person may see, and nothing of who is gone: there is no address to find them by.
func (s *Server) exportContacts(ctx context.Context, c caller, in *exportInput) (*downloadOutput, error) {
	list, err := s.config.Lists.List(ctx, c.session.Actor)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(list.Groups))
	for i, g := range list.Groups {
		names[i] = g.Name
	}
	out := &downloadOutput{ContentType: "application/json", Disposition: `attachment; filename="contacts.json"`}
	people := s.listedRows(list, c.session.Actor)
	if in.Format == "vcard" {
		out.ContentType, out.Disposition = "text/vcard; charset=utf-8", `attachment; filename="contacts.vcf"`
		out.Body, err = writeVCards(people)
	} else {
		out.Body, err = writeContactJSON(names, people, s.listedGroups(list, c.session.Actor))
	}
	return out, parley.Wrap(err, "writing a list of contacts")
}

// listedRows is everybody in a list who has an address, with what the file says.
func (s *Server) listedRows(list contact.ContactList, actor parley.Actor) []listedRow {
	names := groupNames(list)
	var rows []listedRow
	for _, l := range s.config.Book.ByName(list.Contacts) {
		person, _ := l.Contact.Person()
		v, ok := s.view(person, actor)
		if !ok || v.Card.Address == "" {
			continue
		}
		row := listedRow{row: rowOf(v), level: l.Level}
		for _, mail := range append([]string{v.Card.Mail}, v.Card.OtherMail...) {
			if mail != "" {
				row.mails = append(row.mails, mail)
			}
		}
		row.favourite, row.groups = standsIn(l, names)
		rows = append(rows, row)
	}
	return rows
}

// listedGroups is every group of the directory in a list, with what the file says.
func (s *Server) listedGroups(list contact.ContactList, actor parley.Actor) []contactFileList {
	names := groupNames(list)
	var rows []contactFileList
	for _, l := range list.Contacts {
		id, _ := l.Contact.Group()
		if group, ok := s.config.Book.ShownGroup(actor, id); ok {
			row := contactFileList{Mail: group.Mail, Name: group.Name}
			row.Favourite, row.Groups = standsIn(l, names)
			rows = append(rows, row)
		}
	}
	return rows
}

func groupNames(list contact.ContactList) map[contact.GroupID]string {
	names := make(map[contact.GroupID]string, len(list.Groups))
	for _, g := range list.Groups {
		names[g.ID] = g.Name
	}
	return names
}

// standsIn gives by name the own groups in which a contact stands.
func standsIn(l contact.Listed, names map[contact.GroupID]string) (favourite bool, groups []string) {
	for _, id := range l.Groups {
		if id == contact.Favourites {
			favourite = true
		} else if name := names[id]; name != "" {
			groups = append(groups, name)
		}
	}
	return favourite, groups
}
