package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"parley"
	"parley/store"
)

// AuditVerified is what a verification of the audit trail found.
type AuditVerified struct {
	Records int64  `json:"records"`           // how many were found good
	Mark    string `json:"mark"`              // of the newest of them; empty: there is none
	Broken  int64  `json:"broken,omitempty"`  // the first record that is missing or not what was stored; 0: none
	Problem string `json:"problem,omitempty"` // what is wrong with it
}

// ListedJob is a job as the administrator's list shows it.
type ListedJob struct {
	ID       int64     `json:"id"`
	Kind     string    `json:"kind"`
	State    string    `json:"state"` // "waiting", "running", "failed"
	Due      time.Time `json:"due"`
	Attempts int       `json:"attempts"`
	Failed   time.Time `json:"failed,omitzero"` // when it was given up
	Error    string    `json:"error,omitempty"` // of the last attempt
}

// jobRequest names a job.
type jobRequest struct {
	ID int64 `json:"id"`
}

// VerifyAudit has the whole audit trail looked at, and compared with the marks of
// it that were kept elsewhere.
func (c *Control) VerifyAudit(ctx context.Context, marks ...string) (AuditVerified, error) {
	var found AuditVerified
	return found, c.ask(ctx, "GET", "/audit/verify?"+url.Values{"mark": marks}.Encode(), nil, &found)
}

// Jobs lists the work that waits, is under way, or was given up.
func (c *Control) Jobs(ctx context.Context) ([]ListedJob, error) {
	var list []ListedJob
	return list, c.ask(ctx, "GET", "/jobs", nil, &list)
}

// RetryJob has a job that was given up tried again.
func (c *Control) RetryJob(ctx context.Context, id int64) error {
	return c.ask(ctx, "POST", "/jobs/retry", jobRequest{id}, nil)
}

// RemoveJob removes a job that was given up.
func (c *Control) RemoveJob(ctx context.Context, id int64) error {
	return c.ask(ctx, "POST", "/jobs/remove", jobRequest{id}, nil)
}

func (c *control) verifyAudit(w http.ResponseWriter, r *http.Request) {
	var known []store.AuditMark
	for _, text := range r.URL.Query()["mark"] {
		mark, err := store.ParseAuditMark(text)
		if err != nil {
			writeJSON(w, http.StatusUnprocessableEntity, controlRefusal{Error: err.Error()})
			return
		}
		known = append(known, mark)
	}
	found, err := c.parts.verifyTrail(r.Context(), known...)
	if err != nil {
		c.refuse(w, r.URL.Path, err)
		return
	}
	writeJSON(w, http.StatusOK, AuditVerified{Records: found.Records, Mark: found.End.String(), Broken: found.Broken, Problem: found.Problem})
}

func (c *control) listJobs(w http.ResponseWriter, r *http.Request) {
	stored, err := c.parts.store.Jobs(r.Context())
	if err != nil {
		c.refuse(w, r.URL.Path, err)
		return
	}
	list := []ListedJob{}
	for _, job := range stored {
		list = append(list, listedJob(job, time.Now()))
	}
	writeJSON(w, http.StatusOK, list)
}

func listedJob(job store.Job, now time.Time) ListedJob {
	state := "waiting"
	switch {
	case !job.Failed.IsZero():
		state = "failed"
	case job.Leased.After(now):
		state = "running"
	}
	return ListedJob{
		ID: job.ID, Kind: string(job.Kind), State: state, Due: job.Due, Attempts: job.Attempts, Failed: job.Failed, Error: job.Error,
	}
}

// forJob has the store do something to a job that was given up.
func (c *control) forJob(do func(*store.Store, context.Context, int64, parley.Alongside) error, action parley.AuditAction) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var request jobRequest
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody)).Decode(&request)
		if err != nil {
			c.refuse(w, r.URL.Path, parley.RefuseField("job.unknown", "id"))
			return
		}
		also := parley.Alongside{Audit: []parley.Audit{{Actor: commandLine, Action: action, Detail: strconv.FormatInt(request.ID, 10)}}}
		if err = do(c.parts.store, r.Context(), request.ID, also); parley.KindOf(err) == parley.NotFound {
			err = parley.RefuseField("job.unknown", "id")
		}
		if err != nil {
			c.refuse(w, r.URL.Path, err)
			return
		}
		c.log.Info("administrator's command done", "command", r.URL.Path, "job", request.ID)
		writeJSON(w, http.StatusOK, nil)
	}
}
