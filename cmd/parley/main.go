// Command parley is the whole server and its administrator's command line:
// flags, configuration and signals, nothing else.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// version is set by the build.
var version = "development"

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const usage = `Parley: messages, presence and calls for one organisation, on its own server.

Usage:

  parley serve          run the server
  parley check-config   say what is wrong with the configuration
  parley people         import, list, invite, disable people; set passwords
  parley policy         the organisation's rules: list, set, reset, who changed what
  parley jobs           list the work that waits, and what became of it
  parley audit verify   say whether the audit trail is what was stored
  parley directory      say how the corporate directory is followed, or compare everything
  parley doctor         try the corporate directory, and say what to change
  parley egress         list whom the server connects to, why, and how often
  parley backup FILE    write a copy of the database, while the server runs
  parley restore FILE   put a backup in the place of the database
  parley version        say which version this is

"parley COMMAND --help" says more. Settings come from the file of --config (or
PARLEY_CONFIG), from PARLEY_ variables such as PARLEY_ADDR and PARLEY_DATA, and
from flags; the later wins.
`

// console is where a command reads and writes.
type console struct {
	in       *os.File
	out, err io.Writer
	environ  []string
}

// errUsage says that the command line itself is wrong. Its text is for the person
// who typed it.
type errUsage string

func (e errUsage) Error() string { return string(e) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, console{os.Stdin, os.Stdout, os.Stderr, os.Environ()}, os.Args[1:]))
}

// run carries a command out and returns the exit code.
func run(ctx context.Context, c console, args []string) int {
	err := c.command(ctx, args)
	wrong, isUsage := errors.AsType[errUsage](err)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case isUsage:
		fmt.Fprintln(c.err, wrong)
		return exitUsage
	default:
		fmt.Fprintln(c.err, "parley:", err)
		return exitFailed
	}
}

func (c console) command(ctx context.Context, args []string) error {
	name, rest := "", args
	if len(args) > 0 {
		name, rest = args[0], args[1:]
	}
	switch name {
	case "serve":
		return c.serve(ctx, rest)
	case "check-config":
		return c.checkConfig(rest)
	case "people":
		return c.people(ctx, rest)
	case "policy":
		return c.policy(ctx, rest)
	case "jobs":
		return c.jobs(ctx, rest)
	case "audit":
		return c.audit(ctx, rest)
	case "directory":
		return c.directory(ctx, rest)
	case "doctor":
		return c.doctor(ctx, rest)
	case "egress":
		return c.egress(ctx, rest)
	case "backup":
		return c.backup(ctx, rest)
	case "restore":
		return c.restore(ctx, rest)
	case "version", "--version", "-version":
		fmt.Fprintln(c.out, "parley", version)
		return nil
	case "help", "--help", "-help", "-h":
		fmt.Fprint(c.out, usage)
		return nil
	case "":
		return errUsage(strings.TrimSuffix(usage, "\n"))
	default:
		return errUsage(fmt.Sprintf("parley: there is no command %q; \"parley help\" lists them", name))
	}
}

// choose carries out the one of several commands that the first argument names.
func (c console) choose(args []string, group, text string, commands map[string]func(rest []string) error) error {
	if len(args) == 0 {
		return errUsage(strings.TrimSuffix(text, "\n"))
	}
	if do, ok := commands[args[0]]; ok {
		return do(args[1:])
	}
	switch args[0] {
	case "help", "--help", "-help", "-h":
		fmt.Fprint(c.out, text)
		return nil
	}
	return errUsage(fmt.Sprintf("parley %s: there is no command %q; \"parley %s help\" lists them", group, args[0], group))
}

// flags parses a command's flags, which may stand before, between and after its
// operands, and returns the operands. So many of them must be there.
func (c console) flags(set *flag.FlagSet, args []string, operands int, text string) ([]string, error) {
	return c.someFlags(set, args, operands, operands, text)
}

// someFlags is flags for a command with at least and at most so many operands.
func (c console) someFlags(set *flag.FlagSet, args []string, least, most int, text string) ([]string, error) {
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	var found []string
	err := set.Parse(args)
	for err == nil && set.NArg() > 0 {
		found = append(found, set.Arg(0))
		err = set.Parse(set.Args()[1:])
	}
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(c.out, text, "\nFlags:\n")
		set.SetOutput(c.out)
		set.PrintDefaults()
		return nil, err
	}
	if err == nil && (len(found) < least || len(found) > most) {
		err = fmt.Errorf("%d arguments given, %d needed", len(found), max(least, min(len(found), most)))
	}
	if err != nil {
		first, _, _ := strings.Cut(text, "\n")
		return nil, errUsage(fmt.Sprintf("parley %s: %v\n%s\n\"parley %s --help\" says more", set.Name(), err, first, set.Name()))
	}
	return found, nil
}
