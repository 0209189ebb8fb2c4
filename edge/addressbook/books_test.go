package addressbook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley"
)

func wantKey(t *testing.T, err error, key string) {
	t.Helper()
	var refusal *parley.Error
	if !errors.As(err, &refusal) || refusal.Key != key {
		t.Errorf("got %v, want the refusal %s", err, key)
	}
	for _, secret := range []string{"horse", "ann@"} {
		if err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, errors.Unwrap(err)), secret) {
			t.Errorf("the refusal tells %q: %v", secret, err)
		}
	}
}

// multi answers with a multi-status.
func multi(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusMultiStatus)
	fmt.Fprintf(w, `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav">%s</d:multistatus>`, body)
}

func resource(href, props string) string {
	return `<d:response><d:href>` + href + `</d:href><d:propstat><d:prop>` + props + `</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`
}

const isBook = `<d:resourcetype><d:collection/><c:addressbook/></d:resourcetype>`

// small is a server whose address is an address book with some cards.
func small(cards ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var all strings.Builder
		switch {
		case r.Method == "PROPFIND" && r.Header.Get("Depth") == "0":
			all.WriteString(resource("/", isBook))
		case r.Method == "PROPFIND":
			all.WriteString(resource("/", isBook))
			for i := range cards {
				all.WriteString(resource(fmt.Sprintf("/%d.vcf", i), fmt.Sprintf("<d:getetag>\"%d\"</d:getetag>", i)))
			}
		case r.Method == "REPORT":
			for i, c := range cards {
				all.WriteString(resource(fmt.Sprintf("/%d.vcf", i), "<c:address-data>"+c+"</c:address-data>"))
			}
		}
		multi(w, all.String())
	}
}

func fetchFrom(t *testing.T, handler http.HandlerFunc) (string, int, error) {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	b := booksAt(t, server.URL)
	b.most = 1000
	got, err := b.Fetch(t.Context(), 1, b.List()[0].ID, "ann@example.org", "right horse", "")
	return got.Cards, got.Skipped, err
}

func TestBadServers(t *testing.T) {
	for _, c := range []struct {
		name, key string
		handler   http.HandlerFunc
	}{
		{"wrong password", "address-book.password", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusUnauthorized) }},
		{"not allowed", "address-book.password", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusForbidden) }},
		{"a web page", "address-book.none", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>Welcome") }},
		{"a web page that says multi-status", "address-book.none", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusMultiStatus)
			fmt.Fprint(w, "<html>Welcome</html>")
		}},
		{"no such thing", "address-book.none", http.NotFound},
		{"broken XML", "address-book.none", func(w http.ResponseWriter, r *http.Request) { multi(w, "<d:response><d:href>/</d:nothing>") }},
		{"XML that ends", "address-book.none", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusMultiStatus)
			fmt.Fprint(w, `<d:multistatus xmlns:d="DAV:"><d:response>`)
		}},
		{"no CardDAV server", "address-book.none", func(w http.ResponseWriter, r *http.Request) {
			multi(w, resource("/", "<d:resourcetype><d:collection/></d:resourcetype>"))
		}},
		{"a fault", "address-book.unreachable", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "right horse", http.StatusBadGateway) }},
		{"busy", "address-book.unreachable", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "", http.StatusTooManyRequests) }},
		{"hangs up", "address-book.unreachable", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }},
		{"hangs up in the middle", "address-book.unreachable", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "5000")
			w.WriteHeader(http.StatusMultiStatus)
			fmt.Fprint(w, `<d:multistatus xmlns:d="DAV:">`)
		}},
		{"redirects to itself", "address-book.none", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }},
		{"a card that is one too many", "address-book.too-large", func(w http.ResponseWriter, r *http.Request) {
			small(strings.Repeat("x", 600), strings.Repeat("x", 600))(w, r)
		}},
		{"does not stop listing", "address-book.too-large", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Depth") == "0" {
				small()(w, r)
				return
			}
			multi(w, strings.Repeat(resource("/x.vcf", ""), 4*MaxCards+1))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := fetchFrom(t, c.handler)
			wantKey(t, err, c.key)
		})
	}
}

// TestNoOtherHost holds that a server cannot send Parley, and the password, to
// another host: not by a redirect, not by what it names.
func TestNoOtherHost(t *testing.T) {
	var reached atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer other.Close()
	for name, handler := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/", http.StatusTemporaryRedirect)
		},
		"moved to another scheme": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+r.Host+"/", http.StatusPermanentRedirect)
		},
		"principal": func(w http.ResponseWriter, r *http.Request) {
			multi(w, resource("/", "<d:current-user-principal><d:href>"+other.URL+"/me/</d:href></d:current-user-principal>"))
		},
		"home": func(w http.ResponseWriter, r *http.Request) {
			multi(w, resource("/", "<c:addressbook-home-set><d:href>"+other.URL+"/home/</d:href></c:addressbook-home-set>"))
		},
		"book": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Depth") == "1" {
				multi(w, resource(other.URL+"/book/", isBook))
				return
			}
			multi(w, resource("/", "<c:addressbook-home-set><d:href>/home/</d:href></c:addressbook-home-set>"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := fetchFrom(t, handler)
			wantKey(t, err, "address-book.elsewhere")
		})
	}
	if reached.Load() != 0 {
		t.Errorf("the other host was reached %d times", reached.Load())
	}
}

