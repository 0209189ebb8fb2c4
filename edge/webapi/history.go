package webapi

import (
	"context"
	"encoding/base64"
	"errors"

	"parley"
	"parley/conversation"
)

// maxPageBytes is where a page of the log ends, however few entries it has.
const maxPageBytes = 1 << 20

func (s *Server) sync(ctx context.Context, c caller, in *syncInput) (*reply[Synced], error) {
	after, foreign := s.after(in.After)
	page, err := s.config.Log.Sync(ctx, c.session.Actor, after, in.Limit)
	if errors.Is(err, conversation.ErrResync) {
		foreign = true
		page, err = s.config.Log.Sync(ctx, c.session.Actor, 0, in.Limit)
	}
	if err != nil {
		return nil, err
	}
	out := Synced{
		Epoch: s.sealer.epochName(), Resync: foreign, Entries: make([]Entry, 0, len(page.Items)), Cursor: s.sealer.seal(page.Cursor),
		More: page.More, Missed: page.Missed,
	}
	size := 0
	for i, item := range page.Items {
		if size += len(item.Body); size > maxPageBytes && i > 0 {
			out.More, out.Cursor = true, s.sealer.seal(page.Items[i-1].Pos)
			break
		}
		out.Entries = append(out.Entries, s.entryOf(&item.Entry, c.session.Actor.Device))
	}
	return &reply[Synced]{out}, nil
}

// after gives the position to read after. A cursor of another epoch, or none
// that we made, means from the start.
func (s *Server) after(cursor string) (pos parley.Pos, foreign bool) {
	if cursor == "" {
		return 0, false
	}
	pos, err := s.sealer.open(cursor)
	if err != nil {
		return 0, true
	}
	return pos, false
}

// entryOf is an entry on the wire, as a page of the log has it.
func (s *Server) entryOf(e *parley.Entry, device parley.DeviceID) Entry {
	return Entry{
		Type: "entry", Cursor: s.sealer.seal(e.Pos), Conversation: e.Conversation().String(), From: senderName(e.Sender), ClientID: string(e.ClientID),
		OwnDevice: e.Device != 0 && e.Device == device, Kind: e.Kind.String(), Content: e.Content, At: stamp(e.At),
		Body: base64.StdEncoding.EncodeToString(e.Body),
	}
}

// senderName is who caused an entry; empty for the system.
func senderName(p parley.PersonID) string {
	if p == 0 {
		return ""
	}
	return p.String()
}

func (s *Server) getMarks(ctx context.Context, c caller, in *afterInput) (*reply[Marks], error) {
	after, _ := s.after(in.After)
	found, err := s.config.Log.Marks(ctx, c.session.Actor, after)
	if err != nil {
		return nil, err
	}
	out := Marks{Marks: make([]ConversationMarks, 0, len(found))}
	for _, m := range found {
		marks := ConversationMarks{Conversation: m.Conversation.String()}
		for _, d := range m.Delivered {
			marks.Delivered = append(marks.Delivered, DeliveredMark{Person: d.Person.String(), ID: s.sealer.seal(d.Upto)})
		}
		if m.Read > 0 {
			marks.Read = s.sealer.seal(m.Read)
		}
		out.Marks = append(out.Marks, marks)
	}
	return &reply[Marks]{out}, nil
}
