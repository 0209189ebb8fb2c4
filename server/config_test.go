package server

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/policy"
)

const minimal = `
[organisation]
name = "Harbour & Finch"
domains = ["Example.com", "example.org"]
region = "de"
`

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "parley.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestReadConfigTakesEverySource(t *testing.T) {
	file := writeConfig(t, `
addr = "127.0.0.1:1"
trusted_proxies = ["127.0.0.1", "10.1.2.3/8"]
[policy]
message_limit = "7d"
pictures = false
[directory]
public = ["title", "mobile"]
[limits]
devices = 3
`+minimal)
	c, problems := ReadConfig(Sources{
		File:    file,
		Environ: []string{"PARLEY_ADDR=127.0.0.1:2", "PARLEY_DATA=/from/environ", "PARLEY_POLICY_DEVICE_IDLE=36h", "PARLEY_LOG_FORMAT=json", "HOME=/"},
		Flags:   map[string]string{"data": "/from/flag"},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if c.Addr != "127.0.0.1:2" || c.Data != "/from/flag" || c.Log.Format != "json" {
		t.Errorf("addr %q, data %q, log.format %q", c.Addr, c.Data, c.Log.Format)
	}
	want := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}
	if !slices.Equal(c.TrustedProxies, want) {
		t.Errorf("trusted proxies %v", c.TrustedProxies)
	}
	if o := c.Organisation; o.DefaultDomain != "example.com" || o.Region != "DE" || !slices.Equal(o.Domains, []string{"example.com", "example.org"}) {
		t.Errorf("organisation %+v", o)
	}
	rules := c.Policy
	if rules.MessageLimit != 7*24*time.Hour || rules.DeviceIdle != 36*time.Hour || rules.Pictures || rules.MaxDevices != 3 ||
		rules.DirectoryPublic != policy.Title|policy.Mobile {
		t.Errorf("rules %+v", rules)
	}
	if err := rules.Validate(); err != nil {
		t.Error(err)
	}
}

func TestDefaultsAreThePolicyDefaults(t *testing.T) {
	c := DefaultConfig()
	if got := c.Policy; !reflect.DeepEqual(got, policy.Default()) {
		t.Errorf("rules %+v", got)
	}
}

