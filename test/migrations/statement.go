package migrations

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Statement is one SQL statement as its words: names and keywords in lower case,
// quoted names as they are inside the quotes, texts as one word that begins with
// an apostrophe, and every other character by itself. Comments are left out.
type Statement struct {
	Line  int // of its first word, from 1
	Words []string
}

// The lines by which goose is told what it cannot see. Only what is between Up and
// Down is run.
const (
	up    = "+goose up"
	down  = "+goose down"
	begin = "+goose statementbegin" // until end, semicolons end nothing
	end   = "+goose statementend"
)

// Parse takes a migration apart into the statements that are run. It understands
// what both databases write: comments, nested ones included, texts with escapes,
// quoted names, and texts in dollars. A text, name or comment without an end is an
// error.
func Parse(text string) ([]Statement, error) {
	p := &parser{text: text, line: 1}
	for p.at < len(p.text) {
		if err := p.step(); err != nil {
			return nil, fmt.Errorf("line %d: %w", p.line, err)
		}
	}
	p.finish()
	return p.found, nil
}

var errNoEnd = errors.New("a text, name or comment has no end")

type parser struct {
	text    string
	at      int // the next byte
	line    int
	running bool // behind Up
	whole   bool // between StatementBegin and StatementEnd
	now     Statement
	found   []Statement
}

// step reads one word, comment or space.
func (p *parser) step() error {
	rest := p.text[p.at:]
	c, size := utf8.DecodeRuneInString(rest)
	switch {
	case strings.HasPrefix(rest, "--"):
		comment, _, _ := strings.Cut(rest, "\n")
		p.take(len(comment))
		p.directive(strings.TrimSpace(strings.TrimPrefix(comment, "--")))
	case strings.HasPrefix(rest, "/*"):
		return p.comment()
	case unicode.IsSpace(c):
		p.take(size)
	case c == ';' && !p.whole:
		p.take(1)
		p.finish()
	case c == '\'':
		return p.quoted('\'', false)
	case (c == 'e' || c == 'E') && strings.HasPrefix(rest[1:], "'"):
		p.take(1)
		return p.quoted('\'', true)
	case c == '"' || c == '`':
		return p.quoted(byte(c), false)
	case c == '[':
		return p.until("]", 1, false)
	case c == '$':
		return p.dollars()
	case letter(c):
		n := strings.IndexFunc(rest, func(r rune) bool { return !letter(r) && !unicode.IsDigit(r) && r != '$' })
		if n < 0 {
			n = len(rest)
		}
		p.word(strings.ToLower(rest[:n]))
		p.take(n)
	default:
		p.word(rest[:size])
		p.take(size)
	}
	return nil
}

func letter(r rune) bool { return unicode.IsLetter(r) || r == '_' }

func (p *parser) word(w string) {
	if len(p.now.Words) == 0 {
		p.now.Line = p.line
	}
	p.now.Words = append(p.now.Words, w)
}

// take moves on by n bytes.
func (p *parser) take(n int) {
	p.line += strings.Count(p.text[p.at:p.at+n], "\n")
	p.at += n
}

// finish ends the statement under way.
func (p *parser) finish() {
	if p.running && len(p.now.Words) > 0 {
		p.found = append(p.found, p.now)
	}
	p.now = Statement{}
}

func (p *parser) directive(comment string) {
	switch strings.ToLower(comment) {
	case up, down:
		p.finish()
		p.running = strings.ToLower(comment) == up
	case begin, end:
		p.finish()
		p.whole = strings.ToLower(comment) == begin
	}
}

// comment passes over a comment, which may hold others.
func (p *parser) comment() error {
	depth := 0
	for rest := p.text[p.at:]; rest != ""; rest = p.text[p.at:] {
		switch {
		case strings.HasPrefix(rest, "/*"):
			depth++
			p.take(2)
		case strings.HasPrefix(rest, "*/"):
			depth--
			p.take(2)
		default:
			p.take(1)
		}
		if depth == 0 {
			return nil
		}
	}
	return errNoEnd
}

// quoted reads a text or a name in quotes, which stand for themselves when doubled,
// and with escapes behind a backslash.
func (p *parser) quoted(quote byte, escapes bool) error {
	rest := p.text[p.at:]
	var inside strings.Builder
	for i := 1; i < len(rest); i++ {
		switch {
		case escapes && rest[i] == '\\' && i+1 < len(rest):
			i++
		case rest[i] == quote && strings.HasPrefix(rest[i+1:], string(quote)):
			i++
		case rest[i] == quote:
			if quote == '\'' {
				p.word("'" + inside.String())
			} else {
				p.word(inside.String())
			}
			p.take(i + 1)
			return nil
		}
		inside.WriteByte(rest[i])
	}
	return errNoEnd
}

// until reads what ends with a mark, skip bytes on, as a name or as a text.
func (p *parser) until(mark string, skip int, text bool) error {
	inside, _, found := strings.Cut(p.text[p.at+skip:], mark)
	if !found {
		return errNoEnd
	}
	if text {
		p.word("'" + inside)
	} else {
		p.word(inside)
	}
	p.take(skip + len(inside) + len(mark))
	return nil
}

// dollars reads a text like $$this$$ or $x$this$x$, or a dollar that is none.
func (p *parser) dollars() error {
	rest := p.text[p.at:]
	n := strings.IndexFunc(rest[1:], func(r rune) bool { return !letter(r) && !unicode.IsDigit(r) })
	if n < 0 || rest[1+n] != '$' {
		p.word("$")
		p.take(1)
		return nil
	}
	mark := rest[:n+2]
	return p.until(mark, len(mark), true)
}
