package egress_test

import (
	"go/ast"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/egress"
	"parley/parleytest"
	"parley/parleytest/source"
)

// opens are the names of each package that open a connection, ask a name server,
// start a program, or make something that does. A name ending in * is a prefix.
var opens = map[string]string{
	"net": "Dial* Dialer Resolver DefaultResolver Lookup* ResolveTCPAddr ResolveUDPAddr ResolveIPAddr " +
		"ListenPacket ListenUDP ListenMulticastUDP ListenIP ListenUnixgram FileConn FilePacketConn",
	"net/http":                         "Get Head Post PostForm DefaultClient DefaultTransport Client Transport",
	"net/http/httputil":                "ReverseProxy NewSingleHostReverseProxy",
	"net/rpc":                          "*",
	"net/rpc/jsonrpc":                  "*",
	"net/smtp":                         "*",
	"net/textproto":                    "Dial",
	"log/syslog":                       "*",
	"crypto/tls":                       "Dial* Dialer",
	"database/sql":                     "Open OpenDB",
	"os":                               "StartProcess",
	"os/exec":                          "Command CommandContext Cmd",
	"plugin":                           "*",
	"syscall":                          "Connect Socket Sendto Sendmsg* ForkExec StartProcess Exec Syscall* RawSyscall*",
	"golang.org/x/sys/unix":            "Connect Socket Sendto Sendmsg* Exec Syscall* RawSyscall*",
	"github.com/go-ldap/ldap/v3":       "Dial*",
	"github.com/lxzan/gws":             "NewClient",
	"github.com/jackc/pgx/v5":          "Connect*",
	"github.com/jackc/pgx/v5/pgconn":   "Connect* ParseConfig*",
	"github.com/jackc/pgx/v5/pgxpool":  "New NewWithConfig Connect*",
	"github.com/jackc/pgx/v5/stdlib":   "OpenDB* GetConnector GetPoolConnector RegisterConnConfig",
	"github.com/nats-io/nats.go":       "Connect Options GetDefaultOptions",
	"github.com/caddyserver/certmagic": "NewACMEIssuer DefaultACME NewDefault HTTPS Listen TLS ManageSync ManageAsync ACMEServer*",
	"github.com/pressly/goose/v3":      "OpenDBWithDriver",
	"github.com/prometheus/client_golang/prometheus/push": "*",
	"github.com/nats-io/nats-server/v2/server":            "NewServer New Run",
}

// exception is a place that opens something by itself.
type exception struct {
	file, use string
	purpose   egress.Purpose // what it dials for; empty: it reaches nobody
	why       string
	with      string // a name that the file must use, where the dialer is handed to a library
}

// exceptions are all of them. Connections for a purpose without Past must go
// through the dialer that is handed in, which "with" looks for.
var exceptions = []exception{
	{"server/control_client.go", "net.Dial", egress.Control, "the Unix socket of the running server", ""},
	{"server/control_client.go", "net.Dialer", egress.Control, "the Unix socket of the running server", ""},
	{"server/control_client.go", "net/http.Client", egress.Control, "over that socket", ""},
	{"server/control_client.go", "net/http.Transport", egress.Control, "over that socket", "DialContext"},
	{"server/tls.go", "github.com/caddyserver/certmagic.NewACMEIssuer", egress.Certificates, "asks the authority", "Ledger"},
	{"bus/nats.go", "github.com/nats-io/nats-server/v2/server.NewServer", egress.Routes, "the routes between servers", ""},
	{"bus/nats.go", "github.com/nats-io/nats.go.Connect", egress.Bus, "the NATS servers in the configuration, or the one in this process without a network", "SetCustomDialer"},
	{"store/postgres.go", "github.com/jackc/pgx/v5/stdlib.OpenDB", egress.Database, "the PostgreSQL server in the configuration", "DialFunc"},
	{"store/sqlite.go", "database/sql.Open", "", "a file in the data folder", ""},
	{"cmd/parley/terminal.go", "os/exec.Command", "", "stty, to hide a password that is typed", ""},
}

// beside are the folders that are no part of the server, with the reason. The
// server must not be built from them.
var beside = map[string]string{
	"egress":          "the one dialer itself",
	"parleytest":      "the clients of tests, which reach the server under test",
	"cmd/parley-load": "the load generator, which reaches the server that it measures",
	"test":            "what tests need",
}

