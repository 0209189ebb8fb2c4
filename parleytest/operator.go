package parleytest

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley"
	"parley/contact"
	"parley/edge/webapi"
	"parley/parleytest/postgres"
	"parley/privacy"
	"parley/server"
	"parley/store"
)

// What an operator does: the configuration, and the commands that go over the
// control socket.

// Organisation makes the server one of a real organisation, whose directory is
// still empty, instead of the demo.
func Organisation(domain string) func(*server.Config) {
	return func(c *server.Config) {
		c.Demo = false
		c.Organisation = server.OrganisationConfig{Name: "Example Ltd", Domains: []string{domain}, DefaultDomain: domain, Region: "GB"}
	}
}

// Control reaches the running server as the command line does.
func (w *World) Control() *server.Control {
	w.Helper()
	return w.control(func() (server.Config, error) { return server.Config{}, errors.New("the server does not run") })
}

// ControlAlone reaches the data folder while no server runs over it.
func (w *World) ControlAlone() *server.Control {
	w.Helper()
	return w.control(func() (server.Config, error) { return w.config("127.0.0.1:0"), nil })
}

func (w *World) control(configure func() (server.Config, error)) *server.Control {
	w.Helper()
	control, err := server.OpenControl(w.Context(), w.Data, configure)
	if err != nil {
		w.Fatalf("reaching the server's control: %v", err)
	}
	return control
}

// Imported is what an import said.
type Imported struct {
	server.ImportCount
	Problems []string // one line each
}

// Import takes a directory export over into the running server.
func (w *World) Import(ldif string, options server.ImportOptions) Imported {
	w.Helper()
	control := w.Control()
	defer control.Close()
	return w.ImportBy(control, ldif, options)
}

// ImportBy takes a directory export over by a control that the test holds.
func (w *World) ImportBy(control *server.Control, ldif string, options server.ImportOptions) Imported {
	w.Helper()
	var said Imported
	count, err := control.ImportPeople(w.Context(), strings.NewReader(ldif), options, func(problem string, _ *server.ImportCount) {
		if problem != "" {
			said.Problems = append(said.Problems, problem)
		}
	})
	if err != nil {
		w.Fatalf("importing people: %v", err)
	}
	said.ImportCount = count
	return said
}

// Invite makes an invitation and returns its code.
func (w *World) Invite(address string) string {
	w.Helper()
	control := w.Control()
	defer control.Close()
	invited, err := control.Invite(w.Context(), address)
	if err != nil {
		w.Fatalf("inviting %s: %v", address, err)
	}
	_, code, found := strings.Cut(invited.Link, "#/invitation/")
	if code, err = url.PathUnescape(code); !found || err != nil {
		w.Fatalf("the invitation's link is %q", invited.Link)
	}
	return code
}

// SetPassword gives somebody a password.
func (w *World) SetPassword(address, password string) {
	w.Helper()
	control := w.Control()
	defer control.Close()
	if err := control.SetPassword(w.Context(), address, password); err != nil {
		w.Fatalf("setting the password of %s: %v", address, err)
	}
}

// SignInAs is the request of somebody with an address and a password.
func SignInAs(address, password string) webapi.SignInRequest {
	return webapi.SignInRequest{
		Address: address, Password: password, DeviceName: "phone", DeviceClass: parley.Mobile.String(),
		TimeZone: "Europe/Berlin", Installation: randomID(), Token: true,
	}
}

// Backup writes a copy of the running server's database and returns its path.
// That of PostgreSQL is made by its own program.
func (w *World) Backup() string {
	w.Helper()
	path := filepath.Join(w.TempDir(), "backup")
	if c := w.storeConfig(); c.URL != "" {
		postgres.Dump(w.TB, c.URL, path)
		return path
	}
	control := w.Control()
	defer control.Close()
	file, err := os.Create(path)
	if err != nil {
		w.Fatal(err)
	}
	if err := errors.Join(control.Backup(w.Context(), file), file.Close()); err != nil {
		w.Fatalf("making a backup: %v", err)
	}
	return path
}

