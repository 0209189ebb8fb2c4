package directory

import (
	"errors"
	"fmt"
	"log/slog"
)

// What can be wrong with a record. None of these texts holds a value of the
// record, so they may be logged.
var (
	ErrSyntax      = errors.New("not an LDIF line")
	ErrVersion     = errors.New("LDIF version is not 1")
	ErrNoDN        = errors.New("record does not begin with a dn")
	ErrDN          = errors.New("not a distinguished name (RFC 4514)")
	ErrChange      = errors.New("change record: only changetype add can be imported")
	ErrByURL       = errors.New("value given by URL is never fetched")
	ErrBase64      = errors.New("not base64")
	ErrNotUTF8     = errors.New("not UTF-8")
	ErrTooLong     = errors.New("value too long; left out")
	ErrTooMany     = errors.New("too many values in one record")
	ErrIncomplete  = errors.New("the search that wrote the export failed, so people may be missing")
	ErrNoClass     = errors.New("record has no objectClass, so nothing says whether it is a person")
	ErrSourceID    = errors.New("not a UUID")
	ErrNoAddress   = errors.New("nothing to make a sign-in address of")
	ErrAddressForm = errors.New("not an address; left out")
	ErrNotNumber   = errors.New("not a number")
)

// RecordError says what is wrong with one record. The reading goes on with the
// next one.
type RecordError struct {
	Line int64  // the offending line, or the record's first; from 1; 0: not from a file
	DN   string // as the directory writes it; empty when it could not be read
	Err  error  // one of the errors above, with the attribute's name where there is one
}

// Error describes the problem to the operator. It names the record's DN, which
// is a personal datum: show it, do not log it.
func (e *RecordError) Error() string {
	switch {
	case e.DN == "":
		return fmt.Sprintf("line %d: %v", e.Line, e.Err)
	case e.Line == 0:
		return fmt.Sprintf("%.200q: %v", e.DN, e.Err)
	default:
		return fmt.Sprintf("line %d: %.200q: %v", e.Line, e.DN, e.Err)
	}
}

// Unwrap returns the cause.
func (e *RecordError) Unwrap() error { return e.Err }

// LogValue leaves the DN out of logs.
func (e *RecordError) LogValue() slog.Value {
	return slog.GroupValue(slog.Int64("line", e.Line), slog.String("problem", e.Err.Error()))
}