// libraries are the packages of others that the server is built from, with what
// they do to the outside. An entry holds for what is below it too.
var libraries = map[string]string{
	"github.com/BurntSushi/toml":          "reads text",
	"github.com/alexedwards/argon2id":     "computes",
	"github.com/caddyserver/certmagic":    "asks the certificate authority: exception certificates. OCSP, which it would ask by itself, is off",
	"github.com/danielgtaylor/huma/v2":    "answers",
	"github.com/emersion/go-vcard":        "reads and writes texts",
	"github.com/go-asn1-ber/asn1-ber":     "computes",
	"github.com/go-ldap/ldap/v3":          "speaks over the connection that it is given; its dialers are refused here, and it follows no reference to another server",
	"github.com/jackc/pgx/v5":             "reaches the database, by the dialer that it is given",
	"github.com/lxzan/gws":                "answers; its client is refused here",
	"github.com/nats-io/nats-server/v2":   "opens routes to the other servers: exception routes",
	"github.com/nats-io/nats.go":          "reaches the bus, by the dialer that it is given",
	"github.com/nyaruka/phonenumbers":     "computes",
	"github.com/pressly/goose/v3":         "runs statements on the database that it is given",
	"github.com/prometheus/client_golang": "counts and answers; nothing is pushed",
	"go.uber.org/zap":                     "is given to certmagic to discard its log",
	"golang.org/x/image":                  "computes",
	"golang.org/x/net/idna":               "computes",
	"golang.org/x/sync":                   "waits",
	"golang.org/x/sys":                    "asks the operating system",
	"golang.org/x/text":                   "computes",
	"modernc.org/sqlite":                  "reads and writes files",
	"rsc.io/qr":                           "computes",
}

// Nobody opens a connection but package egress and what is declared here.
func TestNobodyElseDials(t *testing.T) {
	m, err := source.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range dials(m) {
		t.Error(problem)
	}
}

// dials lists what the program does against the rule.
func dials(m *source.Module) (problems []string) {
	used := map[exception]bool{}
	for _, p := range m.Packages {
		if reason(p.Dir) != "" {
			continue
		}
		for _, f := range p.Files {
			for _, u := range uses(m, f) {
				i := slices.IndexFunc(exceptions, func(e exception) bool { return e.file == f.Name && e.use == u.name })
				if i < 0 {
					problems = append(problems, u.at+" uses "+u.name+", which reaches the outside past the ledger. Connections go through the dialer of a declared purpose: "+
						"declare the purpose in egress/purpose.go and take its Dialer or Client (package server hands it to store, bus and the edges). "+
						"If a library takes no dialer, declare the purpose with Past and the place in exceptions of egress/dial_test.go")
					continue
				}
				used[exceptions[i]] = true
				problems = append(problems, unfit(exceptions[i], f)...)
			}
			problems = append(problems, foreign(m, f)...)
		}
	}
	for _, e := range exceptions {
		if !used[e] {
			problems = append(problems, e.file+" no longer uses "+e.use+": take it out of exceptions in egress/dial_test.go")
		}
	}
	return problems
}

// reason is why the rule does not hold in a folder; empty: it does.
func reason(dir string) string {
	for folder, why := range beside {
		if dir == folder || strings.HasPrefix(dir, folder+"/") {
			return why
		}
	}
	return ""
}

// use is something of opens that a file uses.
type use struct{ name, at string }

// uses finds what a file uses of opens. A pointer to a client or dialer is only
// the type of something that is handed in.
func uses(m *source.Module, f *source.File) (found []use) {
	pointed := map[ast.Node]bool{}
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.StarExpr:
			pointed[n.X] = true
		case *ast.SelectorExpr:
			if name, ok := n.X.(*ast.Ident); ok && !pointed[n] {
				if target := f.Imports[name.Name]; listed(target, n.Sel.Name) {
					found = append(found, use{target + "." + n.Sel.Name, m.Position(n)})
				}
			}
		case *ast.ImportSpec:
			target := strings.Trim(n.Path.Value, `"`)
			if target == "C" || opens[target] == "*" || n.Name != nil && n.Name.Name == "." {
				found = append(found, use{"import " + n.Path.Value, m.Position(n)})
			}
		case *ast.FuncDecl:
			if n.Body == nil {
				found = append(found, use{"a function without a body", m.Position(n)})
			}
		}
		return true
	})
	return found
}

func listed(target, name string) bool {
	for pattern := range strings.FieldsSeq(opens[target]) {
		prefix, open := strings.CutSuffix(pattern, "*")
		if name == pattern || open && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// unfit says what is wrong with an exception.
func unfit(e exception, f *source.File) (problems []string) {
	if e.why == "" {
		problems = append(problems, "the exception "+e.use+" in "+e.file+" has no reason")
	}
	if e.with != "" && !mentions(f, e.with) {
		problems = append(problems, e.file+" uses "+e.use+" without "+e.with+", which hands the dialer of "+string(e.purpose)+" in")
	}
	if e.purpose == "" {
		return problems
	}
	i := slices.IndexFunc(egress.Declared(), func(d egress.Declaration) bool { return d.Purpose == e.purpose })
	switch {
	case i < 0:
		problems = append(problems, e.file+": purpose "+string(e.purpose)+" is not declared in egress/purpose.go")
	case egress.Declared()[i].Past == "" && e.with == "":
		problems = append(problems, e.file+": "+string(e.purpose)+" is dialled for through egress, so the exception must say with what its dialer is handed in")
	}
	return problems
}

func mentions(f *source.File, name string) (found bool) {
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		if identifier, ok := n.(*ast.Ident); ok && identifier.Name == name {
			found = true
		}
		return !found
	})
	return found
}

