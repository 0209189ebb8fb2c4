package bus

import (
	"context"
	"fmt"
	"log/slog"
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
// its errors are a peer's doing, which it gets over by itself. The lines hold
// names and addresses of nodes, nothing of a message, and no secret.
type serverLog struct {
	log   *slog.Logger
	fatal chan error // the first that the server cannot live with
	once  sync.Once
}

func (l *serverLog) say(level slog.Level, format string, args []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "the NATS server of this node reports", "line", strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
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
