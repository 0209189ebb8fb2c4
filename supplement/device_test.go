package supplement_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/parleytest/source"
	"parley/supplement"
)

// script is the text of a file of the app, line by line, comments left out.
type script struct {
	name  string // relative to the module
	lines []string
}

// readApp reads the app's TypeScript, tests left out.
func readApp(t *testing.T) []script {
	t.Helper()
	root, err := source.Root()
	if err != nil {
		t.Fatal(err)
	}
	var scripts []script
	err = filepath.WalkDir(filepath.Join(root, "web", "src"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if entry.IsDir() && name == "web/src/core/testing" {
			return filepath.SkipDir
		}
		if entry.IsDir() || strings.Contains(name, ".test.") || !slices.Contains([]string{".ts", ".tsx"}, filepath.Ext(name)) {
			return nil
		}
		text, err := os.ReadFile(path)
		scripts = append(scripts, script{name, code(string(text))})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(scripts) < 50 {
		t.Fatalf("the app has %d files: the test looks at too little", len(scripts))
	}
	return scripts
}

// code gives the lines that are not comments. The house's style has comments on
// lines of their own.
func code(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		if !strings.HasPrefix(trimmed, "//") && !strings.HasPrefix(trimmed, "*") && !strings.HasPrefix(trimmed, "/*") {
			lines = append(lines, strings.TrimRight(line, "\r\n"))
		}
	}
	return lines
}

var (
	objectStore = regexp.MustCompile(`createObjectStore\((.*?)[,)]`)
	opening     = regexp.MustCompile(`^(?:export )?interface (\w+)(?:<.*>)?(?: extends [\w, ]+)? \{$`)
	typeField   = regexp.MustCompile(`^ {2}(?:readonly )?(\w+)\??: (.+)`)
	typeAlias   = regexp.MustCompile(`^(?:export )?type \w+ = .*\{$`)
	literalText = regexp.MustCompile(`^'(\w+)'$`)
)

// recordFiles are where the app's records are written down, with the interfaces
// that are none.
var recordFiles = map[string][]string{
	"web/src/core/store/schema.ts": nil,
	"web/src/core/store/device.ts": {"KeptSession"}, // in memory
}

// Every record of the app's database is declared, field by field: what stands in
// clear, and what is sealed.
func TestDeviceRecordsAreDeclared(t *testing.T) {
	clear, sealed, problems := readRecords(readApp(t))
	for _, problem := range problems {
		t.Error(problem)
	}
	compare(t, supplement.Clear, clear, `{Clear, HOW LONG, names("NAME")}`)
	compare(t, supplement.Sealed, sealed, `{Sealed, HOW LONG, names("NAME")}`)
}

// readRecords gives the object stores, the fields of their records that stand in
// clear, and what is sealed: fields of type Bytes, and what they hold, an interface
// whose name ends in Box or Item.
func readRecords(scripts []script) (clear, sealed reality, problems []string) {
	clear, sealed = reality{}, reality{}
	for _, s := range scripts {
		inside, passed := "", recordFiles[s.name]
		_, records := recordFiles[s.name]
		for _, line := range s.lines {
			for _, match := range objectStore.FindAllStringSubmatch(line, -1) {
				name := literalText.FindStringSubmatch(match[1])
				if name == nil || !records {
					problems = append(problems, s.name+": "+strings.TrimSpace(line)+
						": an object store belongs into web/src/core/store/schema.ts or device.ts, with its name written out")
					continue
				}
				clear["store:"+name[1]] = s.name
			}
			if records && typeAlias.MatchString(line) {
				problems = append(problems, s.name+": "+line+": what is stored is written down as an interface, so that its fields can be declared")
			}
			if match := opening.FindStringSubmatch(line); match != nil && records && !slices.Contains(passed, match[1]) {
				inside = match[1]
			} else if line == "}" {
				inside = ""
			}
			if match := typeField.FindStringSubmatch(line); match != nil && inside != "" {
				into := clear
				if match[2] == "Bytes" || strings.HasSuffix(inside, "Box") || strings.HasSuffix(inside, "Item") {
					into = sealed
				}
				into[inside+"."+match[1]] = s.name
			}
		}
	}
	return clear, sealed, problems
}

// faculties are the ways in which a page can keep or send something, or find
// something out about the person or the device. Each is one that the app uses or that
// the product says it does not.
var faculties = map[string]*regexp.Regexp{
	"databases":      regexp.MustCompile(`\bindexedDB\b|\bopenDatabase\(`),
	"caches":         regexp.MustCompile(`\bcaches\b`),
	"localStorage":   regexp.MustCompile(`\blocalStorage\b`),
	"sessionStorage": regexp.MustCompile(`\bsessionStorage\b`),
	"cookies":        regexp.MustCompile(`\.cookie\b|\bcookieStore\b`),
	"files":          regexp.MustCompile(`\bgetDirectory\(|Picker\(|\bFileReader\b|\.download\b`),
	"channels":       regexp.MustCompile(`\bBroadcastChannel\(|\bMessageChannel\(`),
	"locks":          regexp.MustCompile(`\blocks\.request\(`),
	"addresses":      regexp.MustCompile(`\.(push|replace)State\(|window\.(name|open)\b`),
	"badge":          regexp.MustCompile(`AppBadge\b`),
	"requests":       regexp.MustCompile(`(?:^|[^.\w ]|(?:await|return|=|=>|\?\?) )fetch\(|\bXMLHttpRequest\b|\bsendBeacon\b|\bEventSource\b|\bWebTransport\b`),
	"sockets":        regexp.MustCompile(`\bWebSocket\(|\bRTCPeerConnection\b`),
	"workers":        regexp.MustCompile(`serviceWorker\.register\(|\bnew (?:Shared)?Worker\(|\bimportScripts\(`),
	"push":           regexp.MustCompile(`\bpushManager\b|\bPushManager\b|\bNotification\b|showNotification|Listener\('(?:push|notificationclick)'`),
	"place":          regexp.MustCompile(`\bgeolocation\b`),
	"devices":        regexp.MustCompile(`\bmediaDevices\b|\bgetUserMedia\b|navigator\.(?:contacts|clipboard|share|bluetooth|usb|credentials|connection)\b`),
}

// faculty is a use that the app makes of one of them.
type faculty struct {
	file, kind string
	lines      *regexp.Regexp // every line that uses it has this form
	names      string         // what it is declared as; empty: it neither keeps nor sends
}

func form(text string) *regexp.Regexp { return regexp.MustCompile(text) }

var used = []faculty{
	{"web/src/core/store/idb.ts", "databases", form(`indexedDB\.(open|deleteDatabase)\(name|function openDatabase\(`), ""},
	{"web/src/core/store/database.ts", "databases", form(`indexedDB\.databases|openDatabase\(databaseName\(person\)`), "database:parley-*"},
	{"web/src/core/store/device.ts", "databases", form(`openDatabase\(name, migrations`), "database:parley"},
	{"web/src/core/session.ts", "localStorage", form(`localStorage\?\.clear\(\)`), ""},
	{"web/src/core/session.ts", "sessionStorage", form(`sessionStorage\?\.clear\(\)`), ""},
	{"web/src/core/session.ts", "caches", form(`caches\?\.keys\(\)|caches\.delete\(name\)`), ""},
	{"web/src/sw.ts", "caches", form(`caches\.(open|delete)\(cacheName\)|caches\.keys\(\)|caches\.delete\(n\)|caches\.match\(.*\{ cacheName \}\)`), "cache:parley-shell-*"},
	{"web/src/core/session.ts", "channels", form(`new BroadcastChannel\('parley'\)`), "channel:parley"},
	{"web/src/core/tabs/browser.ts", "channels", form("new BroadcastChannel\\(`parley-\\$\\{person\\}`\\)"), "channel:parley-*"},
	{"web/src/core/session.ts", "locks", form(`locks\.request\(sessionLock,`), "lock:parley-session"},
	{"web/src/core/tabs/browser.ts", "locks", form(`locks\.request\(name,`), ""},
	{"web/src/core/tabs/hub.ts", "locks", form(`locks\.request\(ownerLock,`), "lock:parley-owner"},
	{"web/src/ui/router.ts", "addresses", form(`history\.replaceState\(`), "history:screen"},
	{"web/src/core/device.ts", "badge", form(`AppBadge\?\.\(`), "badge:unread"},
	{"web/src/core/call.ts", "requests", form(`fetch\(serverUrl\(path\)`), ""},
	{"web/src/sw.ts", "requests", form(`fetch\(request\)|fetch\(path, `), ""},
	{"web/src/core/socket.ts", "sockets", form(`new WebSocket\(socketUrl\(serverUrl\(''\)\)\)`), ""},
	{"web/src/ui/admin.ts", "files", form(`=> getDirectory\(signal\)`), ""}, // an operation, no folder
	{"web/src/ui/parts/Number.tsx", "devices", form(`navigator\.clipboard\.writeText\(what\)`), ""},
	{"web/src/ui/picker.ts", "devices", form(`navigator\.contacts\?\.select`), ""},
	{"web/src/core/update.ts", "workers", form(`serviceWorker\.register\(trustedWorkerUrl\(\)`), ""},
}

// Whatever the app keeps in the browser beside its records is declared, and it has
// no other faculty than those in the list.
func TestBrowserFacultiesAreDeclared(t *testing.T) {
	found, problems := readFaculties(readApp(t))
	for _, problem := range problems {
		t.Error(problem)
	}
	for _, name := range cookies(t) {
		found[name] = "edge/webapi/request.go"
	}
	compare(t, supplement.Browser, found, `{Browser, HOW LONG, names("NAME")}`)
}

func readFaculties(scripts []script) (found reality, problems []string) {
	found = reality{}
	stale := map[int]bool{}
	for i := range used {
		stale[i] = true
	}
	for _, s := range scripts {
		for _, kind := range slices.Sorted(maps.Keys(faculties)) {
			for _, line := range s.lines {
				if !faculties[kind].MatchString(line) {
					continue
				}
				i := slices.IndexFunc(used, func(u faculty) bool { return u.file == s.name && u.kind == kind && u.lines.MatchString(line) })
				if i < 0 {
					problems = append(problems, s.name+": "+strings.TrimSpace(line)+": a use of "+kind+
						" that nobody has declared. Say in used of supplement/device_test.go what it is, and in supplement/*.go what it keeps or sends")
					continue
				}
				delete(stale, i)
				for name := range strings.FieldsSeq(used[i].names) {
					found[name] = s.name
				}
			}
		}
	}
	for i := range stale {
		problems = append(problems, used[i].file+" no longer uses "+used[i].kind+" so: take it out of used in supplement/device_test.go")
	}
	return found, problems
}

var cookieName = regexp.MustCompile(`(?m)^\tcookie\w+ += "(.+)"$`)

// cookies are the names of the cookies that the server sets.
func cookies(t *testing.T) []string {
	t.Helper()
	root, err := source.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "edge", "webapi", "request.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, match := range cookieName.FindAllStringSubmatch(string(text), -1) {
		names = append(names, "cookie:"+match[1])
	}
	return names
}

