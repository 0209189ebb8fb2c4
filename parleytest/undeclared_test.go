package parleytest_test

import (
	"testing"

	"parley/parleytest"
)

// What the authorisation matrix says nothing of fails the build, and the failure
// says what to declare and where.
func TestUndeclaredAccessFailsTheBuild(t *testing.T) {
	t.Parallel()
	const contract = "^TestAccessMatrixIsComplete$"
	s := parleytest.Scratch(t)
	if output, passed := s.GoTest("./edge/webapi", contract); !passed {
		t.Fatalf("the matrix lacks something in an untouched copy:\n%s", output)
	}
	s.Replace("edge/webapi/operations.go", "\tregister(s, api, operation{id: \"getAbout\"",
		"\tregister(s, api, operation{id: \"peek\", method: \"GET\", path: \"/api/peek/{who}\", who: viewer}, s.getCard)\n\tregister(s, api, operation{id: \"getAbout\"")
	s.Replace("edge/webapi/server.go", "\tmux.HandleFunc(\"GET /api/ws\", s.serveSocket)", "\tmux.HandleFunc(\"GET /api/ws\", s.serveSocket)\n\tmux.HandleFunc(\"GET /api/back-door\", s.serveSocket)")
	s.Replace("edge/webapi/wire.go", "\tAlias        string      `json:\"alias,omitempty\"`", "\tAlias        string      `json:\"alias,omitempty\"`\n\tSalary       int         `json:\"salary,omitempty\"`")
	s.Replace("edge/webapi/wire.go", "\tNote  string `json:\"note\" maxLength:\"500\"`", "\tNote  string `json:\"note\" maxLength:\"500\"`\n\tFor   string `json:\"on_behalf_of,omitempty\"`")
	s.Replace("edge/webapi/events.go", "PongEvent{}, ProblemEvent{},", "PongEvent{}, ProblemEvent{}, SneezeEvent{},")
	s.Append("edge/webapi/events.go", "\n// SneezeEvent is new.\ntype SneezeEvent struct {\n\tType string `json:\"type\" enum:\"sneeze\"`\n}\n\n"+
		"// UnlistedEvent is in no list.\ntype UnlistedEvent struct {\n\tType string `json:\"type\" enum:\"unlisted\"`\n}\n")
	s.Replace("edge/webapi/events.go", "\tOn           bool   `json:\"on\"`", "\tOn           bool   `json:\"on\"`\n\tDraft        string `json:\"draft,omitempty\"`")
	s.Replace("edge/webapi/frames.go", "ActivityFrame{}, PingFrame{},", "ActivityFrame{}, PingFrame{}, ShoutFrame{},")
	s.Append("edge/webapi/frames.go", "\n// ShoutFrame is new.\ntype ShoutFrame struct {\n\tType string `json:\"type\" enum:\"shout\"`\n}\n")
	s.Replace("entry.go", "\tcase KindMessage:\n", "\tcase 9:\n\t\treturn \"parcel\"\n\tcase KindMessage:\n")
	s.Replace("actor.go", "\tcase ActorRemote:\n", "\tcase 7:\n\t\treturn \"robot\"\n\tcase ActorRemote:\n")
	s.Replace("privacy/types.go", "\tBlocked\n\n\tnumLevels = iota", "\tBlocked\n\tNeighbours\n\n\tnumLevels = iota")
	s.Replace("privacy/types.go", "\"friends\", \"blocked\"}", "\"friends\", \"blocked\", \"neighbours\"}")
	s.Refuses("./edge/webapi", contract,
		"edge/webapi/matrix_table_test.go: the operation peek (GET /api/peek/{who}) has no row: add one to operationRows",
		`edge/webapi/matrix_table_test.go: the address "GET /api/back-door" is served past the operations`,
		"edge/webapi/matrix_table_test.go: the operation getCard has the field salary, which no role is expected to get: name it in the cells",
		"edge/webapi/matrix_table_test.go: the operation setNote takes on_behalf_of, which no row knows: name it in takes",
		"edge/webapi/matrix_sockettable_test.go: the event sneeze (webapi.SneezeEvent) has no row: add one to eventRows",
		`edge/webapi: the type "unlisted" of a frame stands neither in events (events.go) nor in frames (frames.go)`,
		"edge/webapi/matrix_sockettable_test.go: the event typing has the field draft, which no role is expected to get",
		"edge/webapi/matrix_sockettable_test.go: the frame shout (webapi.ShoutFrame) has no row: add one to frameRows",
		"edge/webapi/matrix_sockettable_test.go: the kind of entry parcel has no row: add one to entryRows",
		"edge/webapi/matrix_roles_test.go: no role is an actor of the kind robot: add it to roles",
		"edge/webapi/matrix_roles_test.go: no role stands at the level neighbours: add it to roles",
		"anonymous, self, blocked, stranger",
	)
	s.Refuses("./edge/webapi", "^(TestRendering|TestRenderingChannelsAreComplete)$",
		"edge/webapi/rendering_test.go: nobody of the class neighbours inside looks: make a viewer of it in newRenderingWorld",
		"peek carries a person, a card or a state and stands in no channel: add it to renderingChannels (edge/webapi/rendering_test.go)",
	)
}
