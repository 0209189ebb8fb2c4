package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"parley"
	"parley/egress"
	"parley/store"
)

const (
	controlSocket   = "control.sock"
	maxSocketPath   = 107 // what the system takes (sun_path)
	maxControlBody  = 16 << 10
	controlNDJSON   = "application/x-ndjson"
	controlFileType = "application/octet-stream"
)

// listenControl opens the socket in the data folder by which the command line
// reaches this server. Nobody but the folder's owner can connect to it. Call it
// only while holding the folder: a socket that is there is then a dead one.
func listenControl(data string) (net.Listener, error) {
	path := filepath.Join(data, controlSocket)
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("the path of the control socket, %s, is %d bytes long; the system takes %d: choose a shorter data folder", path, len(path), maxSocketPath)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("removing a dead control socket: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("opening the control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		listener.Close()
		return nil, fmt.Errorf("guarding the control socket: %w", err)
	}
	return listener, nil
}

// control serves the operations of the command line.
type control struct {
	parts  *parts
	base   func() string        // how people reach the server
	ledger func() []egress.Stat // of outbound connections
	log    *slog.Logger
}

func (c *control) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /people/import", c.importPeople)
	mux.HandleFunc("GET /people", c.list)
	mux.HandleFunc("POST /people/password", c.forPerson(c.setPassword))
	mux.HandleFunc("POST /people/disable", c.forPerson(c.disable))
	mux.HandleFunc("POST /people/enable", c.forPerson(c.enable))
	mux.HandleFunc("POST /people/invite", c.forPerson(c.invite))
	mux.HandleFunc("GET /egress", c.outbound)
	mux.HandleFunc("GET /backup", c.backup)
	mux.HandleFunc("GET /directory", c.directoryStatus)
	mux.HandleFunc("POST /directory/sync", c.syncDirectory)
	mux.HandleFunc("GET /policies", c.listRules)
	mux.HandleFunc("POST /policies/set", c.forRule(c.setRule))
	mux.HandleFunc("POST /policies/reset", c.forRule(c.resetRule))
	mux.HandleFunc("GET /policies/history", c.ruleHistory)
	mux.HandleFunc("GET /audit/verify", c.verifyAudit)
	mux.HandleFunc("GET /jobs", c.listJobs)
	mux.HandleFunc("POST /jobs/retry", c.forJob((*store.Store).ReviveJob, parley.AuditJobRetried))
	mux.HandleFunc("POST /jobs/remove", c.forJob((*store.Store).RemoveJob, parley.AuditJobRemoved))
	return mux
}

// serveControl answers on the listener until ctx ends. Then an import stops where
// it is, and says so, and other requests under way get drainTime to finish.
func serveControl(ctx context.Context, listener net.Listener, handler http.Handler) error {
	// No time limits: an import of 100,000 people takes its time, and whoever is
	// here is the administrator.
	server := &http.Server{Handler: handler, BaseContext: func(net.Listener) context.Context { return ctx }}
	e := &endpoint{name: "control", listener: listener, server: server}
	return e.serve(ctx)
}

// importPeople reads the export from the request while it answers with progress.
func (c *control) importPeople(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	options := ImportOptions{Complete: query.Get("complete") == "true", Domain: query.Get("domain")}
	if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
		c.refuse(w, "import", err)
		return
	}
	w.Header().Set("Content-Type", controlNDJSON)
	lines := json.NewEncoder(w)
	tell := func(line importLine) {
		if lines.Encode(line) == nil { // else the command line has gone, and ctx ends
			http.NewResponseController(w).Flush()
		}
	}
	count, err := c.parts.importPeople(r.Context(), r.Body, options, tell)
	if err != nil {
		c.log.Warn("import ended early", "error", err)
		tell(importLine{Failed: inWords(err)})
		return
	}
	c.log.Info("people imported", "read", count.Read, "added", count.Added, "changed", count.Changed,
		"left", count.Left, "problems", count.Problems)
	tell(importLine{Done: &count})
}

func (c *control) list(w http.ResponseWriter, r *http.Request) {
	list, err := c.parts.listPeople(r.Context(), r.URL.Query().Get("requests") == "true")
	if err != nil {
		c.refuse(w, "list", err)
		return
	}
	writeJSON(w, http.StatusOK, list)
}

// forPerson finds the person that the request names and answers with what do
// returns.
func (c *control) forPerson(do func(ctx context.Context, person parley.PersonID, request personRequest) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var request personRequest
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody)).Decode(&request); err != nil {
			c.refuse(w, r.URL.Path, parley.Refuse(parley.Invalid, "address.invalid"))
			return
		}
		who, err := c.parts.identity(r.Context(), request.Address)
		if err != nil {
			c.refuse(w, r.URL.Path, err)
			return
		}
		result, err := do(r.Context(), who, request)
		if err != nil {
			c.refuse(w, r.URL.Path, err)
			return
		}
		c.log.Info("administrator's command done", "command", r.URL.Path, "person", who)
		writeJSON(w, http.StatusOK, result)
	}
}

func (c *control) setPassword(ctx context.Context, person parley.PersonID, request personRequest) (any, error) {
	return nil, c.parts.accounts.SetPassword(ctx, commandLine, person, parley.Secret(request.Password))
}

func (c *control) disable(ctx context.Context, person parley.PersonID, _ personRequest) (any, error) {
	return nil, c.parts.accounts.Disable(ctx, commandLine, person)
}

func (c *control) enable(ctx context.Context, person parley.PersonID, _ personRequest) (any, error) {
	return nil, c.parts.accounts.Enable(ctx, commandLine, person)
}

func (c *control) invite(ctx context.Context, person parley.PersonID, _ personRequest) (any, error) {
	code, expires, err := c.parts.accounts.Invite(ctx, commandLine, person)
	if err != nil {
		return nil, err
	}
	// The part after # stays in the browser: no proxy's log gets to see the code.
	return Invited{Link: c.base() + "/#/invitation/" + url.PathEscape(string(code)), Expires: expires}, nil
}

// backup streams a copy of the database, so that it is the command line which
// writes the file, with the rights and the paths of whoever runs it. The copy is
// made first: a slow reader must not hold a transaction open.
func (c *control) backup(w http.ResponseWriter, r *http.Request) {
	file, err := c.parts.backup(r.Context())
	if err != nil {
		c.refuse(w, "backup", err)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		c.refuse(w, "backup", err)
		return
	}
	w.Header().Set("Content-Type", controlFileType)
	w.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	if n, err := io.Copy(w, file); err != nil {
		c.log.Warn("backup was not fetched to its end", "bytes", n, "error", err)
	} else {
		c.log.Info("backup made", "bytes", n)
	}
}

// refuse answers with what was wrong. Faults of ours are logged.
func (c *control) refuse(w http.ResponseWriter, what string, err error) {
	status := http.StatusUnprocessableEntity
	if _, ok := asRefusal(err); !ok {
		status = http.StatusInternalServerError
		c.log.Error("administrator's command failed", "command", what, "error", err)
	}
	writeJSON(w, status, controlRefusal{Error: inWords(err)})
}

func asRefusal(err error) (*parley.Error, bool) { return errors.AsType[*parley.Error](err) }

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value) // a reader that has gone does not want to know
}