// TestWayToTheBook follows what servers commonly do: a redirect from the
// well-known address, a principal, a home, books below it.
func TestWayToTheBook(t *testing.T) {
	cards, skipped, err := fetchFrom(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ann@example.org" || password != "right horse" {
			http.Error(w, "", http.StatusUnauthorized)
			return
		}
		switch r.URL.Path + " " + r.Method {
		case "/ PROPFIND":
			http.Error(w, "", http.StatusMethodNotAllowed)
		case "/.well-known/carddav PROPFIND":
			http.Redirect(w, r, "/dav", http.StatusMovedPermanently)
		case "/dav PROPFIND":
			multi(w, resource("/dav", "<d:current-user-principal><d:href>/p/ann%40example.org/</d:href></d:current-user-principal>"))
		case "/p/ann@example.org/ PROPFIND":
			multi(w, resource("/p/", "<c:addressbook-home-set><d:href>/home/</d:href></c:addressbook-home-set>"))
		case "/home/ PROPFIND":
			multi(w, resource("/home/", "<d:resourcetype><d:collection/></d:resourcetype>")+resource("one/", isBook)+resource("/home/cal/", "<d:resourcetype><d:collection/></d:resourcetype>"))
		case "/home/one/ PROPFIND":
			multi(w, resource("/home/one/", isBook)+resource("/home/one/a.vcf", `<d:getetag>"1"</d:getetag>`)+resource("/home/one/gone.vcf", `<d:getetag>"2"</d:getetag>`))
		case "/home/one/ REPORT":
			multi(w, resource("/home/one/a.vcf", "<c:address-data>BEGIN:VCARD&#13;\nFN:&lt;Ä&gt;&#13;\nEND:VCARD</c:address-data>")+
				`<d:response><d:href>/home/one/gone.vcf</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>`)
		default:
			http.NotFound(w, r)
		}
	})
	if err != nil || skipped != 1 || cards != "BEGIN:VCARD\r\nFN:<Ä>\r\nEND:VCARD\r\n" {
		t.Errorf("cards %q, %d skipped, %v", cards, skipped, err)
	}
}

// TestSlowServer holds that somebody who asks waits no longer than the limit.
func TestSlowServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func() *http.Client {
			return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}}}
		}
		b := New([]Server{{Name: "Slow", URL: &url.URL{Scheme: "https", Host: "slow.example", Path: "/"}}}, slow)
		begun := time.Now()
		_, err := b.Fetch(t.Context(), 1, b.List()[0].ID, "ann@example.org", "right horse", "")
		wantKey(t, err, "address-book.unreachable")
		if took := time.Since(begun); took > fetchTime {
			t.Errorf("took %v", took)
		}
	})
}

// TestCertificateIsChecked holds that nobody's password goes to a server whose
// certificate nobody vouches for.
func TestCertificateIsChecked(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	b := booksAt(t, server.URL)
	_, err := b.Fetch(t.Context(), 1, b.List()[0].ID, "ann@example.org", "right horse", "")
	wantKey(t, err, "address-book.unreachable")
	if asked.Load() != 0 {
		t.Error("it was asked all the same")
	}
}

// TestNobodyGuesses holds that one person cannot try passwords without end, and
// does not hold up another.
func TestNobodyGuesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(nil, nil)
		for range maxFetches {
			if err := b.admit(1, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		wantKey(t, b.admit(1, time.Now()), "address-book.too-many")
		if err := b.admit(2, time.Now()); err != nil {
			t.Error(err)
		}
		time.Sleep(perWindow)
		if err := b.admit(1, time.Now()); err != nil {
			t.Error(err)
		}
		if len(b.asked) != 1 {
			t.Errorf("still remembered: %d", len(b.asked))
		}
	})
}

func TestUnknownServerIsWithheld(t *testing.T) {
	if _, err := booksAt(t, "https://dav.example.com").Fetch(t.Context(), 1, "other", "a", "b", ""); !errors.Is(err, parley.ErrWithheld) {
		t.Errorf("got %v", err)
	}
}

func TestParseServer(t *testing.T) {
	for text, ok := range map[string]bool{
		"Home=https://dav.example.com":            true,
		"Home = https://dav.example.com:8443/x/":  true,
		"Name=with=https://dav.example.com/":      false,
		"Test=http://127.0.0.1:5232/":             true,
		"Test=http://localhost:5232/":             true,
		"Home=http://dav.example.com/":            false,
		"https://dav.example.com/":                false,
		"=https://dav.example.com/":               false,
		"Home=ftp://dav.example.com/":             false,
		"Home=https://ann:secret@dav.example.com": false,
		"Home=https:///x":                         false,
		"Home=":                                   false,
		`["Home=https://dav.example.com/"]`:       false,
		"":                                        false,
	} {
		if _, err := ParseServer(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzMultistatus holds that no text makes the reader fail in another way than by
// saying so.
func FuzzMultistatus(f *testing.F) {
	f.Add(`<d:multistatus xmlns:d="DAV:">` + resource("/a", isBook) + `</d:multistatus>`)
	f.Add(`<?xml version="1.0"?><multistatus xmlns="DAV:"><response><propstat><prop><getetag>x`)
	f.Fuzz(func(t *testing.T, text string) {
		_ = readMultistatus(strings.NewReader(text), func(r response) error { r.props(); return nil })
	})
}
