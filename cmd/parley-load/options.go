package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are the flags of all scenarios; each uses its part of them. A number
// that is 0 stands for the scenario's own default.
type options struct {
	server  string // program to start
	gogc    string // GOGC of the server that is started
	url     string // of a running server
	metrics string // address of its metrics
	pid     int
	tokens  string // roster of a running server
	xmpp    string // address of another server
	form    string // of accounts for it
	keep    string // folder to make the people in, and to leave
	json    bool
	label   string
	within  time.Duration
	profile string

	people   int
	online   int
	workers  int
	duration time.Duration
	settle   time.Duration
	pairs    int
	window   int
	body     int
	rates    rates
	rounds   int
	factor   float64
}

// rates is a list of numbers a second, as a flag.
type rates []int

func (r *rates) String() string {
	texts := make([]string, len(*r))
	for i, n := range *r {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ",")
}

// Set reads a list such as 1000,10000; "none" is the empty one.
func (r *rates) Set(text string) error {
	*r = rates{}
	if text == "none" {
		return nil
	}
	for field := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 || n > maxRate {
			return fmt.Errorf("%q is no number from 1 to %d", field, maxRate)
		}
		*r = append(*r, n)
	}
	return nil
}

// The bounds of what may be asked for: a mistyped number must not fill a machine.
const (
	maxRate     = 1_000_000
	maxPeople   = 200_000
	maxSockets  = 19_000 // a process here may hold 20,000 files
	maxDuration = 6 * time.Hour
)

// parseOptions reads the flags of a scenario.
func parseOptions(s scenario, out io.Writer, args []string) (*options, error) {
	o := &options{rates: slices.Clone(s.rates)}
	set := flag.NewFlagSet(s.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&o.server, "server", "bin/parley", "`program` to start a private server from")
	set.StringVar(&o.gogc, "gogc", "", "GOGC of the server that is started")
	set.StringVar(&o.url, "url", "", "`URL` of a server that runs on this machine, instead of starting one; needs --tokens")
	set.StringVar(&o.metrics, "metrics", "", "`address` of that server's metrics, if it is another one")
	set.IntVar(&o.pid, "pid", 0, "process id of that server, to measure its processor time and memory")
	set.StringVar(&o.tokens, "tokens", "", "roster `file` of that server, as --provision writes it")
	set.StringVar(&o.xmpp, "xmpp", "", "`address` of another server on this machine that speaks XMPP and has the people of \"accounts\"")
	set.StringVar(&o.form, "form", "portable", "accounts: portable or prosody")
	set.StringVar(&o.keep, "provision", "", "make the people in this new `folder` and leave it; with the scenario provision do nothing else")
	set.BoolVar(&o.json, "json", false, "print one JSON object a line instead of a table")
	set.StringVar(&o.label, "label", "", "`name` of what is measured, put into each result")
	set.DurationVar(&o.within, "within", maxDuration, "give up after this time")
	set.StringVar(&o.profile, "profile", "", "write a profile of the server to this `file`: of its processor time while it is measured, with idle of its memory")
	set.IntVar(&o.people, "people", s.people, "people who take part")
	set.IntVar(&o.online, "online", 1000, "search: people whose devices are connected meanwhile")
	set.IntVar(&o.workers, "workers", s.workers, "requests or connections under way at once")
	set.DurationVar(&o.duration, "duration", 10*time.Second, "length of each measurement")
	set.DurationVar(&o.settle, "settle", 10*time.Second, "idle time before memory is read")
	set.IntVar(&o.pairs, "pairs", 100, "messages: pairs of people")
	set.IntVar(&o.window, "window", 10, "messages: messages that each pair keeps under way at saturation; 0 leaves saturation out")
	set.IntVar(&o.body, "body", 60, "messages: bytes of a text")
	set.Var(&o.rates, "rates", "offered `rates`, such as 1000,10000; none leaves them out")
	set.IntVar(&o.rounds, "rounds", s.rounds, "how often a change or wave is repeated")
	set.Float64Var(&o.factor, "factor", 60, "usermodel: how much faster than in life time passes")
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(out, "Usage: parley-load %s [flags]\n\n%s\n\nFlags:\n", s.name, s.about)
		set.SetOutput(out)
		set.PrintDefaults()
		return nil, err
	}
	if err == nil && set.NArg() > 0 {
		err = fmt.Errorf("unexpected %q", set.Arg(0))
	}
	if err == nil {
		err = o.check(s)
	}
	if err != nil {
		return nil, errUsage(fmt.Sprintf("parley-load %s: %v", s.name, err))
	}
	return o, nil
}

// check refuses what makes no sense, and what would never end.
func (o *options) check(s scenario) error {
	within := func(name string, n, low, high int) error {
		if n < low || n > high {
			return fmt.Errorf("--%s %d: from %d to %d", name, n, low, high)
		}
		return nil
	}
	err := errors.Join(
		within("people", o.people, min(s.people, 1), maxPeople),
		within("online", o.online, 0, maxSockets),
		within("workers", o.workers, 1, 4096),
		within("pairs", o.pairs, 1, maxSockets/2),
		within("window", o.window, 0, 256),
		within("body", o.body, minText, 16_000),
		within("rounds", o.rounds, 0, 100_000),
	)
	switch {
	case err != nil:
		return err
	case o.duration <= 0 || o.duration > maxDuration:
		return fmt.Errorf("--duration %v: more than 0, at most %v", o.duration, maxDuration)
	case o.settle < 0 || o.settle > time.Hour:
		return fmt.Errorf("--settle %v: from 0 to 1h", o.settle)
	case o.within <= 0 || o.within > 2*maxDuration:
		return fmt.Errorf("--within %v: more than 0, at most %v", o.within, 2*maxDuration)
	case o.factor < 1 || o.factor > 3600:
		return fmt.Errorf("--factor %v: from 1 to 3600", o.factor)
	case o.url != "" && o.tokens == "":
		return errors.New("--url needs --tokens, the roster of that server")
	case o.url != "" && o.xmpp != "":
		return errors.New("--url is a Parley server, --xmpp another one; give one of them")
	case o.url == "" && (o.tokens != "" || o.metrics != "") || o.url == "" && o.xmpp == "" && o.pid != 0:
		return errors.New("--tokens, --pid and --metrics go with --url, and --pid with --xmpp")
	case o.url != "" && o.keep != "":
		return errors.New("--provision makes people for a private server, --url takes a running one")
	}
	return nil
}
