package webapi

import (
	"context"

	"parley"
	"parley/contact"
)

// DirectoryGroupRow is a group of the directory in a list.
type DirectoryGroupRow struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Mail        string `json:"mail,omitempty"`
	Description string `json:"description,omitempty"`
}

// DirectoryGroup is a group of the directory with a part of the people in it.
type DirectoryGroup struct {
	DirectoryGroupRow
	People []PersonRow         `json:"people" doc:"Directly in it, by name, at most 200."`
	Groups []DirectoryGroupRow `json:"groups" doc:"Directly in it, by name."`
	More   bool                `json:"more" doc:"There are further people: ask again with the last one."`
}

type directoryGroupInput struct {
	Group string `path:"group" maxLength:"24"`
	After string `query:"after" maxLength:"24" doc:"The last person of the page before; empty: from the first one."`
}

func (s *Server) getDirectoryGroup(ctx context.Context, c caller, in *directoryGroupInput) (*reply[DirectoryGroup], error) {
	id, err := parley.ParseDirectoryGroupID(in.Group)
	if err != nil {
		return nil, parley.ErrWithheld
	}
	var after parley.PersonID
	if in.After != "" {
		if after, err = parley.ParsePersonID(in.After); err != nil {
			return nil, parley.RefuseField("", "after")
		}
	}
	content, err := s.config.Book.Expand(ctx, c.session.Actor, id, after)
	if err != nil {
		return nil, err
	}
	return &reply[DirectoryGroup]{DirectoryGroup{
		DirectoryGroupRow: groupRowOf(content.Group), People: s.rows(content.People, c.session.Actor),
		Groups: groupRowsOf(content.Groups), More: content.More,
	}}, nil
}

func groupRowOf(g contact.DirectoryGroup) DirectoryGroupRow {
	return DirectoryGroupRow{ID: g.ID.String(), Name: g.Name, Mail: g.Mail, Description: g.Description}
}

func groupRowsOf(list []contact.DirectoryGroup) []DirectoryGroupRow {
	rows := make([]DirectoryGroupRow, len(list))
	for i, g := range list {
		rows[i] = groupRowOf(g)
	}
	return rows
}
