package parley

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the closed list of refusals. An edge maps a kind to its wire once;
// anything that is not an *Error is Internal.
type Kind uint8

// The kinds of refusal, each with what the asker can do about it.
const (
	Internal    Kind = iota // a fault of ours; logged with its cause, shown without it. Retry later
	Invalid                 // the request can never succeed as it stands. Never retry
	TooLarge                // a body, field or list is over its limit. Never retry
	Unsupported             // a content type, feature or protocol version we do not know. Never retry
	SignIn                  // no valid session. Retry after signing in
	Forbidden               // the operator's rules do not allow it to anybody in the asker's position. Never retry
	NotFound                // absent, or withheld: deliberately the same answer. Never retry
	Conflict                // it contradicts what is stored by now. Never retry unchanged
	TooMany                 // a rate or size limit. Retry after RetryAfter
	Unavailable             // something needed is not to be had at the moment (starting, stopping, directory down). Retry later
	Full                    // the server cannot store (disk full, read-only). Retry later; nothing was acknowledged
)

// Retry is the answer to "shall I try again?".
type Retry uint8

// The answers.
const (
	RetryNever Retry = iota
	RetryLater
	RetryAfterSignIn
)

// Retry says whether a refusal of this kind is worth another try.
func (k Kind) Retry() Retry {
	switch k {
	case SignIn:
		return RetryAfterSignIn
	case Internal, TooMany, Unavailable, Full:
		return RetryLater
	default:
		return RetryNever
	}
}

// String gives the stable name of the kind, which is also what crosses the wire.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case TooLarge:
		return "too-large"
	case Unsupported:
		return "unsupported"
	case SignIn:
		return "sign-in"
	case Forbidden:
		return "forbidden"
	case NotFound:
		return "not-found"
	case Conflict:
		return "conflict"
	case TooMany:
		return "too-many"
	case Unavailable:
		return "unavailable"
	case Full:
		return "full"
	default:
		return "internal"
	}
}

// Error is a refusal. Key is a text key of the app's catalogue ("message.empty"),
// never English; Field names the offending input where there is one. Err is the
// cause for the log and never reaches the asker.
type Error struct {
	Kind       Kind
	Key        string
	Field      string
	RetryAfter time.Duration // with TooMany, Unavailable and Full; 0 means "the client's own back-off"
	Err        error
}

// Error describes the refusal for a log.
func (e *Error) Error() string {
	s := e.Kind.String()
	if e.Key != "" {
		s += ": " + e.Key
	}
	if e.Field != "" {
		s += " (" + e.Field + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Refuse makes a refusal of the given kind with a text key.
func Refuse(kind Kind, key string) *Error { return &Error{Kind: kind, Key: key} }

// RefuseField makes an Invalid refusal that names the offending field.
func RefuseField(key, field string) *Error { return &Error{Kind: Invalid, Key: key, Field: field} }

// KindOf returns the kind of err: Internal for an error that is no *Error.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// ErrWithheld is the one answer to a question about something that does not
// exist or that the asker may not know of. Both paths return this very value, so
// that no caller can make a difference of it.
var ErrWithheld error = &Error{Kind: NotFound, Key: "not-found"}

// Wrap adds what was being done to err, keeping its kind.
func Wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