// TestDeviceReadersCatch shows that the readers find what they are there to find.
func TestDeviceReadersCatch(t *testing.T) {
	scripts := []script{
		{"web/src/core/store/schema.ts", code(`// indexedDB.open in a comment
export interface MessageRecord {
  c: string
  /** clear: for the search */
  text?: string
  box: Bytes
}
type Other = {
export interface MessageBox extends Other {
  readonly secret: string
}
db.createObjectStore('things', { keyPath: 'c' })
db.createObjectStore(name)
`)},
		{"web/src/ui/spy.ts", code(`
localStorage.setItem('last', text)
document.cookie = 'seen=1'
navigator.geolocation.getCurrentPosition(tell)
const answer = await fetch('https://elsewhere.example/')
new WebSocket('wss://elsewhere.example/')
indexedDB.open('spy')
marker.fetch()
`)},
	}
	clear, sealed, problems := readRecords(scripts)
	if want := []string{"MessageRecord.c", "MessageRecord.text", "store:things"}; !slices.Equal(slices.Sorted(maps.Keys(clear)), want) || len(problems) != 2 {
		t.Errorf("clear: %v, problems %v", clear, problems)
	}
	if want := []string{"MessageBox.secret", "MessageRecord.box"}; !slices.Equal(slices.Sorted(maps.Keys(sealed)), want) {
		t.Errorf("sealed: %v", sealed)
	}
	_, problems = readFaculties(scripts)
	var kinds []string
	for _, problem := range problems {
		if what, ok := strings.CutPrefix(problem, "web/src/ui/spy.ts: "); ok {
			_, kind, _ := strings.Cut(what, ": a use of ")
			kinds = append(kinds, strings.Fields(kind)[0])
		}
	}
	if want := []string{"cookies", "databases", "localStorage", "place", "requests", "sockets"}; !slices.Equal(kinds, want) {
		t.Errorf("faculties %v, want %v", kinds, want)
	}
}
