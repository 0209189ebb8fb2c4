package presence

import (
	"testing"
	"time"

	"parley"
	"pgregory.net/rapid"
)

var (
	now    = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	minute = time.Minute
)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// device is one that was touched some time ago and is there.
func device(id parley.DeviceID, idle time.Duration) Device {
	return Device{ID: id, Class: parley.Desktop, LastActive: ago(idle), Lease: now.Add(Lease), TimeZone: "Europe/Berlin"}
}

func phone(id parley.DeviceID, idle time.Duration) Device {
	d := device(id, idle)
	d.Class, d.TimeZone = parley.Mobile, "Asia/Tokyo"
	return d
}

func over(d Device) Device {
	d.Lease = now
	return d
}

func TestAggregate(t *testing.T) {
	manual := func(s State, set time.Duration) Choice { return Choice{State: s, SetAt: ago(set)} }
	for _, test := range []struct {
		name    string
		devices []Device
		choice  Choice
		want    parley.Availability
		token   parley.Token
		source  parley.PresenceSource
		next    time.Duration // from now; 0: never
	}{
		{"never signed in", nil, Choice{}, parley.Offline, "", parley.SourceNone, 0},
		{"active", []Device{device(1, 0)}, Choice{}, parley.Available, "", parley.SourceDevice, Lease},
		{"just before inactive", []Device{device(1, 5*minute-1)}, Choice{}, parley.Available, "", parley.SourceDevice, 1},
		{"inactive", []Device{device(1, 5*minute)}, Choice{}, parley.Inactive, "", parley.SourceDevice, Lease},
		{"just before away", []Device{device(1, 10*minute-1)}, Choice{}, parley.Inactive, "", parley.SourceDevice, 1},
		{"away", []Device{device(1, 10*minute)}, Choice{}, parley.Away, "", parley.SourceDevice, Lease},
		{"no activity known", []Device{{ID: 1, Lease: now.Add(Lease)}}, Choice{}, parley.Away, "", parley.SourceDevice, Lease},
		{"lease over", []Device{over(device(1, 0))}, Choice{}, parley.Offline, "", parley.SourceNone, 0},
		{"lowest wins", []Device{device(1, 7*minute), device(2, minute), device(3, 20*minute)}, Choice{}, parley.Available, "", parley.SourceDevice, Lease},
		{"lowest is over", []Device{device(1, 7*minute), over(device(2, minute))}, Choice{}, parley.Inactive, "", parley.SourceDevice, Lease},

		{"busy", []Device{device(1, 0)}, manual(ChooseBusy, minute), parley.Busy, "", parley.SourceManual, Lease},
		{"busy and idle", []Device{device(1, 6*minute)}, manual(ChooseBusy, minute), parley.BusyInactive, "", parley.SourceManual, Lease},
		{"busy for a day", []Device{device(1, 0)}, manual(ChooseBusy, ManualLapse), parley.Available, "", parley.SourceDevice, Lease},
		{"busy for nearly a day", []Device{device(1, 0)}, manual(ChooseBusy, ManualLapse-1), parley.Busy, "", parley.SourceManual, 1},
		{"do not disturb", []Device{device(1, time.Hour)}, manual(ChooseDoNotDisturb, minute), parley.DoNotDisturb, "", parley.SourceManual, Lease},
		{"do not disturb for a day", []Device{device(1, time.Hour)}, manual(ChooseDoNotDisturb, ManualLapse), parley.Away, "", parley.SourceDevice, Lease},
		{"do not disturb until a time", []Device{device(1, 0)}, Choice{State: ChooseDoNotDisturb, SetAt: ago(minute), Until: now.Add(10 * time.Second)}, parley.DoNotDisturb, "", parley.SourceManual, 10 * time.Second},
		{"do not disturb until a time that came", []Device{device(1, 0)}, Choice{State: ChooseDoNotDisturb, SetAt: ago(minute), Until: now}, parley.Available, "", parley.SourceDevice, Lease},
		{"do not disturb for a week, after a day", []Device{device(1, 0)}, Choice{State: ChooseDoNotDisturb, SetAt: ago(ManualLapse), Until: now.Add(time.Hour)}, parley.Available, "", parley.SourceDevice, Lease},
		{"be right back for two days", []Device{device(1, 0)}, manual(ChooseBeRightBack, 2*ManualLapse), parley.BeRightBack, "", parley.SourceManual, Lease},
		{"off work", []Device{device(1, 0)}, manual(ChooseOffWork, minute), parley.OffWorkAway, parley.TokenOffWork, parley.SourceManual, Lease},
		{"appear away", []Device{device(1, 0)}, manual(ChooseAppearAway, minute), parley.Away, "", parley.SourceManual, Lease},
		{"available by hand, idle", []Device{device(1, time.Hour)}, manual(ChooseAvailable, time.Hour), parley.Available, "", parley.SourceManual, Lease},
		{"busy without a device", nil, manual(ChooseBusy, minute), parley.Offline, "", parley.SourceNone, ManualLapse - minute},
		{"busy, every lease over", []Device{over(device(1, 0))}, manual(ChooseBusy, minute), parley.Offline, "", parley.SourceNone, ManualLapse - minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, next := Aggregate(Facts{Devices: test.devices, Choice: test.choice}, now)
			if got.Availability != test.want || got.Token != test.token || got.Source != test.source {
				t.Errorf("got %d %q from %q, want %d %q from %q", got.Availability, got.Token, got.Source, test.want, test.token, test.source)
			}
			switch {
			case test.next == 0 && !next.IsZero():
				t.Errorf("changes by itself in %v, want never", next.Sub(now))
			case test.next != 0 && !next.Equal(now.Add(test.next)):
				t.Errorf("changes by itself at %v, want in %v", next, test.next)
			}
		})
	}
}

func TestTheDecidingDeviceGivesZoneAndKind(t *testing.T) {
	for _, test := range []struct {
		name    string
		devices []Device
		mobile  bool
		zone    string
	}{
		{"most recent activity among equals", []Device{device(1, 2*minute), phone(2, minute)}, true, "Asia/Tokyo"},
		{"whatever their order", []Device{phone(2, minute), device(1, 2*minute)}, true, "Asia/Tokyo"},
		{"the lower number", []Device{phone(1, 8*minute), device(2, 4*minute)}, false, "Europe/Berlin"},
		{"not one that is over", []Device{over(phone(1, 0)), device(2, time.Hour)}, false, "Europe/Berlin"},
		{"none", []Device{over(phone(1, 0))}, false, ""},
	} {
		got, _ := Aggregate(Facts{Devices: test.devices, Choice: Choice{State: ChooseOffWork, SetAt: now}}, now)
		if got.Mobile != test.mobile || got.TimeZone != test.zone {
			t.Errorf("%s: mobile %t in %q", test.name, got.Mobile, got.TimeZone)
		}
	}
}

func TestLastActive(t *testing.T) {
	appear := Choice{State: ChooseAppearAway, SetAt: ago(time.Hour)}
	for _, test := range []struct {
		name  string
		facts Facts
		want  time.Time
	}{
		{"active people have none", Facts{Devices: []Device{device(1, minute)}}, time.Time{}},
		{"inactive", Facts{Devices: []Device{device(1, 7*minute), phone(2, 9*minute)}}, ago(7 * minute)},
		{"offline", Facts{LastActive: ago(time.Hour)}, ago(time.Hour)},
		{"available by hand", Facts{Devices: []Device{device(1, time.Hour)}, Choice: Choice{State: ChooseAvailable, SetAt: now}}, time.Time{}},
		{"busy and touching it", Facts{Devices: []Device{device(1, minute)}, Choice: Choice{State: ChooseBusy, SetAt: now}}, time.Time{}},
		{"busy and idle", Facts{Devices: []Device{device(1, 6*minute)}, Choice: Choice{State: ChooseBusy, SetAt: now}}, ago(6 * minute)},
		{"appearing away while typing", Facts{Devices: []Device{device(1, 0)}, Choice: appear}, ago(time.Hour)},
		{"having left while appearing away", Facts{LastActive: ago(minute), Choice: appear}, ago(time.Hour)},
		{"appearing away, and away", Facts{Devices: []Device{device(1, 2*time.Hour)}, Choice: appear}, ago(2 * time.Hour)},
	} {
		if got, _ := Aggregate(test.facts, now); !got.LastActive.Equal(test.want) {
			t.Errorf("%s: last active %v, want %v", test.name, got.LastActive, test.want)
		}
	}
}

func TestNoteLapses(t *testing.T) {
	c := Choice{Note: "at the dentist", NoteUntil: now.Add(minute)}
	if got, next := Aggregate(Facts{Choice: c}, now); got.Note != c.Note || got.NoteUntil != c.NoteUntil || next != c.NoteUntil {
		t.Errorf("before: %+v until %v", got, next)
	}
	if got, next := Aggregate(Facts{Choice: c}, c.NoteUntil); got.Note != "" || !got.NoteUntil.IsZero() || !next.IsZero() {
		t.Errorf("after: %+v until %v", got, next)
	}
	if got, next := Aggregate(Facts{Choice: Choice{Note: "always"}}, now); got.Note != "always" || !next.IsZero() {
		t.Errorf("without a time: %+v until %v", got, next)
	}
}

func TestSinceIsTheStartOfTheShownState(t *testing.T) {
	start := ago(time.Hour)
	available := parley.Presence{Availability: parley.Available, Since: start}
	for _, test := range []struct {
		name  string
		facts Facts
		want  time.Time
	}{
		{"goes on", Facts{Devices: []Device{device(1, 0)}, Was: available}, start},
		{"goes on for another reason", Facts{Devices: []Device{device(1, 0)}, Choice: Choice{State: ChooseAvailable, SetAt: now}, Was: available}, start},
		{"begins", Facts{Devices: []Device{device(1, 6*minute)}, Was: available}, now},
		{"ends", Facts{Was: available}, now},
		{"offline as long as anybody knows", Facts{}, time.Time{}},
		{"same number, other token", Facts{Devices: []Device{device(1, 0)}, Choice: Choice{State: ChooseOffWork, SetAt: now}, Was: parley.Presence{Availability: parley.OffWorkAway, Since: start}}, now},
	} {
		if got, _ := Aggregate(test.facts, now); !got.Since.Equal(test.want) {
			t.Errorf("%s: since %v, want %v", test.name, got.Since, test.want)
		}
	}
}

func genTime(t *rapid.T, label string) time.Time {
	n := rapid.IntRange(-30, 30).Draw(t, label)
	if n == 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(n) * minute)
}

func genFacts(t *rapid.T) Facts {
	var f Facts
	for i := range rapid.IntRange(0, 4).Draw(t, "devices") {
		f.Devices = append(f.Devices, Device{
			ID: parley.DeviceID(i + 1), Class: rapid.SampledFrom([]parley.DeviceClass{parley.Mobile, parley.Desktop}).Draw(t, "class"),
			LastActive: genTime(t, "active"), Lease: now.Add(time.Duration(rapid.IntRange(-60, 60).Draw(t, "lease")) * time.Second),
			TimeZone: rapid.SampledFrom([]string{"", "Europe/Berlin"}).Draw(t, "zone"),
		})
	}
	f.Choice = Choice{
		State: rapid.SampledFrom([]State{
			Automatic, ChooseAvailable, ChooseBusy, ChooseDoNotDisturb, ChooseBeRightBack, ChooseOffWork, ChooseAppearAway,
		}).Draw(t, "state"),
		SetAt: ago(time.Duration(rapid.IntRange(0, 30).Draw(t, "set")) * time.Hour), Until: genTime(t, "until"),
		Note: rapid.SampledFrom([]string{"", "x"}).Draw(t, "note"), NoteUntil: genTime(t, "note until"),
	}
	f.LastActive = genTime(t, "gone active")
	return f
}

// Whatever the facts: nothing outlives its lease, nothing lasts past its time,
// the next change lies ahead, and until then nothing changes.
func TestAggregateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := genFacts(t)
		p, next := Aggregate(f, now)
		live, best := false, parley.Away
		for _, d := range f.Devices {
			if !d.Lease.After(now) {
				continue
			}
			live = true
			if idle := now.Sub(d.LastActive); idle < InactiveAfter {
				best = min(best, parley.Available)
			} else if idle < AwayAfter {
				best = min(best, parley.Inactive)
			}
		}
		if live == (p.Availability == parley.Offline) {
			t.Fatalf("a device is there: %t, shown: %d", live, p.Availability)
		}
		if !live && (p.Source != parley.SourceNone || p.Token != "" || p.TimeZone != "" || p.Mobile || !p.Until.IsZero()) {
			t.Errorf("nobody is there, but shown: %+v", p)
		}
		if live && p.Source == parley.SourceDevice && p.Availability != best {
			t.Errorf("shown %d, the devices say %d", p.Availability, best)
		}
		if p.Source == parley.SourceManual && (f.Choice.State == Automatic || !p.Until.IsZero() && !p.Until.After(now)) {
			t.Errorf("a choice outlives its time: %+v of %+v", p, f.Choice)
		}
		if next.IsZero() {
			if live {
				t.Error("somebody is there and nothing ends it")
			}
			next = now.Add(1000 * time.Hour)
		}
		if !next.After(now) {
			t.Fatalf("the next change, at %v, lies behind", next)
		}
		f.Was = p
		if later, _ := Aggregate(f, next.Add(-1)); later != p {
			t.Errorf("changed before its time %v:\n%+v\n%+v", next, p, later)
		}
	})
}
