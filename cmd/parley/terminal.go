package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// password reads a new password: typed twice at a terminal, unseen, or the first
// line of standard input.
func (c console) password(ctx context.Context) (string, error) {
	in := bufio.NewReader(c.in)
	before, err := c.stty("-g")
	if err != nil { // standard input is no terminal
		return readLine(ctx, in)
	}
	if _, err := c.stty("-echo"); err != nil {
		return "", fmt.Errorf("hiding what is typed: %w", err)
	}
	defer c.stty(before)
	fmt.Fprint(c.err, "New password: ")
	first, err := readLine(ctx, in)
	if err == nil {
		fmt.Fprint(c.err, "\nOnce more: ")
		var again string
		if again, err = readLine(ctx, in); err == nil && first != again {
			err = errors.New("the two passwords differ")
		}
	}
	fmt.Fprintln(c.err)
	return first, err
}

// stty reads or changes how the terminal of standard input works.
func (c console) stty(setting string) (string, error) {
	command := exec.Command("stty", setting)
	command.Stdin = c.in
	out, err := command.Output()
	return strings.TrimSpace(string(out)), err
}

// readLine reads a line without its end. It gives up when ctx ends; the read then
// goes on until the process ends, which is at once.
func readLine(ctx context.Context, in *bufio.Reader) (string, error) {
	type result struct {
		line string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		line, err := in.ReadString('\n')
		read <- result{line, err}
	}()
	select {
	case r := <-read:
		if r.err != nil && (!errors.Is(r.err, io.EOF) || r.line == "") {
			return "", fmt.Errorf("reading the password: %w", r.err)
		}
		return strings.TrimRight(r.line, "\r\n"), nil
	case <-ctx.Done():
		return "", errors.New("interrupted")
	}
}