func TestReadConfigProblems(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // FILE stands for the file's path
	}{
		{"syntax", "addr = \n", []string{"FILE:1: addr: expected value but found '\\n' instead"}},
		{"unknown key", minimal + "nmae = \"x\"\n", []string{"FILE:6: organisation.nmae: unknown; known here: default_domain, domains, name, region"}},
		{"unknown table", minimal + "[orgnisation]\nx = 1\n", []string{"FILE:6: orgnisation: unknown; known here: addr, address_book, administrators, cluster, data, database, directory, ldap, limits, log, metrics, operator, organisation, policy, public_url, tls, trusted_proxies"}},
		{"table as value", "tls = 3" + minimal, []string{"FILE:1: tls: must be a table: [tls]"}},
		{"types", "addr = 5\ntrusted_proxies = \"x\"\n[limits]\ndevices = \"3\"\n[policy]\npictures = \"yes\"\n[directory]\npublic = [1]" + minimal, []string{
			`FILE:1: addr: must be a text: "…"`,
			`FILE:2: trusted_proxies: must be a list of texts: ["…", "…"]`,
			`FILE:4: limits.devices: must be a whole number, without quotes`,
			`FILE:6: policy.pictures: must be true or false, without quotes`,
			`FILE:8: directory.public: must be a list of texts: ["…", "…"]`,
		}},
		{"ranges", "trusted_proxies = [\"10.0.0.0/99\"]\n[limits]\ndevices = 0\nmessage_body = 70000\n[policy]\nmessage_limit = \"5m\"\ndevice_idle = \"soon\"\n[log]\nlevel = \"loud\"" + minimal, []string{
			`FILE:1: trusted_proxies: "10.0.0.0/99" is no address or prefix such as 10.0.0.1 or 10.0.0.0/8`,
			`FILE:3: limits.devices: 0 is not between 1 and 1000`,
			`FILE:4: limits.message_body: 70000 is not between 1024 and 65536`,
			`FILE:6: policy.message_limit: 5m is not between 1h and 365d`,
			`FILE:7: policy.device_idle: "soon" is no length of time such as 30d, 12h or 90m`,
			`FILE:9: log.level: "loud" is none of debug, info, warn, error`,
		}},
		{"nothing set", "[log]\n", []string{
			"FILE: organisation.name: missing; give the name of the organisation",
			"FILE: organisation.domains: missing; give the domains of the sign-in addresses",
			"FILE: organisation.region: missing; give the country as two letters, such as GB",
		}},
		{"values", "addr = \"8080\"\npublic_url = \"parley.example.com\"\n[organisation]\nname = \"x\"\ndomains = [\"a b\", \"example.com\", \"example.com\"]\nregion = \"XX\"\ndefault_domain = \"other.com\"", []string{
			`FILE:1: addr: "8080" is no address and port such as 127.0.0.1:8080 or :443`,
			`FILE:2: public_url: "parley.example.com" is no URL such as https://parley.example.com`,
			`FILE:5: organisation.domains: "a b" is no domain such as example.com`,
			`FILE:5: organisation.domains: "example.com" stands there twice`,
			`FILE:6: organisation.region: "XX" is no country of ISO 3166, such as GB or DE`,
			`FILE:7: organisation.default_domain: "other.com" is none of organisation.domains`,
		}},
		{"path in url", "public_url = \"https://example.com/chat\"" + minimal, []string{`FILE:1: public_url: "https://example.com/chat" has a path; give only scheme and host`}},
		{"tls files", "[tls]\nmode = \"files\"" + minimal, []string{
			"FILE: tls.cert: missing; tls.mode files needs a certificate",
			"FILE: tls.key: missing; tls.mode files needs a key",
		}},
		{"tls without effect", "[tls]\ncert = \"x.pem\"\nhosts = [\"a.example\"]" + minimal, []string{
			"FILE:2: tls.cert: has no effect while tls.mode is off; set it to files",
			"FILE:3: tls.hosts: has no effect while tls.mode is off; set it to acme",
		}},
		{"acme", "[tls]\nmode = \"acme\"\nemail = \"nobody\"\nhosts = [\"10.0.0.1\", \"localhost\"]" + minimal, []string{
			`FILE:3: tls.email: "nobody" is no mail address; tls.mode acme needs one`,
			`FILE:4: tls.hosts: "10.0.0.1" is no public host name such as parley.example.com`,
			`FILE:4: tls.hosts: "localhost" is no public host name such as parley.example.com`,
		}},
		{"acme without a host", "[tls]\nmode = \"acme\"\nemail = \"it@example.com\"" + minimal, []string{
			"FILE: tls.hosts: missing; tls.mode acme needs host names here or a public_url",
		}},
		{"metrics", "[metrics]\nlisten = \"127.0.0.1:8080\"\ntoken = \"short\"" + minimal, []string{
			"FILE:2: metrics.listen: is the address of addr; leave it empty to serve figures there",
			"FILE:3: metrics.token: too short; at least 16 characters",
		}},
		{"profiles for everybody", "[metrics]\nlisten = \":9090\"\nprofiles = true" + minimal, []string{
			"FILE:3: metrics.profiles: needs metrics.listen on a loopback address such as 127.0.0.1:9090",
		}},
		{"profiles with the figures of everybody", "[metrics]\nprofiles = true" + minimal, []string{
			"FILE:2: metrics.profiles: needs metrics.listen on a loopback address such as 127.0.0.1:9090",
		}},
		{"operator", "[operator]\nprivacy_url = \"javascript:alert(1)\"" + minimal, []string{
			`FILE:2: operator.privacy_url: "javascript:alert(1)" is no URL such as https://parley.example.com`,
			"FILE: operator.name: missing; a contact or privacy statement needs the operator's name",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := writeConfig(t, test.text)
			_, problems := ReadConfig(Sources{File: file})
			got := strings.ReplaceAll(problems.Error(), file, "FILE")
			if want := strings.Join(test.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if !problems.Fatal() {
				t.Error("the server would start")
			}
		})
	}
}

func TestReadConfigWithoutFile(t *testing.T) {
	_, problems := ReadConfig(Sources{File: "/nowhere/parley.toml"})
	if want := "/nowhere/parley.toml: cannot be read: no such file or directory"; problems.Error() != want {
		t.Errorf("got %q", problems.Error())
	}
}

