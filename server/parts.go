package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"parley"
	"parley/account"
	"parley/bus"
	"parley/contact"
	"parley/conversation"
	"parley/edge/directory"
	"parley/egress"
	"parley/policy"
	"parley/presence"
	"parley/privacy"
	"parley/store"
)

// parts are the store and the domain services over it: everything but the edges.
type parts struct {
	config    *Config
	store     *store.Store
	rules     *policy.Rulebook
	events    *dispatcher
	gate      *privacy.Gate
	accounts  *account.Authority
	book      *contact.Book
	follower  *follower // nil: there is no corporate directory
	lists     *contact.Lists
	board     *presence.Board
	log       *conversation.Log
	peers     *peers // nil: this is the only node, as are what follows
	roster    *store.Roster
	elsewhere elsewhere
	trail     trail
	ldap      *directory.LDAP // nil: there is no corporate directory

	importing sync.Mutex // held by the one import under way
}

// assemble opens the data folder and builds the parts, each from those before it.
// claim says who may use the database beside this program. Nothing runs yet.
func assemble(ctx context.Context, c *Config, out *egress.Egress, claim func(context.Context, *store.Store, string) error) (*parts, error) {
	if c.Demo {
		demoConfig(c)
	} else if IsDemo(c.Data) {
		return nil, fmt.Errorf("the data folder %s holds the demo organisation; use another one, or remove it", c.Data)
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	p := &parts{config: c, events: newDispatcher()}
	var err error
	if p.store, err = store.Open(ctx, p.database(out)); err != nil {
		return nil, errors.Join(err, p.close())
	}
	for _, step := range []func() error{
		func() error { return claim(ctx, p.store, c.Cluster.Node) },
		func() error { return p.join(ctx, out) },
		func() error { return p.reach(out) },
		func() error { return p.build(ctx) },
	} {
		if err := step(); err != nil {
			return nil, errors.Join(err, p.close())
		}
	}
	return p, nil
}

// toServe claims the database for a server: as one of several nodes, or as the
// only one. Servers that do not know of each other must not share a database, for
// neither would obey what is decided on the other.
func toServe(ctx context.Context, s *store.Store, node string) error {
	claim := s.ClaimAlone
	if node != "" {
		claim = func(ctx context.Context) error { return s.ClaimNode(ctx, node) }
	}
	switch err := claim(ctx); {
	case errors.Is(err, store.ErrNameTaken):
		return fmt.Errorf("%w: cluster.node is %q on another server that uses this database", err, node)
	case errors.Is(err, store.ErrInUse) && node != "":
		return fmt.Errorf("another server uses this database and has no cluster.node: %w", err)
	case errors.Is(err, store.ErrInUse):
		return fmt.Errorf("another server uses this database; several have to be nodes of one cluster, each with a cluster.node: %w", err)
	default:
		return err
	}
}

// toVisit claims it for a command that runs while no server of this data folder
// does.
func toVisit(ctx context.Context, s *store.Store, _ string) error {
	err := s.ClaimVisit(ctx)
	if errors.Is(err, store.ErrInUse) {
		err = fmt.Errorf("a server with another data folder uses this database; run the command there: %w", err)
	}
	return err
}

// database says where the database is and how it is reached.
func (p *parts) database(out *egress.Egress) store.Config {
	return store.Config{
		Path: p.config.Data, URL: string(p.config.Database.URL), Log: p.config.Logger, Dial: out.Dialer(egress.Database),
		Committed: func() {
			if p.peers != nil {
				p.peers.committed()
			}
		},
	}
}

// join opens the way to the other nodes, where there are any. Nodes over another
// database, or over one that was restored since, are none of them.
func (p *parts) join(ctx context.Context, out *egress.Egress) error {
	c := &p.config.Cluster
	if c.Node == "" {
		return nil
	}
	secure, err := c.tls()
	if err != nil {
		return err
	}
	b, err := bus.New(ctx, bus.Config{
		Node: c.Node, Cluster: fmt.Sprintf("parley-%016x", p.store.Epoch()), Listen: c.Listen, Advertise: c.Advertise, Routes: c.Routes, Secret: c.Secret,
		URLs: c.NATS, User: c.User, Password: c.Password, Token: c.Token, Dialer: natsDialer{out.Dialer(egress.Bus)},
		TLS: secure, Log: p.config.Logger,
	})
	if err != nil {
		return fmt.Errorf("joining the other nodes: %w", err)
	}
	p.peers = newPeers(b, p.config.Logger)
	p.roster, err = p.store.Roster()
	return err
}

// reach prepares the way to the corporate directory, where there is one. Nothing is
// dialled yet.
func (p *parts) reach(out *egress.Egress) error {
	if !p.config.LDAP.configured() {
		return nil
	}
	c, err := p.config.LDAP.directory(p.config.Organisation.DefaultDomain)
	if err != nil {
		return err
	}
	c.Dial, c.Log = out.Dialer(egress.Directory), p.config.Logger
	if p.ldap, err = directory.NewLDAP(c); err != nil {
		return fmt.Errorf("preparing the corporate directory: %w", err)
	}
	return nil
}

// natsDialer makes a dialer that of the NATS client.
type natsDialer struct{ dial egress.DialFunc }

// natsDialTime bounds one attempt; the client tries again.
const natsDialTime = 5 * time.Second

// Dial implements nats.CustomDialer.
func (d natsDialer) Dial(network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), natsDialTime)
	defer cancel()
	return d.dial(ctx, network, address)
}

