package bus

import (
	"slices"
	"testing"
	"time"

	"parley"
	"parley/conversation"
	"parley/presence"
)

func TestFactsCross(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 11, 12, 13, time.UTC)
	for _, f := range []presence.Fact{
		{Person: 1, Device: 2},
		{
			Person: 1<<31 - 1, Device: 1 << 62, Class: parley.Mobile, Visible: true, TimeZone: "Europe/Berlin", LastActive: at,
			Seen: presence.Seen{Availability: parley.Busy, Token: parley.TokenOffWork, Since: at.Add(-time.Hour)},
		},
	} {
		got, err := ParseFact(uint64(f.Device), AppendFact(nil, f))
		if err != nil || got != f {
			t.Errorf("got %+v, %v; want %+v", got, err, f)
		}
	}
}

func TestHintsCross(t *testing.T) {
	hints := []conversation.Hint{
		{Kind: conversation.HintAcknowledged, Person: 1, Device: 1 << 40, Upto: 1 << 50},
		{Kind: conversation.HintRead, Person: 2, Device: 3, Conversation: parley.DirectStream(2, 9), Upto: 7},
		{Kind: conversation.HintTyping, Person: 4, Conversation: -5, From: 6, On: true},
	}
	var b []byte
	for _, h := range hints {
		b = AppendHint(b, h)
	}
	got, err := ParseHints(b)
	if err != nil || !slices.Equal(got, hints) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := ParseHints(b[:len(b)-1]); err == nil || len(got) != 2 {
		t.Errorf("cut short: %d hints, %v", len(got), err)
	}
}

func FuzzParseFact(f *testing.F) {
	f.Add(uint64(7), AppendFact(nil, presence.Fact{Person: 1, TimeZone: "UTC"}))
	f.Fuzz(func(t *testing.T, device uint64, b []byte) {
		fact, err := ParseFact(device, b)
		if err != nil {
			return
		}
		again, err := ParseFact(device, AppendFact(nil, fact))
		if err != nil || again != fact {
			t.Errorf("%+v became %+v, %v", fact, again, err)
		}
	})
}

func FuzzParseHints(f *testing.F) {
	f.Add(AppendHint(nil, conversation.Hint{Kind: conversation.HintTyping, On: true}))
	f.Fuzz(func(t *testing.T, b []byte) {
		hints, err := ParseHints(b)
		if err != nil {
			return
		}
		var again []byte
		for _, h := range hints {
			again = AppendHint(again, h)
		}
		if got, err := ParseHints(again); err != nil || !slices.Equal(got, hints) {
			t.Errorf("%+v became %+v, %v", hints, got, err)
		}
	})
}
