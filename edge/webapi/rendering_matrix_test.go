package webapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"parley"
	"parley/policy"
	"parley/privacy"
)

// informationRow is a row of the matrix of PRODUCT §2, in its words.
type informationRow struct {
	information                                                        string
	external, colleagues, workgroup, friends, blocked, privacyModeElse string

	// fields are where it stands in a channel; public are, of those, the ones whose
	// attribute is in directory.public by default.
	fields string
	public string
}

// productMatrix is the matrix of PRODUCT §2, row by row. Cells: yes, - (not at
// all), twin (as of the same person who never signed in), colour or full (of the
// state). A * says that inside the organisation it is shown whatever the level if
// its attribute is in directory.public. What has no fields has nothing to show
// yet.
var productMatrix = []informationRow{
	{"Display name, sign-in address, e-mail", "yes", "yes", "yes", "yes", "twin", "yes",
		"display_name address mail", ""},
	{"Title, company, department", "yes", "yes *", "yes *", "yes *", "twin", "*",
		"title company department", "title company department"},
	{"Office, work phone, manager and reports, alias", "-", "yes *", "yes *", "yes *", "twin", "*",
		"office phones[work] manager reports alias other_mail", "office phones[work] manager reports"}, // further addresses are aliases
	{"Mobile phone", "-", "-", "yes", "yes", "twin", "-", "phones[mobile]", ""},
	{"Home and other phones", "-", "-", "-", "yes", "-", "-", "phones[home] phones[other]", ""},
	{"Photo (if shared)", "yes", "yes", "yes", "yes", "twin", "-", "photo", ""},
	{"Presence state", "colour", "full", "full", "full", "twin", "-", "presence.availability presence.activity", ""}, // of a twin: always Offline
	{"Since when, source, last active", "-", "yes", "yes", "yes", "-", "-",
		"presence.since presence.until presence.source presence.last_active", ""},
	{"Personal note, out-of-office note", "-", "yes", "yes", "yes", "-", "-",
		"presence.note presence.note_until presence.out_of_office", ""},
	{"Free/busy, working hours, time zone, device kind", "-", "yes", "yes", "yes", "-", "-",
		"presence.time_zone presence.device", ""},
	{"Meeting subject and place", "-", "-", "yes", "-", "-", "-", "", ""},
}

// rightsRow is a row of the matrix that is no information: what the server does.
type rightsRow struct {
	right                                                              string
	external, colleagues, workgroup, friends, blocked, privacyModeElse string
	of                                                                 func(privacy.Rights) string
}

var productRights = []rightsRow{
	{"Typing, read marks", "yes", "yes", "yes", "yes", "-", "yes", func(r privacy.Rights) string { return yesOr(r.Notices) }},
	{"Gets through Do Not Disturb", "-", "-", "yes", "-", "-", "-", func(r privacy.Rights) string { return yesOr(r.BreaksThrough) }},
	{"May call or message", "yes", "yes", "yes", "yes", "silently", "yes", func(r privacy.Rights) string {
		return [...]string{privacy.ReachNo: "-", privacy.ReachYes: "yes", privacy.ReachSilently: "silently"}[r.Reach]
	}},
}

func yesOr(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}

// column is a row's cell for a class.
func column(cells [6]string, class privacy.Class) string {
	external, colleagues, workgroup, friends, blocked, nonContact := cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]
	switch {
	case class == privacy.Nothing:
		return "-"
	case class == privacy.Self:
		return "self"
	case class.NonContact():
		return nonContact
	}
	switch class.Level() {
	case privacy.External:
		return external
	case privacy.Colleagues:
		return colleagues
	case privacy.Workgroup:
		return workgroup
	case privacy.Friends:
		return friends
	case privacy.Blocked:
		return blocked
	default:
		return "a level that PRODUCT §2 has no column for"
	}
}

// rowAbout is the row in which a field stands.
func rowAbout(field string) informationRow {
	i := slices.IndexFunc(productMatrix, func(r informationRow) bool { return slices.Contains(strings.Fields(r.fields), field) })
	return productMatrix[i]
}

