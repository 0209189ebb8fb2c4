package webapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley"
)

// problemMedia is the media type of RFC 9457.
const problemMedia = "application/problem+json"

func init() {
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, _ string, errs ...error) huma.StatusError { return validationProblem(status, errs) }
}

// Error names the refusal.
func (p *Problem) Error() string { return p.Title + " " + p.Key }

// GetStatus gives huma the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders gives huma the headers of the refusal.
func (p *Problem) GetHeaders() http.Header {
	if p.RetryAfter == 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(p.RetryAfter)}}
}

// ContentType gives huma the media type.
func (p *Problem) ContentType(string) string { return problemMedia }

// problemOf is the one place that turns an error into a refusal on the wire. The
// cause stays behind.
func problemOf(err error) *Problem {
	refusal, ok := errors.AsType[*parley.Error](err)
	switch {
	case ok:
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		refusal = parley.Refuse(parley.Unavailable, "")
	default:
		refusal = parley.Refuse(parley.Internal, "")
	}
	return newProblem(refusal)
}

func newProblem(e *parley.Error) *Problem {
	kind := e.Kind.String()
	p := &Problem{
		Type: "tag:parley,2026:" + kind, Title: kind, Status: statusOf(e.Kind), Key: e.Key, Field: e.Field,
		Retry: retryName(e.Kind.Retry()), RetryAfter: wholeSeconds(e.RetryAfter),
	}
	if p.Key == "" || e.Kind == parley.Internal {
		p.Key = kind
	}
	return p
}

// validationProblem is what huma's own checks of parameters and bodies become.
func validationProblem(status int, errs []error) *Problem {
	switch status {
	case 0: // huma asks for the type
		return &Problem{}
	case http.StatusRequestEntityTooLarge:
		return newProblem(parley.Refuse(parley.TooLarge, ""))
	case http.StatusUnsupportedMediaType, http.StatusNotAcceptable:
		return newProblem(parley.Refuse(parley.Unsupported, ""))
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		p := newProblem(&parley.Error{Kind: parley.Invalid, Field: firstField(errs)})
		p.Status = status
		return p
	default:
		return newProblem(parley.Refuse(parley.Internal, ""))
	}
}

// firstField is the first input that huma finds fault with: "address" for
// "body.address".
func firstField(errs []error) string {
	for _, err := range errs {
		detail, ok := errors.AsType[*huma.ErrorDetail](err)
		if !ok {
			continue
		}
		if _, field, found := strings.Cut(detail.Location, "."); found {
			return field
		}
	}
	return ""
}

func statusOf(kind parley.Kind) int {
	switch kind {
	case parley.Invalid:
		return http.StatusUnprocessableEntity
	case parley.TooLarge:
		return http.StatusRequestEntityTooLarge
	case parley.Unsupported:
		return http.StatusUnsupportedMediaType
	case parley.SignIn:
		return http.StatusUnauthorized
	case parley.Forbidden:
		return http.StatusForbidden
	case parley.NotFound:
		return http.StatusNotFound
	case parley.Conflict:
		return http.StatusConflict
	case parley.TooMany:
		return http.StatusTooManyRequests
	case parley.Unavailable:
		return http.StatusServiceUnavailable
	case parley.Full:
		return http.StatusInsufficientStorage
	default:
		return http.StatusInternalServerError
	}
}

func retryName(r parley.Retry) string {
	switch r {
	case parley.RetryLater:
		return "later"
	case parley.RetryAfterSignIn:
		return "after-sign-in"
	default:
		return "never"
	}
}

// wholeSeconds rounds up: a client that waits that long is not too early.
func wholeSeconds(d time.Duration) int {
	return int((d + time.Second - 1) / time.Second)
}

// faultName describes a panic without what it quotes: that may be something a
// person sent, and the log holds no content. The runtime's own faults (an index,
// a nil pointer) quote nothing.
func faultName(fault any) string {
	if err, ok := fault.(error); ok {
		if own, ok := errors.AsType[runtime.Error](err); ok {
			return own.Error()
		}
	}
	return fmt.Sprintf("%T", fault)
}

// writeProblem answers a request with a refusal.
func writeProblem(w http.ResponseWriter, p *Problem) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemMedia)
	w.WriteHeader(p.Status)
	if err := json.NewEncoder(w).Encode(p); err != nil {
		return // the client has gone
	}
}
