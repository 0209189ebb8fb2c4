package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"parley/server"
)

const peopleUsage = `Usage: parley people COMMAND [flags]

  import FILE|-          take over a directory export (LDIF)
  list                   list everybody
  invite ADDRESS         make a link by which somebody chooses a password
  set-password ADDRESS   give somebody a password, typed or from standard input
  disable ADDRESS        bar somebody from signing in, at once
  enable ADDRESS         let somebody sign in again

They talk to the server that runs over the data folder (--data, --config or
PARLEY_DATA), or to the folder itself when none runs.
`

func (c console) people(ctx context.Context, args []string) error {
	return c.choose(args, "people", peopleUsage, map[string]func([]string) error{
		"import":       func(rest []string) error { return c.importPeople(ctx, rest) },
		"list":         func(rest []string) error { return c.listPeople(ctx, rest) },
		"invite":       func(rest []string) error { return c.invite(ctx, rest) },
		"set-password": func(rest []string) error { return c.setPassword(ctx, rest) },
		"disable": func(rest []string) error {
			return c.onPerson(ctx, "disable", "Bars somebody from signing in, and signs their devices out within a second.", rest, (*server.Control).Disable)
		},
		"enable": func(rest []string) error {
			return c.onPerson(ctx, "enable", "Lifts \"disable\". What the directory says about the person stays.", rest, (*server.Control).Enable)
		},
	})
}

// control reaches the server, or opens the data folder when none runs.
func (c console) control(ctx context.Context, s *settings) (*server.Control, error) {
	data, err := server.DataFolder(c.sources(s))
	if err != nil {
		return nil, err
	}
	return server.OpenControl(ctx, data, func() (server.Config, error) {
		s.demo = server.IsDemo(data)
		return c.read(s)
	})
}

// withControl calls use with the server and closes it again.
func (c console) withControl(ctx context.Context, s *settings, use func(*server.Control) error) error {
	control, err := c.control(ctx, s)
	if err != nil {
		return err
	}
	return errors.Join(use(control), control.Close())
}

func (c console) controlSettings(set *flag.FlagSet) *settings {
	return c.newSettings(set, map[string]string{"data": "data `FOLDER` of the server (default data)"})
}

const importUsage = `Usage: parley people import [--complete] [--domain DOMAIN] FILE|-

Takes over a directory export in LDIF, as slapcat, ldapsearch and ldifde write
it; - is standard input. People are recognised by entryUUID or objectGUID, so an
import can be repeated. Records with problems are named with their line and left
out.
`

func (c console) importPeople(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("people import", flag.ContinueOnError)
	s := c.controlSettings(set)
	var options server.ImportOptions
	set.BoolVar(&options.Complete, "complete", false, "the export holds everybody: whoever is missing from it has left")
	set.StringVar(&options.Domain, "domain", "", "`DOMAIN` that completes the alias of people without an address (default organisation.default_domain)")
	operands, err := c.flags(set, args, 1, importUsage)
	if err != nil {
		return err
	}
	export, err := c.open(operands[0])
	if err != nil {
		return err
	}
	defer export.Close()
	return c.withControl(ctx, s, func(control *server.Control) error {
		result, err := control.ImportPeople(ctx, export, options, func(problem string, so *server.ImportCount) {
			if problem != "" {
				fmt.Fprintln(c.err, problem)
			}
			if so != nil && so.Read%10_000 == 0 {
				fmt.Fprintf(c.err, "%d people read …\n", so.Read)
			}
		})
		if err != nil {
			return fmt.Errorf("importing: %w", err)
		}
		fmt.Fprintf(c.out, "%d people read: %d added, %d changed, %d as they were, %d records left out; %d people have left. %d problems.\n",
			result.Read, result.Added, result.Changed, result.Unchanged, result.Skipped, result.Left, result.Problems)
		return nil
	})
}

func (c console) open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(c.in), nil
	}
	return os.Open(name)
}

func (c console) listPeople(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("people list", flag.ContinueOnError)
	s := c.controlSettings(set)
	requests := set.Bool("requests", false, "only people who asked for a new password")
	if _, err := c.flags(set, args, 0, "Usage: parley people list [--requests]\n\nLists everybody: sign-in address, name, and what bars them from signing in.\n"); err != nil {
		return err
	}
	return c.withControl(ctx, s, func(control *server.Control) error {
		people, err := control.People(ctx, *requests)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
		for _, p := range people {
			fmt.Fprintf(table, "%s\t%s\t%s\n", p.Address, p.DisplayName, remarks(p))
		}
		return table.Flush()
	})
}

func remarks(p server.Listed) string {
	var all []string
	if p.Gone {
		all = append(all, "has left")
	}
	if p.Disabled {
		all = append(all, "disabled")
	}
	if p.Barred {
		all = append(all, "barred by the directory")
	}
	if !p.Requested.IsZero() {
		all = append(all, "asked for a new password "+p.Requested.Local().Format(time.DateTime))
	}
	return strings.Join(all, ", ")
}

func (c console) onPerson(ctx context.Context, name, text string, args []string, do func(*server.Control, context.Context, string) error) error {
	set := flag.NewFlagSet("people "+name, flag.ContinueOnError)
	s := c.controlSettings(set)
	operands, err := c.flags(set, args, 1, fmt.Sprintf("Usage: parley people %s ADDRESS\n\n%s\n", name, text))
	if err != nil {
		return err
	}
	return c.withControl(ctx, s, func(control *server.Control) error { return do(control, ctx, operands[0]) })
}

func (c console) invite(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("people invite", flag.ContinueOnError)
	s := c.controlSettings(set)
	operands, err := c.flags(set, args, 1, "Usage: parley people invite ADDRESS\n\nPrints a link by which the person chooses a password, once. It replaces an earlier one.\n")
	if err != nil {
		return err
	}
	return c.withControl(ctx, s, func(control *server.Control) error {
		invited, err := control.Invite(ctx, operands[0])
		if err != nil {
			return err
		}
		fmt.Fprintln(c.out, invited.Link)
		fmt.Fprintf(c.err, "Works once, until %s. Give it to nobody but the person.\n", invited.Expires.Local().Format(time.DateTime))
		return nil
	})
}

func (c console) setPassword(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("people set-password", flag.ContinueOnError)
	s := c.controlSettings(set)
	operands, err := c.flags(set, args, 1, "Usage: parley people set-password ADDRESS\n\nSets a password and signs the person's devices out. It is asked for at a\nterminal; else the first line of standard input is taken.\n")
	if err != nil {
		return err
	}
	password, err := c.password(ctx)
	if err != nil {
		return err
	}
	return c.withControl(ctx, s, func(control *server.Control) error { return control.SetPassword(ctx, operands[0], password) })
}