func (r informationRow) cell(class privacy.Class) string {
	return column([6]string{r.external, r.colleagues, r.workgroup, r.friends, r.blocked, r.privacyModeElse}, class)
}

// starred reports whether the row can be made public inside.
func (r informationRow) starred() bool { return strings.Contains(r.colleagues, "*") }

// fromDirectory reports whether the row comes from the directory entry, of which
// outside people get only what the External column says.
func (r informationRow) fromDirectory() bool { return !strings.Contains(r.fields, "presence.") }

// sees says whether a class sees a field of the row; of somebody blocked the twin
// decides.
func (r informationRow) sees(class privacy.Class, field string) bool {
	cell := r.cell(class)
	switch {
	case cell == "self":
		return true
	case class.Inside() && r.starred() && slices.Contains(strings.Fields(r.public), field):
		return true
	case !class.Inside() && r.fromDirectory() && !strings.HasPrefix(r.external, "yes"):
		return false
	case strings.HasPrefix(cell, "yes"), cell == "full":
		return true
	case cell == "colour":
		return field == "presence.availability"
	default:
		return false
	}
}

// The fields of a golden that are no information of PRODUCT §2: the id that
// everything hangs on, and what the viewer decided.
var noInformation = []string{"id", "relationship", "type", "person"}

// TestRenderingObeysTheMatrix holds the goldens to PRODUCT §2, row by row: not to
// what the program does, but to what stands in the files.
//
// claim: CC6, PR7
func TestRenderingObeysTheMatrix(t *testing.T) {
	for channel, persons := range map[string]func(t *testing.T, shown map[string]any) map[string]map[string]any{
		"card": bodyOfCard, "list": rowOfPerson, "search": rowOfPerson, "event": statesOfEvent,
	} {
		golden := readGolden(t, channel)
		for class := range privacy.Class(privacy.NumClasses) {
			shown := classOf(t, golden, channel, class)
			for name, person := range persons(t, shown) {
				t.Run(fmt.Sprintf("%s/%s/%s", channel, class, name), func(t *testing.T) { checkPerson(t, channel, class, name, person) })
			}
			if class.Level() == privacy.Blocked {
				checkTwin(t, golden, channel, class)
			}
		}
	}
	checkPhotos(t)
	for _, channel := range []string{"photo", "error"} {
		golden := readGolden(t, channel)
		for class := range privacy.Class(privacy.NumClasses) {
			classOf(t, golden, channel, class)
			if class.Level() == privacy.Blocked {
				checkTwin(t, golden, channel, class)
			}
		}
	}
}

func readGolden(t *testing.T, channel string) map[string]map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(renderingFolder, channel+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string]map[string]any
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	return golden
}

func classOf(t *testing.T, golden map[string]map[string]any, channel string, class privacy.Class) map[string]any {
	t.Helper()
	shown, ok := golden[class.String()]
	if !ok {
		t.Errorf("testdata/rendering/%s.json has nothing for the class %s", channel, class)
	}
	return shown
}

// The people in a golden, by how they are looked at.

func bodyOfCard(t *testing.T, shown map[string]any) map[string]map[string]any {
	t.Helper()
	return personIn(t, shown, "body")
}

func rowOfPerson(t *testing.T, shown map[string]any) map[string]map[string]any {
	t.Helper()
	return personIn(t, shown, "row")
}

// personIn is the person of an answer; without one the answer was a refusal, or
// the person is not in it, and all of it is withheld.
func personIn(t *testing.T, shown map[string]any, where string) map[string]map[string]any {
	t.Helper()
	person, _ := shown[where].(map[string]any)
	if status, _ := shown["status"].(float64); status != 200 || person == nil {
		return map[string]map[string]any{"refused": nil}
	}
	return map[string]map[string]any{"shown": person}
}

func statesOfEvent(t *testing.T, shown map[string]any) map[string]map[string]any {
	t.Helper()
	states := map[string]map[string]any{}
	for name, event := range shown {
		states[name], _ = event.(map[string]any)
	}
	return states
}

