package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Line is one kept HTTP connection, over which one request goes at a time. It
// costs a tenth of what the standard library's client does, which would be most
// of what a load test of small requests measures.
type Line struct {
	addr   string
	from   netip.Addr
	within time.Duration
	conn   net.Conn
	reader *bufio.Reader
	out    []byte
}

// NewLine makes a line to a server on this machine. It connects with the first
// request. A request takes at most within.
func NewLine(addr string, from netip.Addr, within time.Duration) (*Line, error) {
	if err := CheckLoopback(addr); err != nil {
		return nil, err
	}
	return &Line{addr: addr, from: from, within: within}, nil
}

// Refused is an answer other than 2xx.
type Refused struct {
	Status int
	Text   string // the beginning of the answer
}

func (r *Refused) Error() string { return fmt.Sprintf("answered %d %s", r.Status, r.Text) }

// maxAnswer is the most of an answer that is read.
const maxAnswer = 4 << 20

// Do asks and returns the body of the answer. A connection that the server closed
// meanwhile, because it was idle, is opened again once.
func (l *Line) Do(ctx context.Context, method, path, token string, body []byte) ([]byte, error) {
	fresh := l.conn == nil
	answer, err := l.try(ctx, method, path, token, body)
	if _, refused := errors.AsType[*Refused](err); err != nil && !refused {
		l.Close()
		if !fresh && ctx.Err() == nil && hungUp(err) {
			answer, err = l.try(ctx, method, path, token, body)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return answer, nil
}

// hungUp reports whether the other side had closed the connection.
func hungUp(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

func (l *Line) try(ctx context.Context, method, path, token string, body []byte) ([]byte, error) {
	if l.conn == nil {
		conn, err := DialFrom(ctx, l.addr, l.from)
		if err != nil {
			return nil, err
		}
		l.conn, l.reader = conn, bufio.NewReader(conn)
	}
	if err := l.conn.SetDeadline(time.Now().Add(l.within)); err != nil {
		return nil, err
	}
	if _, err := l.conn.Write(l.request(method, path, token, body)); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(l.reader, nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case err != nil:
		return nil, err
	case answer.StatusCode/100 != 2:
		return nil, &Refused{Status: answer.StatusCode, Text: fmt.Sprintf("%.200s", text)}
	}
	if answer.Close {
		l.Close()
	}
	return text, nil
}

func (l *Line) request(method, path, token string, body []byte) []byte {
	b := append(l.out[:0], method...)
	b = append(b, ' ')
	b = append(b, path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, l.addr...)
	if token != "" {
		b = append(b, "\r\nAuthorization: Bearer "...)
		b = append(b, token...)
	}
	if body != nil {
		b = fmt.Appendf(b, "\r\nContent-Type: application/json\r\nContent-Length: %d", len(body))
	}
	b = append(b, "\r\n\r\n"...)
	l.out = append(b, body...)
	return l.out
}

// Close hangs up. The next request connects again.
func (l *Line) Close() {
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
}
