package parleytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/edge/webapi"
)

// Answer is the whole answer to a request, as it came.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Ask sends a request as it is given: a body of bytes or a string goes out as it
// stands, anything else as JSON, nil as none. Headers are names and values in
// turn; they replace what JSON would set.
func Ask(t testing.TB, base, method, path string, body any, headers ...string) Answer {
	t.Helper()
	raw, err := encode(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, base+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{Timeout: patience}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return Answer{answer.StatusCode, answer.Header, text}
}

func encode(body any) ([]byte, error) {
	switch b := body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return b, nil
	case string:
		return []byte(b), nil
	default:
		return json.Marshal(b)
	}
}

// Problem is the refusal that the answer holds; zero when it is none.
func (a Answer) Problem() webapi.Problem {
	var p webapi.Problem
	if strings.HasPrefix(a.Header.Get("Content-Type"), "application/problem+json") {
		json.Unmarshal(a.Body, &p)
	}
	return p
}

// Into decodes the body.
func (a Answer) Into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		t.Fatalf("an answer of %d is not what was expected: %v\n%.300s", a.Status, err, a.Body)
	}
}

// Signature is everything by which somebody could tell two answers apart:
// status, headers but for the date, and body.
func (a Answer) Signature() string {
	var lines []string
	for name, values := range a.Header {
		if name != "Date" {
			lines = append(lines, fmt.Sprintf("%s: %q", name, values))
		}
	}
	slices.Sort(lines)
	return fmt.Sprintf("%d\n%s\n\n%s", a.Status, strings.Join(lines, "\n"), a.Body)
}

// Ask sends a request without a session.
func (w *World) Ask(method, path string, body any, headers ...string) Answer {
	w.Helper()
	return Ask(w.TB, w.Base, method, path, body, headers...)
}

// Ask sends a request with this device's token.
func (d *Device) Ask(method, path string, body any, headers ...string) Answer {
	d.t.Helper()
	return Ask(d.t, d.base(), method, path, body, append([]string{"Authorization", "Bearer " + d.token}, headers...)...)
}

// Token is the device's token.
func (d *Device) Token() string { return d.token }
