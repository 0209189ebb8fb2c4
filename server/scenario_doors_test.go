package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parley"
	"parley/parleytest"
	"parley/server"
	"parley/server/demo"
	"parley/server/lan"
)

// door is an address that the server answers past the API, whose own matrix stands
// in edge/webapi. Nobody's standing to anybody counts at these: what counts is
// where a request comes from.
type door struct {
	address string // as the sources have it
	behind  string // where it is: see below

	// The status for a request from this machine, for one that a proxy passed on
	// with a device's session, and for the operator: with the metrics' token, or at
	// the control socket. 0: the same as for an address that there is not.
	here, device, operator int

	body   string // of the operator's request
	fields string // of the operator's answer, where it is JSON
}

// Where doors are: on the address for people; on the control socket, which the
// data folder's owner alone can open; on the loopback address of the metrics; on
// the page that helps phones to trust a server that is tried in a private network,
// which knows nothing of people.
const (
	forPeople  = "people"
	forControl = "control"
	forFigures = "figures"
	forPhones  = "phones"
)

var doors = []door{
	{address: "GET /healthz", behind: forPeople, here: 200, device: 200, operator: 200},
	{address: "GET /readyz", behind: forPeople, here: 200, device: 200, operator: 200},
	{address: "GET /metrics", behind: forPeople, here: 200, device: 404, operator: 200}, // with a token, for its holder alone
	{address: "/", behind: forPeople, here: 200, device: 200, operator: 200},            // the API, and the app, which is the same for all

	{address: "GET /people", behind: forControl, operator: 200, fields: "[].address [].display_name [].disabled? [].gone? [].requested?"},
	{address: "POST /people/import", behind: forControl, operator: 200,
		fields: "done.read done.added done.changed done.unchanged done.skipped done.left done.problems problem? failed?" + progress},
	{address: "POST /people/disable", behind: forControl, operator: 200, body: `{"address": "kwame"}`},
	{address: "POST /people/enable", behind: forControl, operator: 200, body: `{"address": "kwame"}`},
	{address: "POST /people/invite", behind: forControl, operator: 200, body: `{"address": "kwame"}`, fields: "link expires"},
	{address: "POST /people/password", behind: forControl, operator: 200, body: `{"address": "kwame", "password": "another horse battery"}`},
	{address: "GET /backup", behind: forControl, operator: 200, fields: "-"},
	{address: "GET /egress", behind: forControl, operator: 200,
		fields: "[].purpose [].for [].data [].hosts [].past? [].uncounted? [].connections [].refused [].sent [].received [].last_used?"},
	{address: "GET /directory", behind: forControl, operator: 422, fields: "error"}, // there is no directory here
	{address: "POST /directory/sync", behind: forControl, operator: 422, body: `{}`, fields: "error"},
	{address: "POST /policies/set", behind: forControl, operator: 200, body: `{"key": "policy.message_limit", "value": "7d"}`,
		fields: "key label doc kind value default min max source changed.id changed.key changed.value changed.at changed.by"},
	{address: "GET /policies", behind: forControl, operator: 200,
		fields: "[].key [].label [].doc [].kind [].value [].default [].min? [].max? [].pending? [].source [].where? " +
			"[].changed.id? [].changed.key? [].changed.value? [].changed.reset? [].changed.at? [].changed.by?"},
	{address: "POST /policies/reset", behind: forControl, operator: 200, body: `{"key": "policy.message_limit"}`,
		fields: "key label doc kind value default min max source changed.id changed.key changed.reset changed.at changed.by"},
	{address: "GET /policies/history", behind: forControl, operator: 200, fields: "[].id [].key [].value? [].reset? [].at [].by"},
	{address: "GET /audit/verify", behind: forControl, operator: 200, fields: "records mark broken? problem?"},
	{address: "GET /jobs", behind: forControl, operator: 200, fields: "[].id? [].kind? [].state? [].due? [].attempts? [].failed? [].error?"},
	{address: "POST /jobs/retry", behind: forControl, operator: 422, body: `{"id": 4711}`, fields: "error"}, // there is no such job
	{address: "POST /jobs/remove", behind: forControl, operator: 422, body: `{"id": 4711}`, fields: "error"},

	{address: "GET /debug/pprof/", behind: forFigures, operator: 200}, // with the metrics' token
	{address: "/debug/pprof/", behind: forFigures, operator: 200},
	{address: "/debug/pprof/profile", behind: forFigures, operator: 200},
	{address: "/debug/pprof/trace", behind: forFigures, operator: 200},

	{address: "GET /trust", behind: forPhones, operator: 200, fields: "-"},
	{address: "GET /trust.css", behind: forPhones, operator: 200, fields: "-"},
	{address: "GET /trust.js", behind: forPhones, operator: 200, fields: "-"},
	{address: "GET /parley.mobileconfig", behind: forPhones, operator: 200, fields: "-"},
	{address: "GET /parley.crt", behind: forPhones, operator: 200, fields: "-"},
}

