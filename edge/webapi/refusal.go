package webapi

import (
	"github.com/danielgtaylor/huma/v2"
)

func init() {
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError { return &Problem{Status: status} }
}

// Error names the refusal.
func (p *Problem) Error() string { return p.Title }

// GetStatus gives huma the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType gives huma the media type of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }
