package server_test

import (
	"net/http"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"parley/edge/webapi"
	"parley/parleytest"
)

func phonesOf(t *testing.T, viewer *parleytest.Device, who string) map[string]webapi.Phone {
	t.Helper()
	var card webapi.Card
	if err := viewer.Call("GET", "/api/people/"+viewer.Who(who), nil, &card); err != nil {
		t.Fatal(err)
	}
	typed := map[string]webapi.Phone{}
	for _, p := range card.Phones {
		if p.Typed {
			typed[p.Kind] = p
		}
	}
	return typed
}

// claim: CC5, CC6
func TestCC5NumbersThatPeopleType(t *testing.T) {
	w := parleytest.Start(t)
	kwame, phone, hanna := w.AtDesk("kwame"), w.As("kwame"), w.As("hanna").Online()
	hanna.Watch(kwame.ID())
	before := hanna.Heard("card")
	set := func(d *parleytest.Device, phones ...webapi.TypedPhone) error {
		return d.Call("PUT", "/api/me/phones", webapi.SetPhonesRequest{Phones: append([]webapi.TypedPhone{}, phones...)}, nil)
	}
	for key, refused := range map[string]error{
		"settings.desktop-only": set(phone, webapi.TypedPhone{Kind: "work", Number: "+44 20 7946 0811"}),
		"phones.emergency":      set(kwame, webapi.TypedPhone{Kind: "work", Number: "1 1 2"}),
		"phones.not-a-number":   set(kwame, webapi.TypedPhone{Kind: "work", Number: "4711"}),
		"phones.too-many":       set(kwame, make([]webapi.TypedPhone, 11)...),
	} {
		if refusal, ok := refused.(*parleytest.Refusal); !ok || key != "phones.too-many" && refusal.Problem.Key != key {
			t.Errorf("%v, want %s", refused, key)
		}
	}
	if err := set(kwame, webapi.TypedPhone{Kind: "work", Number: "020 7946 0811"}, webapi.TypedPhone{Kind: "mobile", Number: "+44 7700 900811"}); err != nil {
		t.Fatal(err)
	}
	hanna.HearsEvent("card", before+1)
	eventually(t, "every node shows the typed number", func() bool { return len(phonesOf(t, hanna, "kwame")) == 1 && len(phonesOf(t, phone, "kwame")) == 2 })
	if p := phonesOf(t, hanna, "kwame")["work"]; p.Dial != "+442079460811" || p.Number != "+44 20 7946 0811" || p.Shown != "+44 20 7946 0811" {
		t.Errorf("a colleague sees %+v", p)
	}
	if !lists(hits(hanna.Search("79460811")), "kwame") || lists(hits(hanna.Search("7700900811")), "kwame") {
		t.Error("a typed number finds the wrong people")
	}
	var settings webapi.Settings
	if err := phone.Call("GET", "/api/me/settings", nil, &settings); err != nil || len(settings.Phones) != 2 || settings.Password != "here" {
		t.Errorf("the phone shows the settings %+v, %v", settings, err)
	}
	relate(t, kwame, hanna, "blocked")
	if p := phonesOf(t, hanna, "kwame"); len(p) != 0 {
		t.Errorf("somebody blocked sees %v", p)
	}
	relate(t, kwame, hanna, "workgroup")
	eventually(t, "somebody of the workgroup sees two", func() bool { return len(phonesOf(t, hanna, "kwame")) == 2 })
	if err := set(kwame); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the numbers are gone", func() bool {
		return len(phonesOf(t, hanna, "kwame")) == 0 && !lists(hits(hanna.Search("79460811")), "kwame")
	})
}

func relate(t *testing.T, owner, other *parleytest.Device, level string) {
	t.Helper()
	if err := owner.Call("PUT", "/api/people/"+other.ID()+"/relationship", webapi.SetRelationshipRequest{Level: level}, nil); err != nil {
		t.Fatal(err)
	}
}

// claim: CC5
func TestCC5NumbersAreShownForReading(t *testing.T) {
	w := parleytest.Start(t)
	hanna := w.As("hanna")
	for who, want := range map[string]webapi.Phone{
		"jonas": {Kind: "work", Number: "+49 40 66969 125", Dial: "+494066969125", Shown: "040 66969125"},
		"kwame": {Kind: "work", Number: "020 7946 0711", Dial: "+442079460711", Shown: "+44 20 7946 0711"},
		"luc":   {Kind: "work", Number: "(416) 555-0114", Dial: "+14165550114", Shown: "+1 416-555-0114"},
	} {
		var card webapi.Card
		if err := hanna.Call("GET", "/api/people/"+hanna.Who(who), nil, &card); err != nil {
			t.Fatal(err)
		}
		if card.Phones[0] != want {
			t.Errorf("%s: %+v, want %+v", who, card.Phones[0], want)
		}
	}
}

// claim: PP2
func TestPP2PicturesAreSharedAndShown(t *testing.T) {
	w := parleytest.Start(t)
	kwame, phone, hanna := w.AtDesk("kwame"), w.As("kwame"), w.As("hanna").Online()
	desk := w.AtDesk("hanna")
	hanna.Watch(kwame.ID())
	photo := "/api/people/" + kwame.ID() + "/photo"
	first := hanna.Ask("GET", photo, nil)
	tag := first.Header.Get("ETag")
	if first.Status != http.StatusOK || tag == "" || first.Header.Get("Cache-Control") != "private, no-cache" {
		t.Fatalf("the picture is answered\n%s", first.Signature())
	}
	for _, headers := range [][]string{{"If-None-Match", tag}, {"If-None-Match", `"other", W/` + tag}, {"If-None-Match", "*"}} {
		if again := hanna.Ask("GET", photo, nil, headers...); again.Status != http.StatusNotModified || len(again.Body) > 0 {
			t.Errorf("with %q: %d, %d bytes", headers, again.Status, len(again.Body))
		}
	}
	if head := hanna.Ask("HEAD", photo, nil); head.Status != http.StatusOK || head.Header.Get("ETag") != tag || len(head.Body) > 0 {
		t.Errorf("HEAD is answered\n%s", head.Signature())
	}
	on, off := true, false
	if err := phone.Call("PUT", "/api/me/pictures", webapi.SetPicturesRequest{Share: &off}, nil); err == nil {
		t.Error("a phone switches pictures")
	}
	turn := func(d *parleytest.Device, to webapi.SetPicturesRequest) {
		t.Helper()
		if err := d.Call("PUT", "/api/me/pictures", to, nil); err != nil {
			t.Fatal(err)
		}
	}
	gone := func(d *parleytest.Device, who string) func() bool {
		return func() bool {
			answer := d.Ask("GET", "/api/people/"+who+"/photo", nil, "If-None-Match", tag)
			return answer.Status == http.StatusNotFound && card(t, d, who).Photo == ""
		}
	}
	before := hanna.Heard("card")
	turn(kwame, webapi.SetPicturesRequest{Share: &off})
	hanna.HearsEvent("card", before+1)
	eventually(t, "nobody gets the picture", func() bool { return gone(hanna, kwame.ID())() })
	if own := kwame.Ask("GET", photo, nil); own.Status != http.StatusOK {
		t.Errorf("the own picture is answered %d", own.Status)
	}
	turn(kwame, webapi.SetPicturesRequest{Share: &on})
	eventually(t, "it is there again", func() bool { return hanna.Ask("GET", photo, nil).Status == http.StatusOK })

	before = hanna.Heard("card")
	turn(desk, webapi.SetPicturesRequest{Show: &off})
	hanna.HearsEvent("card", before+2) // of kwame, who is watched, and of hanna, who set it
	eventually(t, "hanna's devices are handed no pictures", func() bool { return gone(hanna, kwame.ID())() })
	if own := hanna.Ask("GET", "/api/people/"+hanna.ID()+"/photo", nil); own.Status != http.StatusOK || card(t, hanna, hanna.ID()).Photo == "" {
		t.Error("hanna's own picture is not shown to her")
	}
	if other := w.As("amara").Ask("GET", photo, nil); other.Status != http.StatusOK {
		t.Errorf("somebody else gets %d", other.Status)
	}
}

func card(t *testing.T, d *parleytest.Device, who string) (c webapi.Card) {
	t.Helper()
	if err := d.Call("GET", "/api/people/"+who, nil, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// Pictures come from the directory alone: no operation takes one, and no way of
// sending one changes what others see.
//
// claim: PP1
func TestPP1NobodyUploadsAPicture(t *testing.T) {
	w := parleytest.Start(t)
	hanna, desk := w.As("hanna"), w.AtDesk("hanna")
	path := "/api/people/" + hanna.ID() + "/photo"
	before := hanna.Ask("GET", path+"?size=large", nil)
	if before.Status != http.StatusOK {
		t.Fatalf("the picture is answered %d", before.Status)
	}
	for _, method := range []string{"PUT", "POST", "PATCH", "DELETE"} {
		for _, to := range []string{path, "/api/me/photo", "/api/me/picture", "/api/me/pictures", "/api/people/" + hanna.ID()} {
			if answer := desk.Ask(method, to, before.Body, "Content-Type", "image/jpeg"); answer.Status < 400 {
				t.Errorf("%s %s takes a picture: %d", method, to, answer.Status)
			}
		}
	}
	if after := hanna.Ask("GET", path+"?size=large", nil); after.Header.Get("ETag") != before.Header.Get("ETag") {
		t.Error("the picture is another one")
	}
	taking := 0
	for path, item := range webapi.Describe().OpenAPI.Paths {
		for _, op := range []*huma.Operation{item.Put, item.Post, item.Patch} {
			if op == nil || op.RequestBody == nil {
				continue
			}
			taking++
			for media := range op.RequestBody.Content {
				if media != "application/json" {
					t.Errorf("%s takes %s", path, media)
				}
			}
		}
	}
	if taking < 10 {
		t.Errorf("only %d operations take a body: the test shows nothing", taking)
	}
}
