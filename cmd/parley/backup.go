package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"parley/server"
)

const backupUsage = `Usage: parley backup FILE|-

Writes a copy of the database as it is at one moment, while the server runs. It
holds what the server holds: people, password hashes, and messages that still
wait for a device. FILE must not exist yet; - is standard output.
`

func (c console) backup(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("backup", flag.ContinueOnError)
	s := c.controlSettings(set)
	operands, err := c.flags(set, args, 1, backupUsage)
	if err != nil {
		return err
	}
	return c.withControl(ctx, s, func(control *server.Control) error {
		if operands[0] == "-" {
			return control.Backup(ctx, c.out)
		}
		return writeNew(operands[0], func(f *os.File) error { return control.Backup(ctx, f) })
	})
}

// writeNew makes a file that only its owner can read. It is there complete and
// on the disk, or not at all, and replaces nothing.
func writeNew(name string, fill func(*os.File) error) error {
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("%s exists already", name)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".parley-backup-*")
	if err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	defer os.Remove(f.Name())
	if err := errors.Join(fill(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), name); err != nil { // unlike Rename, it never replaces
		return fmt.Errorf("writing the backup: %w", err)
	}
	return nil
}

const restoreUsage = `Usage: parley restore FILE
       parley restore --new-epoch

Puts a backup in the place of the database. The server must not run. A database
that is there is kept beside it under another name. Every device notices at its
next contact and fetches anew what the backup holds.

With PostgreSQL its own programs make and restore backups. After that, and before
a node starts, --new-epoch sees to it that every device notices.
`

func (c console) restore(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("restore", flag.ContinueOnError)
	s := c.controlSettings(set)
	newEpoch := set.Bool("new-epoch", false, "give a PostgreSQL database that was restored a new epoch")
	count := 1
	if slices.Contains(args, "--new-epoch") || slices.Contains(args, "-new-epoch") {
		count = 0
	}
	operands, err := c.flags(set, args, count, restoreUsage)
	if err != nil {
		return err
	}
	if *newEpoch {
		return c.renewEpoch(ctx, s)
	}
	data, err := server.DataFolder(c.sources(s))
	if err != nil {
		return err
	}
	former, err := server.Restore(ctx, data, operands[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "Restored into %s. Start the server.\n", data)
	if former != "" {
		fmt.Fprintf(c.out, "The former database is %s. It holds messages; delete it when it is no longer needed.\n", former)
	}
	return nil
}

func (c console) renewEpoch(ctx context.Context, s *settings) error {
	config, problems := server.ReadConfig(c.sources(s))
	if problems.Fatal() {
		return problems
	}
	if err := server.RenewEpoch(ctx, config); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "The database has a new epoch. Start the nodes.")
	return nil
}
