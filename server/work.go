package server

import (
	"context"
	"sync"
	"time"

	"parley"
	"parley/server/jobs"
	"parley/store"
)

// The kinds of work of this version. The strings are stored; never change one.
const (
	workVerifyAudit       parley.JobKind = "audit.verify"
	workExpireInvitations parley.JobKind = "invitations.expire"
)

// nightHour is when what comes every night is due, in the time of the machine.
const nightHour = 3

// kinds is the work that this version knows.
func (p *parts) kinds() map[parley.JobKind]jobs.Kind {
	return map[parley.JobKind]jobs.Kind{
		workVerifyAudit:       {Do: p.checkTrail, Within: time.Hour, Attempts: 5, Next: nightly},
		workExpireInvitations: {Do: p.expireInvitations, Attempts: 5, Next: nightly},
	}
}

// nightly is the next time that it is nightHour.
func nightly(after time.Time) time.Time {
	after = after.Local()
	night := time.Date(after.Year(), after.Month(), after.Day(), nightHour, 0, 0, 0, time.Local)
	for !night.After(after) {
		night = time.Date(night.Year(), night.Month(), night.Day()+1, nightHour, 0, 0, 0, time.Local)
	}
	return night.UTC()
}

func (p *parts) expireInvitations(ctx context.Context, _ store.Job) (parley.Alongside, error) {
	n, err := p.accounts.RemoveExpired(ctx)
	if n > 0 {
		p.config.Logger.Info("expired invitations removed", "removed", n)
	}
	return parley.Alongside{}, err
}

// trail is what the last verification of the audit trail found.
type trail struct {
	mu     sync.Mutex
	last   store.AuditVerdict
	at     time.Time // zero: there was none since the start
	asking bool
}

func (t *trail) note(v store.AuditVerdict) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last, t.at = v, time.Now()
}

func (t *trail) verdict() (store.AuditVerdict, time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last, t.at
}

// errVerifying refuses a second verification beside the first: each reads the
// whole trail.
var errVerifying error = parley.Refuse(parley.Conflict, "audit.verifying")

// begin reserves the one verification at a time, until end.
func (t *trail) begin() (end func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.asking {
		return nil, errVerifying
	}
	t.asking = true
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.asking = false
	}, nil
}

// verifyTrail verifies the audit trail and tells whoever reads the log. The mark
// stands there, so that the log, kept elsewhere, can prove the trail.
func (p *parts) verifyTrail(ctx context.Context, known ...store.AuditMark) (store.AuditVerdict, error) {
	end, err := p.trail.begin()
	if err != nil {
		return store.AuditVerdict{}, err
	}
	defer end()
	found, err := p.store.VerifyAudit(ctx, known...)
	if err != nil {
		return found, err
	}
	p.trail.note(found)
	if found.Broken != 0 {
		p.config.Logger.Error("the audit trail is broken", "record", found.Broken, "problem", found.Problem)
	} else {
		p.config.Logger.Info("the audit trail is whole", "mark", found.End.String())
	}
	return found, nil
}

// checkTrail is the nightly verification. A trail that is broken is no reason to
// look again in a moment.
func (p *parts) checkTrail(ctx context.Context, _ store.Job) (parley.Alongside, error) {
	_, err := p.verifyTrail(ctx)
	return parley.Alongside{}, err
}