// Restore puts a backup in the place of the database of a stopped server, as the
// operator does.
func (w *World) Restore(backup string) {
	w.Helper()
	c := w.config("")
	var err error
	if url := string(c.Database.URL); url == "" {
		_, err = server.Restore(w.Context(), c.Data, backup)
	} else {
		postgres.Load(w.TB, url, backup)
		err = server.RenewEpoch(w.Context(), c)
	}
	if err != nil {
		w.Fatalf("restoring a backup: %v", err)
	}
}

// Relate stops the server, writes what one person decided about another, and
// starts it again at the same address: the screens for it come later.
func (w *World) Relate(owner, other *Device, level privacy.Level) {
	w.Helper()
	w.RelateAs(owner, other, privacy.Relation{Level: level})
}

// RelateAs is Relate with everything that a relation holds. Its people are those
// of the devices.
func (w *World) RelateAs(owner, other *Device, r privacy.Relation) {
	w.Helper()
	r.Owner, r.Other = w.person(owner), w.person(other)
	w.WhileStopped(func(s *store.Store) error { return s.SetRelation(w.Context(), r, parley.Alongside{}) })
}

// Prefer writes a person's own switches in the same way.
func (w *World) Prefer(owner *Device, p privacy.Preferences) {
	w.Helper()
	id := w.person(owner)
	w.WhileStopped(func(s *store.Store) error { return s.SetPreferences(w.Context(), id, p, parley.Alongside{}) })
}

// RelateElsewhere writes what one person decided about another as one more node
// does, which the running ones do not hear: they learn of it from the database.
func (w *World) RelateElsewhere(owner, other *Device, level privacy.Level) {
	w.Helper()
	r := privacy.Relation{Owner: w.person(owner), Other: w.person(other), Level: level}
	w.elsewhere(func(s *store.Store) error { return s.SetRelation(w.Context(), r, parley.Alongside{}) })
}

// PreferElsewhere writes a person's own switches in the same way.
func (w *World) PreferElsewhere(owner *Device, p privacy.Preferences) {
	w.Helper()
	id := w.person(owner)
	w.elsewhere(func(s *store.Store) error { return s.SetPreferences(w.Context(), id, p, parley.Alongside{}) })
}

// GroupElsewhere writes a group of the directory in the same way.
func (w *World) GroupElsewhere(rows contact.GroupRows) {
	w.Helper()
	w.elsewhere(func(s *store.Store) error {
		_, err := s.ApplyGroups(w.Context(), []contact.GroupRows{rows}, parley.Alongside{})
		return err
	})
}

// EndElsewhere ends a device in the same way, and says when that was durable.
func (w *World) EndElsewhere(d *Device) (at time.Time) {
	w.Helper()
	device, err := parley.ParseDeviceID(d.Session.Device)
	if err != nil {
		w.Fatal(err)
	}
	w.elsewhere(func(s *store.Store) error {
		_, err := s.EndDevices(w.Context(), w.person(d), []parley.DeviceID{device}, 0, parley.EndedRevoked, parley.Alongside{})
		at = time.Now()
		return err
	})
	return at
}

// elsewhere does something as one more node over the database of the running ones.
func (w *World) elsewhere(do func(*store.Store) error) {
	w.Helper()
	c := w.storeConfig()
	c.Path = w.TempDir()
	if err := withStore(c, do); err != nil {
		w.Fatalf("doing something as another node: %v", err)
	}
}

// Database is the address of the PostgreSQL database of the nodes.
func (w *World) Database() string { return string(w.config("").Database.URL) }

func (w *World) person(d *Device) parley.PersonID {
	w.Helper()
	id, err := parley.ParsePersonID(d.ID())
	if err != nil {
		w.Fatal(err)
	}
	return id
}

// WhileStopped stops the server, lets do write to its database, and starts it again
// at the same address.
func (w *World) WhileStopped(do func(*store.Store) error) {
	w.Helper()
	addr := w.Server.Addr()
	w.Stop()
	if err := withStore(w.storeConfig(), do); err != nil {
		w.Fatalf("writing what no screen can change yet: %v", err)
	}
	w.Run(addr)
}

func (w *World) storeConfig() store.Config {
	c := w.config("")
	return store.Config{Path: c.Data, URL: string(c.Database.URL)}
}

// withStore opens a database over which no server runs.
func withStore(c store.Config, do func(*store.Store) error) error {
	s, err := store.Open(context.Background(), c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	err = do(s)
	cancel()
	return errors.Join(err, <-ended, s.Close())
}
