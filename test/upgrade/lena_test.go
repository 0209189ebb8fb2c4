package upgrade

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"parley/parleytest"
)

var (
	lenaAnswers = []string{"lena to ben 0", "lena to ben 1"}
	lenaQueues  = []string{"lena has no connection 0", "lena has no connection 1"}
)

const lenaDraft = "a draft of lena’s"

// player is lena as an ordinary device.
type player struct{ *life }

func (p player) signIn() {
	d, err := parleytest.TrySignIn(p.t, p.w.Base, parleytest.SignInAs(address("lena"), password))
	if err != nil {
		p.t.Fatal(err)
	}
	d.Connect()
	p.devices["lena-phone"] = d.Online()
}

func (p player) leave() {
	lena, ben := p.devices["lena-phone"], p.devices["ben-phone"]
	lena.Hears(ben, benToLena(benSays-1))
	lena.Hears(p.devices["dora-phone"], "dora to lena")
	for _, text := range lenaAnswers {
		p.say("lena-phone", "ben", text, "ben-phone")
	}
	kept := p.kept("lena-phone")
	lena.Close()
	for _, text := range lenaQueues {
		id := lena.Queue(lena.With(ben), text)
		kept.Queue = append(kept.Queue, parleytest.Message{Conversation: lena.With(ben), From: lena.ID(), ClientID: id, Text: text})
	}
	p.facts.Devices["lena-phone"] = Device{Kept: kept}
}

func (p player) lacks(texts []Said) {
	kept := p.facts.Devices["lena-phone"]
	kept.Lacks = texts
	p.facts.Devices["lena-phone"] = kept
}

// chromium is lena in front of a browser: a program that does what it is told line
// by line, and says when it has.
type chromium struct {
	*life
	profile string // where it writes what the browser holds
	in      io.Writer
	out     *bufio.Scanner
}

// stepTime is how long one step in front of the browser may take.
const stepTime = 2 * time.Minute

// inChromium plays lena in front of a browser.
func inChromium(profile string) func(*life) lena {
	return func(l *life) lena {
		cmd := exec.CommandContext(l.t.Context(), "node", "lena.mjs", l.w.Base, address("lena"), password, profile)
		cmd.Dir = filepath.Join("..", "browser")
		cmd.Stderr = os.Stderr
		cmd.WaitDelay = time.Second
		in, err := cmd.StdinPipe()
		if err != nil {
			l.t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			l.t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			l.t.Fatal(err)
		}
		l.t.Cleanup(func() {
			in.Close()
			cmd.Wait()
		})
		return &chromium{l, profile, in, bufio.NewScanner(out)}
	}
}

// step has the program do something.
func (c *chromium) step(do any) {
	c.t.Helper()
	line, err := json.Marshal(do)
	if err != nil {
		c.t.Fatal(err)
	}
	overdue := time.AfterFunc(stepTime, func() { panic(fmt.Sprintf("the browser takes too long for %s", line)) })
	defer overdue.Stop()
	fmt.Fprintf(c.in, "%s\n", line)
	if !c.out.Scan() || c.out.Text() != "done" {
		c.t.Fatalf("the browser does not do %s: %q", line, c.out.Text())
	}
}

func (c *chromium) signIn() { c.step(map[string]any{"do": "sign in"}) }

func (c *chromium) leave() {
	shown := make([]Text, 0, benSays+len(lenaAnswers))
	for i := range benSays {
		shown = append(shown, Text{false, benToLena(i)})
	}
	for _, text := range lenaAnswers {
		shown = append(shown, Text{true, text})
	}
	c.facts.Browser = Browser{Shown: shown, Queued: lenaQueues, Unread: "dora to lena", Draft: lenaDraft}
	c.step(map[string]any{
		"do": "leave", "last": benToLena(benSays - 1), "answers": lenaAnswers, "queue": lenaQueues, "draft": lenaDraft,
		"ben": displayName("ben"), "dora": displayName("dora"), "carla": displayName("carla"),
	})
}

func (c *chromium) lacks(texts []Said) {
	for _, said := range texts {
		c.facts.Browser.Lacks = append(c.facts.Browser.Lacks, said.Text)
	}
}
