package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"

	"parley/server"
)

const doctorUsage = `Usage: parley doctor directory --config FILE [--as LOGIN]

Tries the corporate directory of the configuration step by step: name,
connection, certificate, the account that reads it, where people and groups are,
which of their attributes are filled, how changes are noticed. It says in plain
words what does not work and what to change; the exit code is 1 when something
has to be changed. With --as it asks for the password of that person and tries
to sign in. Nothing is changed, and the server need not run.
`

func (c console) doctor(ctx context.Context, args []string) error {
	return c.choose(args, "doctor", doctorUsage, map[string]func([]string) error{
		"directory": func(rest []string) error { return c.doctorDirectory(ctx, rest) },
	})
}

func (c console) doctorDirectory(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("doctor directory", flag.ContinueOnError)
	s := c.newSettings(set, nil)
	as := set.String("as", "", "try to sign in as `LOGIN`")
	if _, err := c.flags(set, args, 0, doctorUsage); err != nil {
		return err
	}
	config, err := c.read(s)
	if err != nil {
		return err
	}
	var password string
	if *as != "" {
		if password, err = c.askPassword(ctx, "Password of "+*as+": "); err != nil {
			return err
		}
	}
	return server.ExamineDirectory(ctx, config, *as, password, c.out)
}

// askPassword reads a password once: at a terminal unseen, or the first line of
// standard input.
func (c console) askPassword(ctx context.Context, prompt string) (string, error) {
	in := bufio.NewReader(c.in)
	before, err := c.stty("-g")
	if err != nil { // standard input is no terminal
		return readLine(ctx, in)
	}
	if _, err := c.stty("-echo"); err != nil {
		return "", fmt.Errorf("hiding what is typed: %w", err)
	}
	defer c.stty(before)
	fmt.Fprint(c.err, prompt)
	defer fmt.Fprintln(c.err)
	return readLine(ctx, in)
}
