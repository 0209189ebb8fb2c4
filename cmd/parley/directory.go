package main

import (
	"context"
	"flag"
	"fmt"
	"text/tabwriter"
	"time"

	"parley/server"
)

const directoryUsage = `Usage: parley directory status
       parley directory sync [--accept-removals]

status says how the synchronisation with the corporate directory stands: when
people and groups were last in step, and what is wrong.

sync has everything compared now. More than 20 people and more than a tenth of all
who are missing within an hour are taken for a wrong base or filter and stay. With
--accept-removals as many of them as status shows are marked gone.
`

func (c console) directory(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "sync" {
		return c.directorySync(ctx, args[1:])
	}
	if len(args) > 0 && args[0] == "status" {
		args = args[1:]
	}
	set := flag.NewFlagSet("directory", flag.ContinueOnError)
	s := c.controlSettings(set)
	if _, err := c.flags(set, args, 0, directoryUsage); err != nil {
		return err
	}
	return c.withControl(ctx, s, func(control *server.Control) error {
		status, err := control.Directory(ctx)
		if err != nil {
			return err
		}
		return c.printDirectory(status)
	})
}

func (c console) directorySync(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("directory sync", flag.ContinueOnError)
	s := c.controlSettings(set)
	removals := set.Bool("accept-removals", false, "mark as many people gone as are shown to be missing")
	set.Bool("full", true, "compare everything; there is no other way")
	if _, err := c.flags(set, args, 0, directoryUsage); err != nil {
		return err
	}
	return c.withControl(ctx, s, func(control *server.Control) error {
		if err := control.SyncDirectory(ctx, *removals); err != nil {
			return err
		}
		fmt.Fprintln(c.out, "Everything is being compared; \"parley directory status\" says how it went.")
		return nil
	})
}

func (c console) printDirectory(d server.DirectoryStatus) error {
	when := func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return t.Local().Format(time.DateTime)
	}
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	if d.FailingSince.IsZero() {
		fmt.Fprintf(table, "in step\t%s\n", when(d.LastSync))
	} else {
		fmt.Fprintf(table, "failing since\t%s\nin step until\t%s\n", when(d.FailingSince), when(d.LastSync))
	}
	fmt.Fprintf(table, "compared\t%s\n", when(d.LastFull))
	for _, fact := range [][2]string{{"problem", d.Problem}, {"detail", d.Detail}, {"server", d.Server}, {"kind", d.Kind}, {"changes by", d.Mode}} {
		if fact[1] != "" {
			fmt.Fprintf(table, "%s\t%s\n", fact[0], fact[1])
		}
	}
	fmt.Fprintf(table, "people\t%d\ngroups\t%d\n", d.People, d.Groups)
	if err := table.Flush(); err != nil {
		return err
	}
	for _, p := range d.Problems {
		fmt.Fprintf(c.out, "%q: %s\n", p.DN, p.Text)
	}
	return nil
}
