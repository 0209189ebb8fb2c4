package bus

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"
)

// note logs an event of the state.
func (b *Bus) note(e event) {
	log := b.config.Log
	switch e.kind {
	case nodeCame:
		log.Info("a node is there", "node", e.node, "incarnation", e.incarnation)
	case nodeLeft:
		log.Info("a node is gone", "node", e.node, "incarnation", e.incarnation, "reason", e.reason)
	case sameName:
		log.Error("two other nodes have the same name: only the one started last is heard; give each a name of its own", "node", e.node, "incarnation", e.incarnation)
	case ownName:
		log.Error("another node has this node's name: only the one started last is heard; give each a name of its own", "node", e.node, "incarnation", e.incarnation)
	case stoodStill:
		log.Warn("this node stood still; the others get a fresh lease", "took", e.took.Round(time.Millisecond))
	case rowsMissing:
		log.Debug("rows of a node are missing", "node", e.node, "incarnation", e.incarnation, "table", e.table, "version", e.version)
	}
}

// serverLog puts the NATS server's lines into ours. Its notices are details here;
// its errors are a peer's doing, which it gets over by itself, and what it repeats
// at every attempt is a detail, too. The lines hold names and addresses of nodes,
// nothing of a message, and no secret.
type serverLog struct {
	log   *slog.Logger
	fatal chan error // the first that the server cannot live with
	once  sync.Once
	said  repeated
}

func (l *serverLog) say(level slog.Level, format string, args []any) {
	line := strings.TrimSpace(fmt.Sprintf(format, args...))
	if level == slog.LevelWarn && !l.said.first(line, time.Now()) {
		level = slog.LevelDebug
	}
	if level > slog.LevelDebug && (strings.Contains(line, "authentication error") || strings.Contains(line, "Authorization Violation")) {
		l.log.Error("another server is refused as a node, or refuses this one: its cluster.secret is another one, or its database", "line", line)
		return
	}
	l.log.Log(context.Background(), level, "the NATS server of this node reports", "line", line)
}

const (
	// repeatEvery is how often the same line is told.
	repeatEvery = 5 * time.Minute
	maxRepeated = 256
)

// repeated remembers when lines were told, whatever numbers are in them: ports and
// connections are others each time.
type repeated struct {
	mu   sync.Mutex
	told map[string]time.Time
}

var numbers = regexp.MustCompile(`[0-9]+`)

// first reports whether a line is to be told, and notes that it is.
func (r *repeated) first(line string, now time.Time) bool {
	line = numbers.ReplaceAllString(line, "#")
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, known := r.told[line]; known && now.Sub(at) < repeatEvery {
		return false
	}
	if r.told == nil || len(r.told) >= maxRepeated {
		r.told = map[string]time.Time{}
	}
	r.told[line] = now
	return true
}

// Noticef logs what happens in the ordinary course.
func (l *serverLog) Noticef(format string, v ...any) { l.say(slog.LevelDebug, format, v) }

// Warnf logs a warning.
func (l *serverLog) Warnf(format string, v ...any) { l.say(slog.LevelWarn, format, v) }

// Errorf logs an error.
func (l *serverLog) Errorf(format string, v ...any) { l.say(slog.LevelWarn, format, v) }

// Fatalf keeps why the server cannot run. That it does not listen for clients is
// as it should be: see noPort.
func (l *serverLog) Fatalf(format string, v ...any) {
	if strings.HasPrefix(format, "Error listening on port: ") {
		return
	}
	l.once.Do(func() { l.fatal <- fmt.Errorf(format, v...) })
	l.say(slog.LevelError, format, v)
}

// Debugf is not used: the server is not asked for it.
func (l *serverLog) Debugf(string, ...any) {}

// Tracef is not used: the server is not asked for it.
func (l *serverLog) Tracef(string, ...any) {}
