package main

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"parley/server"
)

const serveUsage = `Usage: parley serve [--config FILE] [--addr ADDRESS] [--data FOLDER] [--demo] [--lan]

Runs the server until it is told to stop (SIGINT, SIGTERM). SIGHUP has it read
the configuration again.

  --demo  fills an empty data folder with an invented organisation to try things
          with, and says how to sign in
  --lan   serves the phones of this network: HTTPS on port 8443 with a
          certificate authority of this machine's own, and on port 8080 a page
          that explains how to trust it
`

func (c console) serve(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("serve", flag.ContinueOnError)
	s := c.newSettings(set, map[string]string{
		"addr": "`ADDRESS` and port to listen on (default 127.0.0.1:8080, with --lan :8443)",
		"data": "`FOLDER` for everything that the server stores (default data)",
	})
	set.BoolVar(&s.demo, "demo", false, "serve the demo organisation")
	set.BoolVar(&s.lan, "lan", false, "serve this machine's network over HTTPS")
	if _, err := c.flags(set, args, 0, serveUsage); err != nil {
		return err
	}
	if *s.file == "" && !s.demo && c.variable("PARLEY_ORGANISATION_NAME") == "" {
		return errUsage("parley serve: whose server is this? Give --config FILE, or --demo to try Parley with an invented organisation")
	}
	config, err := c.read(s)
	if err != nil {
		return err
	}
	config.Logger, config.Level = server.NewLogger(config.Log, c.err)
	config.Out = c.out
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP) // from here on it ends nothing
	defer signal.Stop(again)
	parley, err := server.New(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var rereading sync.WaitGroup
	rereading.Go(func() {
		for {
			select {
			case <-again:
				parley.Reread(func() (server.Config, server.Problems) { return server.ReadConfig(c.sources(s)) })
			case <-ctx.Done():
				return
			}
		}
	})
	err = parley.Run(ctx)
	cancel()
	rereading.Wait()
	return err
}