const progress = " progress.read? progress.added? progress.changed? progress.unchanged? progress.skipped? progress.left? progress.problems?"

// Whatever is served past the API answers whom its row says, and to anybody else
// it is not there.
func TestDoors(t *testing.T) {
	const key = parley.Secret("0123456789abcdef")
	w := parleytest.StartAlone(t, behindProxy)
	guarded := parleytest.StartAlone(t, behindProxy, func(c *server.Config) { c.Metrics.Token = key })
	loopback := freeAddress(t)
	parleytest.StartAlone(t, func(c *server.Config) {
		c.Metrics = server.MetricsConfig{Listen: loopback, Token: key, Profiles: true}
	})
	device := w.As("hanna")
	info, err := os.Stat(filepath.Join(w.Data, "control.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the control socket has the rights %v, %v; want its owner's alone", info.Mode(), err)
	}
	authority, err := lan.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	phones := httptest.NewServer(authority.Page("8443"))
	defer phones.Close()

	for _, d := range doors {
		t.Run(d.address, func(t *testing.T) {
			method, path := split(d.address)
			passedOn := []string{"X-Forwarded-For", "192.0.2.1"}
			d.compare(t, "from this machine", d.here, parleytest.Ask(t, w.Base, method, path, body(d)), unknown(t, w, method, d))
			d.compare(t, "from a device", d.device, device.Ask(method, path, body(d), passedOn...), unknown(t, w, method, d))
			var operator parleytest.Answer
			switch d.behind {
			case forPeople:
				operator = guarded.Ask(method, path, nil, append(passedOn, "Authorization", "Bearer "+string(key))...)
			case forFigures:
				if denied := parleytest.Ask(t, "http://"+loopback, method, path, nil); denied.Status != http.StatusNotFound {
					t.Errorf("without the token: status %d", denied.Status)
				}
				operator = parleytest.Ask(t, "http://"+loopback, method, path+"?seconds=1", nil, "Authorization", "Bearer "+string(key))
			case forControl:
				operator = askControl(t, w.Data, method, path, d.body)
			case forPhones:
				operator = parleytest.Ask(t, phones.URL, method, path, nil)
			}
			if operator.Status != d.operator {
				t.Errorf("for the operator: status %d, want %d: %.300s", operator.Status, d.operator, operator.Body)
			}
			d.compareFields(t, operator.Body)
		})
	}
	if answer := guarded.Ask("GET", "/metrics", nil); answer.Status != http.StatusNotFound {
		t.Errorf("the metrics without their token: status %d", answer.Status)
	}
	// Nothing above that was not the operator's had an effect: the demo's password
	// was changed at the socket, and by nobody else.
	if _, err := w.SignIn("hanna", nil); err != nil {
		t.Errorf("hanna signs in: %v", err)
	}
	if _, err := w.SignIn("kwame", nil); err == nil {
		t.Errorf("kwame still has the password %s", demo.Password)
	}
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func split(address string) (method, path string) {
	method, path, found := strings.Cut(address, " ")
	if !found {
		return "GET", address
	}
	return method, path
}

func body(d door) any {
	if d.body == "" {
		return nil
	}
	return d.body
}

// unknown is the answer to the same request at an address that there is not.
func unknown(t *testing.T, w *parleytest.World, method string, d door) parleytest.Answer {
	t.Helper()
	_, path := split(d.address)
	return w.Ask(method, "/no-such"+strings.TrimSuffix(path, filepath.Ext(path))+filepath.Ext(path), body(d))
}

func (d door) compare(t *testing.T, who string, want int, got, unknown parleytest.Answer) {
	t.Helper()
	if want == 0 {
		if got.Signature() != unknown.Signature() {
			t.Errorf("%s: %.300s\nwant the answer of an address that there is not: %.300s", who, got.Signature(), unknown.Signature())
		}
		return
	}
	if got.Status != want {
		t.Errorf("%s: status %d, want %d", who, got.Status, want)
	}
}

// askControl asks at the control socket, as the command line does.
func askControl(t *testing.T, data, method, path, body string) parleytest.Answer {
	t.Helper()
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", filepath.Join(data, "control.sock"))
		},
	}}
	request, err := http.NewRequestWithContext(t.Context(), method, "http://parley"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return parleytest.Answer{Status: response.StatusCode, Header: response.Header, Body: text}
}