// checkPerson compares what a class is shown of the person with the matrix.
func checkPerson(t *testing.T, channel string, class privacy.Class, name string, person map[string]any) {
	t.Helper()
	if name == "refused" {
		if channel == "card" && class != privacy.Nothing {
			t.Error("the card is refused")
		}
		return // whoever gets no answer sees nothing that they may not
	}
	fields := presentFields(person)
	known := slices.Clone(noInformation)
	for _, row := range productMatrix {
		known = append(known, strings.Fields(row.fields)...)
		if row.cell(class) == "twin" || class.Level() == privacy.Blocked {
			continue // compared with the twin
		}
		for field := range strings.FieldsSeq(row.fields) {
			switch want, got := row.sees(class, field), slices.Contains(fields, field); {
			case got && !want:
				t.Errorf("%s is shown; PRODUCT §2 says %q of %q", field, row.cell(class), row.information)
			case want && !got && isCarried(channel, name, field):
				t.Errorf("%s is withheld; PRODUCT §2 says %q of %q", field, row.cell(class), row.information)
			}
		}
	}
	checkState(t, class, name, person)
	for _, field := range fields {
		if !slices.Contains(known, field) {
			t.Errorf("%s stands in no row of productMatrix (edge/webapi/rendering_matrix_test.go): say there what PRODUCT §2 says of it", field)
		}
	}
}

// checkState looks at the number of a state: full, reduced to its colour, or for
// the workgroup "urgent interruptions only" instead of Do Not Disturb.
func checkState(t *testing.T, class privacy.Class, name string, person map[string]any) {
	t.Helper()
	presence, _ := person["presence"].(map[string]any)
	number, shown := presence["availability"].(float64)
	full := map[string]parley.Availability{"shown": parley.OffWorkAway, "now": parley.OffWorkAway, "do not disturb": parley.DoNotDisturb, "out of office": 12600}[name]
	want := full
	switch cell := rowAbout("presence.availability").cell(class); {
	case cell == "colour":
		want = map[parley.Availability]parley.Availability{parley.OffWorkAway: parley.Away, parley.DoNotDisturb: parley.DoNotDisturb, 12600: parley.BeRightBack}[full]
	case cell == "twin":
		want = parley.Offline
	case class.Level() == privacy.Workgroup && cell == "full" && full == parley.DoNotDisturb:
		want = parley.Urgent
	}
	if shown && parley.Availability(number) != want {
		t.Errorf("the state is %v, want %d", number, want)
	}
}

// isCarried says whether a channel has a place for a field at all, and whether
// the person has anything there.
func isCarried(channel, name, field string) bool {
	switch {
	case field == "presence.out_of_office":
		return name == "out of office"
	case field == "presence.activity":
		return name != "do not disturb"
	case strings.HasPrefix(field, "presence."):
		return true
	case channel == "event":
		return false
	case channel == "card":
		return true
	default:
		return slices.Contains([]string{"display_name", "address", "title", "department", "photo"}, field)
	}
}