func (p *parts) build(ctx context.Context) (err error) {
	c, log := p.config, p.config.Logger
	if err := p.removeBackups(); err != nil {
		return err
	}
	p.rules, err = policy.NewRulebook(ctx, policy.Config{Store: p.store, Announce: p.events.Announce, Log: log, Given: c.rules()})
	if err != nil {
		return fmt.Errorf("reading the organisation's rules: %w", err)
	}
	if p.gate, err = privacy.NewGate(ctx, privacy.Config{Store: p.store, Policy: p.rules, Announce: p.events.Announce}); err != nil {
		return fmt.Errorf("reading privacy relations: %w", err)
	}
	p.accounts, err = account.NewAuthority(account.Config{
		Store: p.store, Policy: p.rules, Announce: p.events.Announce, Log: log,
		Domains: c.Organisation.Domains, Checkers: c.Limits.PasswordChecks, Limits: c.Limits.account(),
		Administrators: c.Administrators, DefaultDomain: c.Organisation.DefaultDomain, Directory: p.signInDirectory(),
		InAdministrators: p.inAdministrators, Unknown: p.takeOverPerson,
	})
	if err != nil {
		return fmt.Errorf("preparing sign-in: %w", err)
	}
	p.book, err = contact.NewBook(ctx, contact.Config{
		Store: p.store, Gate: p.gate, Policy: p.rules, Announce: p.events.Announce, Region: c.Organisation.Region, Shared: p.peers != nil,
	})
	if err != nil {
		return fmt.Errorf("reading the directory: %w", err)
	}
	p.lists = contact.NewLists(contact.ListsConfig{Store: p.store, Gate: p.gate, Book: p.book, Announce: p.events.Announce})
	onBoard := presence.Config{Store: p.store, Policy: p.rules, Announce: p.events.Announce}
	inLog := conversation.Config{Store: p.store, Gate: p.gate, People: p.book, Policy: p.rules, Log: log}
	if p.peers != nil {
		onBoard.Peers, inLog.Peers = p.peers, p.peers
	}
	if p.board, err = presence.NewBoard(ctx, onBoard); err != nil {
		return fmt.Errorf("reading presence: %w", err)
	}
	if p.log, err = conversation.NewLog(ctx, inLog); err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	p.follow()
	p.followDirectory()
	p.events.listeners = []func(parley.Event){p.log.Notify, p.board.Notify, p.recheck}
	if c.Demo {
		return p.useDemo(ctx)
	}
	return nil
}

