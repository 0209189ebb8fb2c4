package server

import (
	"database/sql"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley"
)

func TestNightly(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.Local)
	for range 5000 {
		at = at.Add(7*time.Hour + 13*time.Minute)
		next := nightly(at)
		if local := next.Local(); !next.After(at) || next.Sub(at) > 26*time.Hour || local.Hour() != nightHour || local.Minute() != 0 {
			t.Fatalf("after %v comes %v", at, local)
		}
	}
	three := time.Date(2026, 3, 1, nightHour, 0, 0, 0, time.Local)
	if next := nightly(three); next.Sub(three) < 20*time.Hour {
		t.Errorf("at %v the next is %v", three, next)
	}
}

// settled waits until a figure of the server has a value.
func (s *started) settled(figure string) {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(5 * time.Millisecond) {
		_, figures := s.get("/metrics")
		if strings.Contains(figures, "\n"+figure+"\n") {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the figures never hold %s:\n%s\nthe log is\n%s", figure, figures, s.log)
		}
	}
}

// tamper changes the database of a folder that no server has open.
func tamper(t *testing.T, data, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, "parley.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// What comes every night waits from the start, is done by the running server, and
// comes again; the verification of a trail that somebody meddled with is an error
// in the log and a figure.
func TestWorkOfTheNight(t *testing.T) {
	c := testConfig(t)
	s := serve(t, c)
	importText(t, s.parts, person("1", "ann", "Ann Example"))
	who := mustIdentity(t, s.parts, "ann@example.test")
	for range 3 {
		if _, _, err := s.parts.accounts.Invite(t.Context(), commandLine, who); err != nil {
			t.Fatal(err)
		}
	}
	s.settled(`parley_jobs{state="waiting"} 2`)
	s.settled("parley_audit_verified_seconds 0")
	night := func() {
		t.Helper()
		before := s.jobs.Stats().Done
		// The night comes: what waits is due.
		err := s.parts.store.AddJobs(t.Context(), parley.Job{Kind: workVerifyAudit}, parley.Job{Kind: workExpireInvitations})
		if err != nil {
			t.Fatal(err)
		}
		s.settled("parley_jobs_done_total " + strconv.FormatUint(before+2, 10))
		s.settled(`parley_jobs{state="waiting"} 2`)
	}
	night()
	s.settled("parley_audit_broken 0")
	if !strings.Contains(s.log.String(), "the audit trail is whole") {
		t.Errorf("the log does not hold the mark:\n%s", s.log)
	}

	s.stop()
	tamper(t, c.Data, "DELETE FROM audit WHERE action = 'invited' AND id = 3")
	tamper(t, c.Data, "UPDATE invitations SET expires = 1")
	s = serve(t, c)
	night()
	s.settled("parley_audit_broken 1")
	if !strings.Contains(s.log.String(), `level=ERROR msg="the audit trail is broken" record=3 problem="is missing"`) {
		t.Errorf("the log does not say that the trail is broken:\n%s", s.log)
	}
	if !strings.Contains(s.log.String(), `msg="expired invitations removed" removed=1`) {
		t.Errorf("the expired invitation is still there:\n%s", s.log)
	}
}

// A job that nobody can do is kept, listed with its error, and tried again or
// removed by the administrator, which the trail tells.
func TestControlJobs(t *testing.T) {
	c := testConfig(t)
	s := serve(t, c)
	stored, ctx := s.parts.store, t.Context()
	if err := stored.AddJobs(ctx, parley.Job{Kind: "of a newer version"}); err != nil {
		t.Fatal(err)
	}
	fail := func() int64 {
		t.Helper()
		taken, err := stored.LeaseJobs(ctx, []parley.JobKind{"of a newer version"}, time.Minute, 1)
		if err != nil || len(taken) != 1 {
			t.Fatalf("leased %v, %v", taken, err)
		}
		if err := stored.FailJob(ctx, taken[0], time.Now(), "the relay is down", parley.Alongside{}); err != nil {
			t.Fatal(err)
		}
		return taken[0].ID
	}
	id := fail()
	control := openControl(t, c)
	jobs, err := control.Jobs(ctx)
	if err != nil || len(jobs) != 3 || jobs[0].ID != id || jobs[0].State != "failed" || jobs[0].Error != "the relay is down" || jobs[0].Attempts != 1 {
		t.Fatalf("listed %+v, %v", jobs, err)
	}
	if err := control.RetryJob(ctx, id+100); err == nil || !strings.Contains(err.Error(), "there is no job of this number") {
		t.Errorf("trying again what is not there: %v", err)
	}
	if err := control.RetryJob(ctx, id); err != nil {
		t.Error(err)
	}
	if err := control.RemoveJob(ctx, id); err == nil {
		t.Error("a job that waits was removed")
	}
	if err := control.RemoveJob(ctx, fail()); err != nil {
		t.Error(err)
	}
	if jobs, err = control.Jobs(ctx); err != nil || len(jobs) != 2 {
		t.Errorf("listed %+v, %v", jobs, err)
	}
	found, err := control.VerifyAudit(ctx)
	if err != nil || found.Records != 2 || found.Broken != 0 || found.Mark == "" {
		t.Errorf("the trail is found to be %+v, %v", found, err)
	}
	if again, err := control.VerifyAudit(ctx, found.Mark); err != nil || again != found {
		t.Errorf("with its own mark it is %+v, %v", again, err)
	}
	if _, err := control.VerifyAudit(ctx, "7:nonsense"); err == nil || !strings.Contains(err.Error(), "no mark of the audit trail") {
		t.Errorf("a mark that is none: %v", err)
	}
}