// presentFields are the fields of a person, in the words of productMatrix.
func presentFields(person map[string]any) []string {
	var fields []string
	for name, value := range person {
		switch name {
		case "presence":
			for inner := range value.(map[string]any) {
				fields = append(fields, "presence."+inner)
			}
		case "phones":
			for _, phone := range value.([]any) {
				fields = append(fields, fmt.Sprintf("phones[%v]", phone.(map[string]any)["kind"]))
			}
		default:
			fields = append(fields, name)
		}
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// checkTwin wants a blocked class to be shown what the same viewer was shown
// before the person ever signed in.
func checkTwin(t *testing.T, golden map[string]map[string]any, channel string, class privacy.Class) {
	t.Helper()
	twin := twinOutside
	if class.Inside() {
		twin = twinInside
	}
	want, ok := golden[twin]
	if channel == "event" { // its states after the first are made up: there are none of a twin
		if now := golden[class.String()]["now"]; !reflect.DeepEqual(now, want["now"]) {
			t.Errorf("event/%s: %v, of a twin %v", class, now, want["now"])
		}
		for name, event := range golden[class.String()] {
			if !reflect.DeepEqual(event, want["now"]) {
				t.Errorf("event/%s: %s shows %v", class, name, event)
			}
		}
		return
	}
	if got := golden[class.String()]; !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("%s/%s: %v\nof a twin: %v", channel, class, got, want)
	}
}

// checkPhotos compares who gets the picture with the row about it.
func checkPhotos(t *testing.T) {
	t.Helper()
	golden := readGolden(t, "photo")
	for class := range privacy.Class(privacy.NumClasses) {
		shown := classOf(t, golden, "photo", class)
		want, again, own := 404.0, 404.0, 404.0
		if class == privacy.Self {
			own = 200
		}
		if cell := rowAbout("photo").cell(class); cell == "yes" || cell == "twin" || cell == "self" {
			want, again = 200, 304
		}
		if shown["status"] != want || shown["with_its_tag"] != again || shown["not_shared"] != own {
			t.Errorf("photo/%s: %v, want the status %v, %v with its tag, and %v when it is not shared", class, shown, want, again, own)
		}
		if want == 404 && (shown["tag"] != "" || shown["body"] != nil) {
			t.Errorf("photo/%s: withheld, and yet %v", class, shown)
		}
	}
}

// TestRightsObeyTheMatrix holds the rows of PRODUCT §2 that say what the server
// does, not what it shows.
func TestRightsObeyTheMatrix(t *testing.T) {
	for class := range privacy.Class(privacy.NumClasses) {
		for _, row := range productRights {
			want := column([6]string{row.external, row.colleagues, row.workgroup, row.friends, row.blocked, row.privacyModeElse}, class)
			if class == privacy.Self {
				want = "yes"
			}
			if got := row.of(privacy.RightsOf(class, policy.Default())); got != want {
				t.Errorf("%s, %s: %s, want %s", row.right, class, got, want)
			}
		}
	}
}

// TestRenderingChannelsAreComplete finds operations and events that carry a
// person or a state and stand in no channel.
func TestRenderingChannelsAreComplete(t *testing.T) {
	var known []string
	for _, by := range renderingChannels {
		known = append(known, by...)
	}
	carriers := map[string]bool{"getPhoto": true}
	for id, op := range operations() {
		for _, response := range op.Responses {
			if content := response.Content["application/json"]; content != nil && carriesPerson(content.Schema, nil) {
				carriers[id] = true
			}
		}
	}
	schemas := Describe().OpenAPI.Components.Schemas
	for _, event := range events {
		if ref := schemas.Schema(reflect.TypeOf(event), true, ""); carriesPerson(ref, nil) {
			carriers[typeOf(schemas, ref)] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(carriers)) {
		if !slices.Contains(known, id) {
			t.Errorf("%s carries a person, a card or a state and stands in no channel: add it to renderingChannels (edge/webapi/rendering_test.go) with a golden for every class, and to TestRenderingObeysTheMatrix", id)
		}
	}
	for _, id := range known {
		if !carriers[id] {
			t.Errorf("renderingChannels: %s carries nobody", id)
		}
	}
}

// carriesPerson reports whether a schema holds one of the types that show a
// person.
func carriesPerson(s *huma.Schema, above []string) bool {
	schemas := Describe().OpenAPI.Components.Schemas
	if s.Ref != "" {
		name := s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
		if slices.Contains([]string{"PersonRow", "Card", "Presence", "Phone"}, name) {
			return true
		}
		if slices.Contains(above, name) {
			return false
		}
		return carriesPerson(schemas.SchemaFromRef(s.Ref), append(above, name))
	}
	if s.Items != nil {
		return carriesPerson(s.Items, above)
	}
	for _, inner := range s.Properties {
		if carriesPerson(inner, above) {
			return true
		}
	}
	return false
}
