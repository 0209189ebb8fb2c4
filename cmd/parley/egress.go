package main

import (
	"context"
	"flag"
	"fmt"
	"text/tabwriter"

	"parley/server"
)

const egressUsage = `Usage: parley egress

Lists for what the server opens connections to the outside, what leaves it and
whom it reaches, and how often it has done so since it started. A connection
for anything else is refused.
`

func (c console) egress(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("egress", flag.ContinueOnError)
	s := c.controlSettings(set)
	if _, err := c.flags(set, args, 0, egressUsage); err != nil {
		return err
	}
	return c.withControl(ctx, s, func(control *server.Control) error {
		lines, err := control.Outbound(ctx)
		if err != nil {
			return err
		}
		return c.printOutbound(lines)
	})
}

func (c console) printOutbound(lines []server.Outbound) error {
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PURPOSE\tCONNECTIONS\tREFUSED\tSENT\tRECEIVED\tLAST")
	for _, l := range lines {
		if l.Uncounted {
			fmt.Fprintf(table, "%s\t-\t-\t-\t-\t-\n", l.Purpose)
			continue
		}
		last := "never"
		if !l.LastUsed.IsZero() {
			last = l.LastUsed.Local().Format("2006-01-02 15:04:05")
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%s\n", l.Purpose, l.Connections, l.Refused, l.Sent, l.Received, last)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, l := range lines {
		fmt.Fprintf(c.out, "\n%s: %s\n  leaves:  %s\n  reaches: %s\n", l.Purpose, l.For, l.Data, l.Hosts)
		if l.Past != "" {
			fmt.Fprintf(c.out, "  by itself: %s\n", l.Past)
		}
	}
	return nil
}
