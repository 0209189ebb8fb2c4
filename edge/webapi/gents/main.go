// Command gents writes the app's side of the wire, web/src/api.gen.ts, from the
// contract that package webapi describes: a type for every schema, a function
// for every operation, the unions of events and frames, and the constants. It
// decides how the contract looks in TypeScript and never what it says.
package main

import (
	"bytes"
	"fmt"
	"os"

	"parley/edge/webapi"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gents FILE")
		os.Exit(2)
	}
	var out bytes.Buffer
	writeContract(&out, webapi.Describe())
	if err := os.WriteFile(os.Args[1], out.Bytes(), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
