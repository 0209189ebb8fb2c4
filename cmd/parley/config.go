package main

import (
	"flag"
	"fmt"
	"maps"
	"strings"

	"parley/server"
)

// settings are the flags that configure, shared by the commands.
type settings struct {
	set   *flag.FlagSet
	file  *string
	demo  bool
	lan   bool
	given map[string]string // by key of the configuration
}

// newSettings adds --config and, for each of keys, a flag of that name.
func (c console) newSettings(set *flag.FlagSet, keys map[string]string) *settings {
	s := &settings{set: set, given: map[string]string{}}
	s.file = set.String("config", c.variable("PARLEY_CONFIG"), "configuration `FILE`")
	for key, text := range keys {
		set.Func(key, text, func(value string) error {
			s.given[key] = value
			return nil
		})
	}
	return s
}

func (c console) variable(name string) string {
	for _, entry := range c.environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// read gives the configuration. What is wrong with it is the error; what is only
// suspicious is printed.
func (c console) read(s *settings) (server.Config, error) {
	config, problems := server.ReadConfig(c.sources(s))
	if problems.Fatal() {
		return config, fmt.Errorf("the configuration is wrong:\n%w", problems)
	}
	if len(problems) > 0 {
		fmt.Fprintln(c.err, problems)
	}
	config.Build = version
	return config, nil
}

func (c console) sources(s *settings) server.Sources {
	return server.Sources{File: *s.file, Environ: c.environ, Flags: maps.Clone(s.given), Demo: s.demo, LAN: s.lan}
}

const checkConfigUsage = `Usage: parley check-config --config FILE
       parley check-config --example

Says everything that is wrong with the configuration: file, line, key, and what
is allowed. --example prints a file with every setting and what it means.
`

func (c console) checkConfig(args []string) error {
	set := flag.NewFlagSet("check-config", flag.ContinueOnError)
	s := c.newSettings(set, nil)
	example := set.Bool("example", false, "print an annotated configuration file")
	if _, err := c.flags(set, args, 0, checkConfigUsage); err != nil {
		return err
	}
	if *example {
		return server.WriteExample(c.out)
	}
	_, problems := server.ReadConfig(c.sources(s))
	for _, p := range problems {
		fmt.Fprintln(c.out, p)
	}
	switch {
	case problems.Fatal():
		return fmt.Errorf("the configuration is wrong (%d problems)", len(problems))
	case len(problems) == 0:
		fmt.Fprintln(c.out, "The configuration is good.")
	}
	return nil
}