func TestReadConfigNamesVariablesAndFlags(t *testing.T) {
	_, problems := ReadConfig(Sources{
		File:    writeConfig(t, minimal),
		Environ: []string{"PARLEY_TLS_MODE=on", "PARLEY_SERVICE_HOST=10.0.0.1"},
		Flags:   map[string]string{"addr": "nonsense"},
	})
	want := []string{
		"PARLEY_SERVICE_HOST: warning: sets nothing; no setting has this name",
		`PARLEY_TLS_MODE: tls.mode: "on" is none of off, files, acme`,
	}
	if got := problems.Error(); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s", got)
	}
	_, problems = ReadConfig(Sources{File: writeConfig(t, minimal), Flags: map[string]string{"addr": "nonsense"}})
	if want := `--addr: addr: "nonsense" is no address and port such as 127.0.0.1:8080 or :443`; problems.Error() != want {
		t.Errorf("got\n%s", problems)
	}
}

func TestWarningsDoNotStop(t *testing.T) {
	_, problems := ReadConfig(Sources{File: writeConfig(t, minimal), Environ: []string{"PARLEY_PORT=tcp://10.0.0.1:80"}})
	if len(problems) != 1 || problems.Fatal() {
		t.Errorf("got %v", problems)
	}
}

func TestKeyLines(t *testing.T) {
	text := "# addr = 1\naddr = \"[not a table]\" # x\n\n[ tls ] # hosts\nhosts = [ # a list\n  \"a = b\",\n]\n" +
		"cert = \"\"\"\nkey = 5\n\"\"\"\n\"key\" = 'k#'\n[organisation]\nname='''\n[log]\n'''\ndomains=[]\nlog.level=1\n"
	want := map[string]int{"addr": 2, "tls": 4, "tls.hosts": 5, "tls.cert": 8, "tls.key": 11,
		"organisation": 12, "organisation.name": 13, "organisation.domains": 16, "organisation.log": 17, "organisation.log.level": 17}
	if got := keyLines(text); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func FuzzKeyLines(f *testing.F) {
	f.Add(minimal)
	f.Add("[\n]\n\"\"\"")
	f.Add("a = [[1],\n'''x\n''']\n[b.c]\nd={e='''\n")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Count(text, "\n") + 1
		for key, line := range keyLines(text) {
			if line < 1 || line > lines {
				t.Errorf("%q is on line %d of %d", key, line, lines)
			}
		}
	})
}

func FuzzReadConfig(f *testing.F) {
	f.Add(minimal)
	f.Add("tls = 1\n[tls.mode]\nx=[{a=1}]\n[[limits]]\n")
	file := filepath.Join(f.TempDir(), "parley.toml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, problems := ReadConfig(Sources{File: file})
		if rules := c.Policy; !problems.Fatal() && rules.Validate() != nil {
			t.Errorf("accepted rules that are none: %v", rules.Validate())
		}
	})
}

func TestExampleIsCurrent(t *testing.T) {
	var b bytes.Buffer
	if err := WriteExample(&b); err != nil {
		t.Fatal(err)
	}
	there, err := os.ReadFile("../parley.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(there, b.Bytes()) {
		t.Error("parley.example.toml is not what the doc tags say; run make generate")
	}
	if _, problems := ReadConfig(Sources{File: "../parley.example.toml"}); len(problems) > 0 {
		t.Errorf("the example has problems:\n%v", problems)
	}
}

// Every commented default of the example is accepted as it stands.
func TestExampleDefaultsAreValid(t *testing.T) {
	text, err := os.ReadFile("../parley.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if key, _, ok := strings.Cut(strings.TrimPrefix(line, "# "), " = "); ok && !strings.Contains(key, " ") {
			lines[i] = strings.TrimPrefix(line, "# ")
		}
	}
	c, problems := ReadConfig(Sources{File: writeConfig(t, strings.Join(lines, "\n"))})
	if len(problems) > 0 {
		t.Fatalf("the defaults have problems:\n%v", problems)
	}
	want := DefaultConfig()
	if !reflect.DeepEqual(c.Limits, want.Limits) || c.Policy != want.Policy || c.TLS.Mode != want.TLS.Mode {
		t.Errorf("the example sets %+v", c)
	}
}