// recheck ends the devices of people whom the directory no longer lets in.
func (p *parts) recheck(event parley.Event) {
	changed, ok := event.(parley.PeopleChanged)
	if !ok {
		return
	}
	if err := p.accounts.Recheck(context.Background(), changed.People); err != nil {
		p.config.Logger.Error("looking for devices to end failed", "error", err) // the next minute looks again
	}
}

// layers are what runs, the lowest first: the one writer, the announcements, then
// everybody who writes and announces.
func (p *parts) layers() layers {
	between := []task{{"events", p.events.run}}
	if p.peers != nil {
		between = append(between, task{"bus", p.peers.bus.Run}, task{"peers", p.peers.run}, task{"elsewhere", p.elsewhere.run})
	}
	above := []task{{"accounts", p.accounts.Run}, {"presence", p.board.Run}, {"log", p.log.Run}}
	if p.follower != nil {
		above = append(above, task{"directory", p.follower.run})
	}
	return layers{{{"store", p.store.Run}}, between, above}
}

func (p *parts) close() error {
	var errs []error
	if p.peers != nil {
		p.peers.bus.Close()
	}
	if p.roster != nil {
		errs = append(errs, parley.Wrap(p.roster.Close(), "closing the list of nodes"))
	}
	if p.store != nil {
		errs = append(errs, parley.Wrap(p.store.Close(), "closing the database"))
	}
	return errors.Join(errs...)
}

// identity finds a person by sign-in address, with the default domain where none
// is given.
func (p *parts) identity(ctx context.Context, address string) (parley.PersonID, error) {
	if !strings.Contains(address, "@") {
		address += "@" + p.config.Organisation.DefaultDomain
	}
	normal, err := account.NormalAddress(address)
	if err != nil {
		return 0, err
	}
	who, err := p.store.IdentityByAddress(ctx, normal)
	return who.Person, err
}

// listPeople lists everybody by address, or whoever asked for a new password, the
// newest request first.
func (p *parts) listPeople(ctx context.Context, requests bool) ([]Listed, error) {
	asked, err := p.accounts.ResetRequests(ctx, commandLine)
	if err != nil {
		return nil, err
	}
	list := []Listed{}
	if requests {
		for _, request := range asked {
			if person, ok := p.book.Person(request.Person); ok {
				list = append(list, listed(person, request))
			}
		}
		return list, nil
	}
	byPerson := map[parley.PersonID]account.ResetRequest{}
	for _, request := range asked {
		byPerson[request.Person] = request
	}
	for person, err := range p.store.People(ctx) {
		if err != nil {
			return nil, parley.Wrap(err, "listing people")
		}
		list = append(list, listed(person, byPerson[person.ID]))
	}
	slices.SortFunc(list, func(a, b Listed) int { return strings.Compare(a.Address, b.Address) })
	return list, nil
}

func listed(p parley.Person, request account.ResetRequest) Listed {
	return Listed{Address: p.Address, DisplayName: p.DisplayName, Disabled: p.Disabled, Barred: p.Barred, Gone: p.Gone, Requested: request.At}
}

// backupFolder is where a copy of the database is made.
const backupFolder = ".backup-*"

// removeBackups removes copies that a process left behind which was killed while
// it made one. They hold messages that are long purged.
func (p *parts) removeBackups() error {
	left, err := filepath.Glob(filepath.Join(p.config.Data, backupFolder))
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil {
		return fmt.Errorf("removing what is left of a backup: %w", err)
	}
	return nil
}

// backup makes a copy of the database and returns it as a file that is gone when
// it is closed. It lies in the data folder meanwhile, where there is room for the
// database at least once and nobody else may read.
func (p *parts) backup(ctx context.Context) (*os.File, error) {
	dir, err := os.MkdirTemp(p.config.Data, backupFolder)
	if err != nil {
		return nil, fmt.Errorf("making room for a backup: %w", err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "parley.db")
	if err := p.store.Backup(ctx, path); err != nil {
		return nil, fmt.Errorf("making a backup: %w", err)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the backup: %w", err)
	}
	return file, nil // its name goes with the folder, its content when it is closed
}
