// Command parley-load measures a Parley server under load: how much it takes, how
// fast, with what memory, and whether anything is lost, doubled or out of order.
//
// It starts a private server over a folder of invented people, or takes one that
// runs, on this machine only. Every load is bounded in time and number and ends
// by itself, and with the program ends the server that it started.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// errUsage says that the command line itself is wrong.
type errUsage string

func (e errUsage) Error() string { return string(e) }

func main() {
	signal.Ignore(syscall.SIGPIPE) // a reader that has gone is an error of the writing, behind which there is to tidy up
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Stdout, os.Stderr, os.Args[1:])
	stop()
	os.Exit(code)
}

// run carries a command line out and returns the exit code.
func run(ctx context.Context, out, errs io.Writer, args []string) int {
	err := command(ctx, out, errs, args)
	wrong, isUsage := errors.AsType[errUsage](err)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case isUsage:
		fmt.Fprintln(errs, wrong)
		return exitUsage
	default:
		fmt.Fprintln(errs, "parley-load:", err)
		return exitFailed
	}
}

func command(ctx context.Context, out, errs io.Writer, args []string) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		fmt.Fprint(out, usage())
		return flag.ErrHelp
	}
	known, found := scenarioNamed(args[0])
	if !found {
		return errUsage(fmt.Sprintf("parley-load: there is no scenario %q; \"parley-load help\" lists them", args[0]))
	}
	o, err := parseOptions(known, out, args[1:])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.within, fmt.Errorf("not done within %v", o.within))
	defer cancel()
	report := newReport(out, o.json, o.label)
	report.progress = errs
	err = errors.Join(known.carryOut(ctx, o, report), report.finish())
	if cause := context.Cause(ctx); cause != nil && err != nil && !errors.Is(err, cause) {
		err = errors.Join(cause, err)
	}
	return err
}