// compareFields wants all fields of a door but those with ?, and no others.
func (d door) compareFields(t *testing.T, text []byte) {
	t.Helper()
	if d.fields == "-" || d.behind != forControl {
		return
	}
	found := map[string]bool{}
	lines := json.NewDecoder(bytes.NewReader(text))
	for lines.More() {
		var value any
		if err := lines.Decode(&value); err != nil {
			t.Fatalf("%.300s: %v", text, err)
		}
		collect("", value, found)
	}
	allowed := map[string]bool{}
	for field := range strings.FieldsSeq(d.fields) {
		name, optional := strings.CutSuffix(field, "?")
		allowed[name] = true
		if !optional && !found[name] {
			t.Errorf("the field %s is not there: %.300s", name, text)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if !allowed[name] {
			t.Errorf("the field %s is there, and doors in server/scenario_doors_test.go does not name it", name)
		}
	}
}

func collect(path string, value any, found map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			collect(strings.TrimPrefix(path+"."+name, "."), inner, found)
		}
	case []any:
		for _, inner := range v {
			collect(path+"[]", inner, found)
		}
	case nil:
	default:
		found[path] = true
	}
}

// TestEveryDoorIsDeclared finds addresses that the program serves and doors does
// not know. Those of the API are the business of edge/webapi.
func TestEveryDoorIsDeclared(t *testing.T) {
	served := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata" || path == filepath.Join("..", "edge", "webapi") || path == filepath.Join("..", "parleytest")):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		for _, address := range addressesIn(t, path) {
			served[address] = true
			if !slices.ContainsFunc(doors, func(d door) bool { return d.address == address }) {
				t.Errorf("%s serves %q, which has no row: add one to doors in server/scenario_doors_test.go that says who may ask and what the answer holds",
					filepath.ToSlash(strings.TrimPrefix(path, "../")), address)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range doors {
		if !served[d.address] {
			t.Errorf("server/scenario_doors_test.go: nothing serves %q", d.address)
		}
	}
}

// addressesIn gives the patterns that a file hands to a ServeMux, but for those
// that only give names to routes.
func addressesIn(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var addresses []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 2 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || method.Sel.Name != "HandleFunc" && method.Sel.Name != "Handle" || isNotFound(call.Args[1]) {
			return true
		}
		if literal, ok := call.Args[0].(*ast.BasicLit); ok {
			address, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			addresses = append(addresses, address)
		} else {
			addresses = append(addresses, fmt.Sprintf("an address that is computed (%T)", call.Args[0]))
		}
		return true
	})
	return addresses
}

func isNotFound(handler ast.Expr) bool {
	call, ok := handler.(*ast.CallExpr)
	if !ok {
		return false
	}
	name, ok := call.Fun.(*ast.SelectorExpr)
	return ok && name.Sel.Name == "NotFoundHandler"
}
