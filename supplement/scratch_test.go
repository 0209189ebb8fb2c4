package supplement_test

import (
	"testing"

	"parley/parleytest"
)

// Whoever adds something and does not declare it is told by the build what to
// declare, and where.
func TestUndeclaredDataFailsTheBuild(t *testing.T) {
	t.Parallel()
	s := parleytest.Scratch(t)
	s.Write("store/schema/sqlite/99999999_mood.sql", "-- +goose Up\nALTER TABLE people ADD COLUMN mood TEXT NOT NULL DEFAULT '';\n")
	s.Replace("edge/webapi/wire.go", "	Title       string    `json:\"title,omitempty\"`\n", "	Title       string    `json:\"title,omitempty\"`\n	Mood        string    `json:\"mood,omitempty\"`\n")
	s.Replace("edge/webapi/frames.go", "	Conversation string `json:\"conversation\"`\n	On ", "	Conversation string `json:\"conversation\"`\n	Words int `json:\"words\"`\n	On ")
	s.Replace("server/server.go", `s.log.Info("stopped")`, `s.log.Info("stopped", "mood", "tired"); s.log.Info(s.config.Build)`)
	s.Replace("server/metrics.go", `[]string{"route", "status"}`, `[]string{"route", "status", "mood"}`)
	s.Replace("egress/purpose.go", "var declarations = []Declaration{\n", "var declarations = []Declaration{\n	{Purpose: \"telemetry\", For: \"Tells the vendor.\", Data: \"moods\", Hosts: \"the vendor's\", Timeout: time.Second},\n")
	s.Replace("web/src/core/store/schema.ts", "export interface MessageRecord {\n", "export interface MessageRecord {\n  mood?: string\n")
	s.Append("web/src/core/device.ts", "\nexport const keepMood = (mood: string): void => localStorage.setItem('mood', mood)\n")
	s.Refuses("./supplement", "^Test.*Declared$",
		`"people.mood" (SQLite) is not declared. Say in supplement/*.go`, `{Database, HOW LONG, names("people.mood")}`,
		`"PersonRow.mood" (a field of edge/webapi) is not declared`, `{Wire, TO WHOM, names("PersonRow.mood")}`,
		`"TypingFrame.words" (a field of edge/webapi) is not declared`,
		`"mood" (server/server.go:`, `{Log, asLongAsTheLog, names("mood")}`, `the text of a log record is not constant`,
		`"mood" (server/metrics.go:`, `{Figures, toMonitoring, names("mood")}`,
		`"telemetry" (egress/purpose.go) is not declared`, `{Outbound, TO WHOM, names("telemetry")}`,
		`"MessageRecord.mood" (web/src/core/store/schema.ts) is not declared`, `{Clear, HOW LONG, names("MessageRecord.mood")}`,
		`a use of localStorage that nobody has declared`,
	)
}

// What is declared and not there is told too.
func TestDeclaredDataThatIsNotThereFailsTheBuild(t *testing.T) {
	t.Parallel()
	s := parleytest.Scratch(t)
	s.Replace("supplement/presence.go", "choices.note choices.note_until", "choices.note choices.note_until choices.mood")
	s.Refuses("./supplement", "^TestColumnsAreDeclared$", `"choices.mood" is declared for the item "the note" in supplement/*.go, and it is not there`)
}
