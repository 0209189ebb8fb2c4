package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"parley/edge/webapi"
)

const generated = "../../../web/src/api.gen.ts"

func TestGeneratedFileIsCurrent(t *testing.T) {
	stored, err := os.ReadFile(generated)
	if err != nil {
		t.Fatal(err)
	}
	var fresh bytes.Buffer
	writeContract(&fresh, webapi.Describe())
	if bytes.Equal(stored, fresh.Bytes()) {
		return
	}
	have, want := strings.Split(string(stored), "\n"), strings.Split(fresh.String(), "\n")
	for i := range min(len(have), len(want)) {
		if have[i] != want[i] {
			t.Fatalf("%s:%d is out of date; run go generate ./edge/webapi\nhave %s\nwant %s", generated, i+1, have[i], want[i])
		}
	}
	t.Fatalf("%s has %d lines, want %d; run go generate ./edge/webapi", generated, len(have), len(want))
}
