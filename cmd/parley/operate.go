package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"parley/server"
)

const auditUsage = `Usage: parley audit verify [--mark MARK]

Walks the audit trail from its first record and says whether it is what was
stored; the exit code is 1 when it is not. The trail is a chain: each record
carries a hash of itself and of the one before. In the end it prints the mark of
the newest record. Keep it outside the server and give it later: then even a
trail that was made anew from the beginning is noticed. The server's log holds
the mark of every night.
`

func (c console) audit(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("audit", flag.ContinueOnError)
	s := c.controlSettings(set)
	var marks []string
	set.Func("mark", "`MARK` that was printed earlier; may be given several times", func(text string) error {
		marks = append(marks, text)
		return nil
	})
	operands, err := c.flags(set, args, 1, auditUsage)
	if err != nil {
		return err
	}
	if operands[0] != "verify" {
		return errUsage(fmt.Sprintf("parley audit: there is no command %q\n%s", operands[0], auditUsage))
	}
	return c.withControl(ctx, s, func(control *server.Control) error {
		found, err := control.VerifyAudit(ctx, marks...)
		if err != nil {
			return err
		}
		if found.Broken != 0 {
			return fmt.Errorf("the audit trail is broken: record %d %s (%d records before it are good)", found.Broken, found.Problem, found.Records)
		}
		fmt.Fprintf(c.out, "The audit trail is whole: %d records.\n", found.Records)
		if found.Mark != "" {
			fmt.Fprintf(c.out, "The mark of the newest is\n%s\n", found.Mark)
		}
		return nil
	})
}

const jobsUsage = `Usage: parley jobs COMMAND [flags]

  list         list the work that waits, is under way, or was given up
  retry ID     try a job again that was given up
  remove ID    remove a job that was given up
`

func (c console) jobs(ctx context.Context, args []string) error {
	return c.choose(args, "jobs", jobsUsage, map[string]func([]string) error{
		"list":   func(rest []string) error { return c.listJobs(ctx, rest) },
		"retry":  func(rest []string) error { return c.onJob(ctx, "retry", rest, (*server.Control).RetryJob) },
		"remove": func(rest []string) error { return c.onJob(ctx, "remove", rest, (*server.Control).RemoveJob) },
	})
}

func (c console) listJobs(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("jobs list", flag.ContinueOnError)
	s := c.controlSettings(set)
	text := "Usage: parley jobs list\n\nLists jobs: number, kind, state, when it is due, attempts, and the last error.\n"
	if _, err := c.flags(set, args, 0, text); err != nil {
		return err
	}
	return c.withControl(ctx, s, func(control *server.Control) error {
		jobs, err := control.Jobs(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
		for _, j := range jobs {
			fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%d\t%s\n", j.ID, j.Kind, j.State, j.Due.Local().Format(time.DateTime), j.Attempts, j.Error)
		}
		return table.Flush()
	})
}

func (c console) onJob(ctx context.Context, name string, args []string, do func(*server.Control, context.Context, int64) error) error {
	set := flag.NewFlagSet("jobs "+name, flag.ContinueOnError)
	s := c.controlSettings(set)
	operands, err := c.flags(set, args, 1, fmt.Sprintf("Usage: parley jobs %s ID\n\n\"parley jobs list\" shows the numbers.\n", name))
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(operands[0], 10, 64)
	if err != nil {
		return errors.New("the number of a job is needed, as \"parley jobs list\" shows it")
	}
	return c.withControl(ctx, s, func(control *server.Control) error { return do(control, ctx, id) })
}
