package webapi

import (
	"net/http"
	"strings"
	"testing"
)

func TestBadBodies(t *testing.T) {
	w := newWorld(t)
	anna := w.signIn("anna")
	tests := []struct {
		name      string
		body      string
		mediaType string
		status    int
		kind, key string
		field     string
	}{
		{"too large", `{"note":"` + strings.Repeat("x", maxRequestBody) + `"}`, "application/json", 413, "too-large", "body.too-large", ""},
		{"not JSON", `note`, "application/json", 400, "invalid", "invalid", ""},
		{"cut short", `{"note":"x"`, "application/json", 400, "invalid", "invalid", ""},
		{"nothing", ``, "application/json", 400, "invalid", "invalid", ""},
		{"too deep", `{"note":` + strings.Repeat("[", 17) + strings.Repeat("]", 17) + `}`, "application/json", 422, "invalid", "body.too-deep", ""},
		{"another type", `note=x`, "application/x-www-form-urlencoded", 415, "unsupported", "body.not-json", ""},
		{"text", `{"note":"x"}`, "text/plain", 415, "unsupported", "body.not-json", ""},
		{"no type", `{"note":"x"}`, "", 415, "unsupported", "body.not-json", ""},
		{"a list", `["x"]`, "application/json", 422, "invalid", "invalid", ""},
		{"a missing field", `{}`, "application/json", 422, "invalid", "invalid", ""},
		{"a number for a text", `{"note":5}`, "application/json", 422, "invalid", "invalid", "note"},
		{"a note that is too long", `{"note":"` + strings.Repeat("ä", maxNote+1) + `"}`, "application/json", 422, "invalid", "invalid", "note"},
		{"a time that is none", `{"note":"x","until":"noon"}`, "application/json", 422, "invalid", "invalid", "until"},
	}
	for _, test := range tests {
		p := anna.refused(anna.call("PUT", "/api/me/note", test.body, "Content-Type", test.mediaType), test.status, test.kind, test.key)
		if p.Field != test.field && test.field != "" {
			t.Errorf("%s: the refusal names the field %q, want %q", test.name, p.Field, test.field)
		}
		if t.Failed() {
			t.Fatalf("in: %s", test.name)
		}
	}
	for name, body := range map[string]string{
		"the longest note": `{"note":"` + strings.Repeat("ä", maxNote) + `"}`,
		"unknown fields":   `{"note":"x","later":[1,2]}`,
		"a character set":  `{"note":"x"}`,
	} {
		mediaType := "application/json"
		if name == "a character set" {
			mediaType = "application/json; charset=utf-8"
		}
		if r := anna.call("PUT", "/api/me/note", body, "Content-Type", mediaType); r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", name, r.StatusCode)
		}
	}
}

func TestBadParameters(t *testing.T) {
	w := newWorld(t)
	anna := w.signIn("anna")
	for path, field := range map[string]string{
		"/api/people?q=" + strings.Repeat("x", maxQuery+1): "q",
		"/api/people?q=x&limit=51":                         "limit",
		"/api/people?q=x&limit=none":                       "limit",
		"/api/people":                                      "q",
		"/api/sync?limit=0":                                "limit",
		"/api/sync?after=" + strings.Repeat("x", 65):       "after",
		"/api/people/p1/photo?size=huge":                   "size",
	} {
		p := anna.refused(anna.call("GET", path, nil), http.StatusUnprocessableEntity, "invalid", "invalid")
		if p.Field != field {
			t.Errorf("%.40s: the refusal names the field %q, want %q", path, p.Field, field)
		}
	}
}

func TestRequestRate(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *pace) {
		c.Limits = Limits{DeviceBurst: 5, DeviceRate: 0.01, NetworkBurst: 20, NetworkRate: 0.01}
	})
	anna, ben := w.signIn("anna"), w.signIn("ben")
	for range 5 {
		anna.get(anna.call("GET", "/api/session", nil), http.StatusOK, nil)
	}
	response := anna.call("GET", "/api/session", nil)
	header := response.Header.Get("Retry-After")
	p := anna.refused(response, http.StatusTooManyRequests, "too-many", "request.too-many")
	if p.RetryAfter < 1 || header == "" {
		t.Errorf("the refusal says retry after %d, its header %q", p.RetryAfter, header)
	}
	ben.get(ben.call("GET", "/api/session", nil), http.StatusOK, nil)
	stranger := &client{world: w}
	refused := false
	for range 20 {
		refused = stranger.call("GET", "/api/about", nil).StatusCode == http.StatusTooManyRequests || refused
	}
	if !refused {
		t.Error("a stranger may ask without end")
	}
	ben.get(ben.call("GET", "/api/session", nil), http.StatusOK, nil) // colleagues of the same network go on
}
