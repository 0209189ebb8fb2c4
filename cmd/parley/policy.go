package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"parley/server"
)

const policyUsage = `Usage: parley policy COMMAND [flags]

  list             list the organisation's rules with their values
  show KEY         say what a rule does, and who changed it last
  set KEY VALUE    give a rule a value, at once and on every node
  reset KEY        give a rule its default again
  history [KEY]    list who changed what, and when

A rule that the configuration file gives is locked: change it there, and send the
server SIGHUP.
`

func (c console) policy(ctx context.Context, args []string) error {
	return c.choose(args, "policy", policyUsage, map[string]func([]string) error{
		"list":    func(rest []string) error { return c.listRules(ctx, rest) },
		"show":    func(rest []string) error { return c.showRule(ctx, rest) },
		"set":     func(rest []string) error { return c.setRule(ctx, rest) },
		"reset":   func(rest []string) error { return c.resetRule(ctx, rest) },
		"history": func(rest []string) error { return c.ruleHistory(ctx, rest) },
	})
}

func (c console) listRules(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("policy list", flag.ContinueOnError)
	s := c.controlSettings(set)
	if _, err := c.flags(set, args, 0, "Usage: parley policy list\n\nLists every rule: key, value, and where the value comes from.\n"); err != nil {
		return err
	}
	return c.withControl(ctx, s, func(control *server.Control) error {
		rules, err := control.Rules(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
		for _, r := range rules {
			fmt.Fprintf(table, "%s\t%s\t%s\n", r.Key, r.Value, origin(r))
		}
		return table.Flush()
	})
}

// origin says in words where the value of a rule comes from.
func origin(r server.ListedRule) string {
	var text string
	switch {
	case r.Source == "configuration":
		text = "locked by " + r.Where
	case r.Source == "stored" && r.Changed != nil:
		text = fmt.Sprintf("set by %s, %s", r.Changed.By, r.Changed.At.Local().Format(time.DateTime))
	default:
		text = "default"
	}
	if r.Pending {
		text += " (without effect in this version)"
	}
	return text
}

func (c console) showRule(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("policy show", flag.ContinueOnError)
	s := c.controlSettings(set)
	operands, err := c.flags(set, args, 1, "Usage: parley policy show KEY\n")
	if err != nil {
		return err
	}
	return c.withControl(ctx, s, func(control *server.Control) error {
		rules, err := control.Rules(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(rules, func(r server.ListedRule) bool { return r.Key == operands[0] })
		if i < 0 {
			return fmt.Errorf("there is no rule %q; \"parley policy list\" lists them", operands[0])
		}
		printRule(c.out, rules[i])
		return nil
	})
}

func printRule(w io.Writer, r server.ListedRule) {
	fmt.Fprintf(w, "%s = %s\n%s\n%s: %s\n", r.Key, r.Value, origin(r), r.Label, r.Doc)
	switch {
	case r.Max != "":
		fmt.Fprintf(w, "From %s to %s; default %s.\n", r.Min, r.Max, r.Default)
	default:
		fmt.Fprintf(w, "Default %s.\n", r.Default)
	}
	if r.Changed != nil && r.Source != "stored" {
		fmt.Fprintf(w, "Last changed at run time: %s\n", changeLine(*r.Changed))
	}
}

// changeLine describes a change without its key.
func changeLine(change server.RuleChange) string {
	to := change.Value
	if change.Reset {
		to = "(default)"
	}
	return fmt.Sprintf("%s by %s, %s", to, change.By, change.At.Local().Format(time.DateTime))
}

func (c console) setRule(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("policy set", flag.ContinueOnError)
	s := c.controlSettings(set)
	operands, err := c.flags(set, args, 2, "Usage: parley policy set KEY VALUE\n\nVALUE is written as in the configuration file, without quotes: true, 30d, 25, title,company.\n")
	if err != nil {
		return err
	}
	return c.withControl(ctx, s, func(control *server.Control) error {
		return c.changed(control.SetRule(ctx, operands[0], operands[1]))
	})
}

func (c console) resetRule(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("policy reset", flag.ContinueOnError)
	s := c.controlSettings(set)
	operands, err := c.flags(set, args, 1, "Usage: parley policy reset KEY\n")
	if err != nil {
		return err
	}
	return c.withControl(ctx, s, func(control *server.Control) error { return c.changed(control.ResetRule(ctx, operands[0])) })
}

// changed prints what a rule is now.
func (c console) changed(r server.ListedRule, err error) error {
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s = %s\n", r.Key, r.Value)
	return nil
}

func (c console) ruleHistory(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("policy history", flag.ContinueOnError)
	s := c.controlSettings(set)
	operands, err := c.someFlags(set, args, 0, 1, "Usage: parley policy history [KEY]\n\nLists changes, the newest first.\n")
	if err != nil {
		return err
	}
	key := strings.Join(operands, "")
	return c.withControl(ctx, s, func(control *server.Control) error {
		changes, err := control.RuleHistory(ctx, key)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
		for _, change := range changes {
			fmt.Fprintf(table, "%s\t%s\n", change.Key, changeLine(change))
		}
		return table.Flush()
	})
}
