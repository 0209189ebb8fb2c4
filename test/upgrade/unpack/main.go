// Command unpack puts the database of a release into a data folder, for tests that
// are not written in Go, and prints what is known of it as JSON.
//
// It decides nothing: package upgrade does.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"parley/test/upgrade"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "Usage: unpack FIXTURES RELEASE FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(fixtures, release, folder string) error {
	all, err := upgrade.Fixtures(fixtures)
	if err != nil {
		return err
	}
	for _, f := range all {
		if f.Release != release {
			continue
		}
		facts, err := f.SQLite(context.Background(), folder)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(facts)
	}
	return fmt.Errorf("there is no release %s in %s", release, fixtures)
}