// foreign lists the packages of others that a file imports and that nobody has
// looked at.
func foreign(m *source.Module, f *source.File) (problems []string) {
	for _, spec := range f.Syntax.Imports {
		target := strings.Trim(spec.Path.Value, `"`)
		first, _, _ := strings.Cut(target, "/")
		if !strings.Contains(first, ".") || target == m.Path || strings.HasPrefix(target, m.Path+"/") {
			continue
		}
		if !slices.ContainsFunc(slices.Collect(maps.Keys(libraries)), func(known string) bool {
			return target == known || strings.HasPrefix(target, known+"/")
		}) {
			problems = append(problems, m.Position(spec)+" imports "+target+
				": look whether it opens connections, and say so in libraries of egress/dial_test.go; what opens them belongs into opens there too")
		}
	}
	return problems
}

// The server is not built from what the rule leaves out.
func TestServerIsNotBuiltFromWhatIsBesideIt(t *testing.T) {
	m, err := source.Read()
	if err != nil {
		t.Fatal(err)
	}
	byPath := map[string]*source.Package{}
	for _, p := range m.Packages {
		byPath[m.PathOf(p)] = p
	}
	seen := map[string]bool{}
	var visit func(target string)
	visit = func(target string) {
		p := byPath[target]
		if p == nil || seen[target] {
			return
		}
		seen[target] = true
		if reason(p.Dir) != "" && p.Dir != "egress" {
			t.Errorf("bin/parley is built from %s, which is %s", p.Dir, reason(p.Dir))
		}
		for _, f := range p.Files {
			for _, spec := range f.Syntax.Imports {
				visit(strings.Trim(spec.Path.Value, `"`))
			}
		}
	}
	visit(m.Path + "/cmd/parley")
	if !seen[m.Path+"/egress"] {
		t.Error("cmd/parley does not reach egress: the test looks at too little")
	}
}

// TestDialsCatches shows that the rule finds what it is there to find.
func TestDialsCatches(t *testing.T) {
	folder := t.TempDir()
	const program = `package program

import (
	"crypto/tls"
	"net"
	web "net/http"
	_ "net/smtp"
	"os/exec"

	"example.com/some/library"
)

type handed struct{ client *web.Client }

type kept struct{ client web.Client }

var (
	_ = new(web.Client)
	_ = &web.Transport{}
	_ = web.DefaultClient
)

func work(r *net.Resolver) {
	net.Dial("tcp", "example.com:80")
	(&net.Dialer{}).Dial("tcp", "example.com:80")
	net.LookupHost("example.com")
	tls.Dial("tcp", "example.com:443", nil)
	web.Get("https://example.com/")
	exec.Command("curl", "https://example.com/")
	net.Listen("tcp", ":0")
	library.Do()
}
`
	for name, text := range map[string]string{"go.mod": "module program\n\ngo 1.26\n", "program.go": program} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := source.ReadAt(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, problem := range dials(m) {
		if what, ok := strings.CutPrefix(problem, "program.go:"); ok {
			words := strings.Fields(what)
			got = append(got, words[0]+" "+strings.TrimSuffix(words[2], ","))
		}
	}
	want := []string{
		"7 import", "15 net/http.Client", "18 net/http.Client", "19 net/http.Transport", "20 net/http.DefaultClient",
		"24 net.Dial", "25 net.Dialer", "26 net.LookupHost", "27 crypto/tls.Dial", "28 net/http.Get", "29 os/exec.Command",
		"10 example.com/some/library:",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found\n%q, want\n%q", got, want)
	}
}

// A connection that nobody has declared fails the build, with what to do about it.
func TestUndeclaredDialFailsTheBuild(t *testing.T) {
	t.Parallel()
	s := parleytest.Scratch(t)
	s.Write("contact/vendor.go", "package contact\n\nimport \"net\"\n\nfunc tellVendor() (net.Conn, error) { return net.Dial(\"tcp\", \"vendor.example:443\") }\n\nvar _ = tellVendor\n")
	s.Refuses("./egress", "^TestNobodyElseDials$",
		"contact/vendor.go:5 uses net.Dial, which reaches the outside past the ledger", "declare the purpose in egress/purpose.go and take its Dialer or Client")
}
