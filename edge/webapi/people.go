package webapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"parley"
	"parley/contact"
	"parley/presence"
)

func (s *Server) setPresence(ctx context.Context, c caller, in *bodyOf[SetPresenceRequest]) (*reply[Presence], error) {
	until, err := parseUntil(in.Body.Until)
	if err != nil {
		return nil, err
	}
	if err := s.config.Board.SetState(ctx, c.session.Actor, presence.State(in.Body.State), until); err != nil {
		return nil, err
	}
	return s.ownPresence(c.session.Actor)
}

func (s *Server) setNote(ctx context.Context, c caller, in *bodyOf[SetNoteRequest]) (*reply[Presence], error) {
	until, err := parseUntil(in.Body.Until)
	if err != nil {
		return nil, err
	}
	if err := s.config.Board.SetNote(ctx, c.session.Actor, in.Body.Note, until); err != nil {
		return nil, err
	}
	return s.ownPresence(c.session.Actor)
}

// ownPresence is the state as the person sees it now.
func (s *Server) ownPresence(actor parley.Actor) (*reply[Presence], error) {
	v, ok := s.view(actor.Person, actor)
	own := presenceOf(v.Presence)
	if !ok || own == nil {
		return nil, parley.ErrWithheld
	}
	return &reply[Presence]{*own}, nil
}

// parseUntil reads a time from a client; empty means none.
func parseUntil(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, parley.RefuseField("", "until")
	}
	return t.UTC(), nil
}

func (s *Server) searchPeople(ctx context.Context, c caller, in *searchInput) (*reply[PeopleFound], error) {
	found, err := s.config.Book.Search(ctx, c.session.Actor, contact.Query{Text: in.Query, Limit: in.Limit, Pad: in.Pad})
	if err != nil {
		return nil, err
	}
	list := make([]FoundPerson, 0, len(found.People))
	for _, hit := range found.People {
		if row, ok := s.row(hit.View.ID, c.session.Actor); ok {
			list = append(list, FoundPerson{PersonRow: row, Matched: hit.Matched})
		}
	}
	return &reply[PeopleFound]{PeopleFound{People: list, Groups: groupRowsOf(found.Groups), More: found.More}}, nil
}

func (s *Server) getCard(ctx context.Context, c caller, in *whoInput) (*reply[Card], error) {
	id, err := s.who(in.Who)
	if err != nil {
		return nil, err
	}
	found, err := s.config.Book.Card(ctx, c.session.Actor, id)
	if err != nil {
		return nil, err
	}
	card, ok := s.cardOf(found, c.session.Actor)
	if !ok {
		return nil, parley.ErrWithheld
	}
	return &reply[Card]{card}, nil
}

// who finds a person by id or by sign-in address.
func (s *Server) who(text string) (parley.PersonID, error) {
	if strings.Contains(text, "@") {
		if person, ok := s.config.Book.ByAddress(text); ok {
			return person.ID, nil
		}
		return 0, parley.ErrWithheld
	}
	id, err := parley.ParsePersonID(text)
	if err != nil {
		return 0, parley.ErrWithheld
	}
	return id, nil
}

func (s *Server) getPhoto(ctx context.Context, c caller, in *photoInput) (*photoOutput, error) {
	id, err := s.who(in.Who)
	if err != nil {
		return nil, err
	}
	v, ok := s.view(id, c.session.Actor)
	if !ok || v.Card.Photo == 0 {
		return nil, parley.ErrWithheld
	}
	out := &photoOutput{Status: http.StatusOK, ContentType: "image/jpeg", CacheControl: "private, no-cache"}
	out.ETag = photoTag(v.Card.Photo, in.Size)
	if namesTag(in.IfNoneMatch, out.ETag) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	picture, version, err := s.config.Book.Photo(ctx, c.session.Actor, id, in.Size == "large")
	if err != nil {
		return nil, err
	}
	out.ETag = photoTag(version, in.Size)
	out.Body = picture
	return out, nil
}

// namesTag reports whether a list of tags, as in If-None-Match, names a tag
// (RFC 9110 §13.1.2; the comparison is weak).
func namesTag(list, tag string) bool {
	for named := range strings.SplitSeq(list, ",") {
		if named = strings.TrimPrefix(strings.TrimSpace(named), "W/"); named == tag || named == "*" {
			return true
		}
	}
	return false
}

// photoTag changes when the picture does. It does not hold the viewer's class,
// which nobody may learn: what is withheld by now is refused before tags are
// compared.
func photoTag(version parley.PhotoVersion, size string) string {
	return fmt.Sprintf(`"%s-%s"`, photoName(version), size)
}
