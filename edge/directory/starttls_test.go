package directory

import (
	"bytes"
	"context"
	"net"
	"testing"
	"time"
)

// answering is a connection on which somebody has answered already.
type answering struct {
	net.Conn
	answer *bytes.Reader
}

func (a answering) Read(p []byte) (int, error)  { return a.answer.Read(p) }
func (a answering) Write(p []byte) (int, error) { return len(p), nil }
func (a answering) SetDeadline(time.Time) error { return nil }
func (a answering) Close() error                { return nil }

// granted is the answer of a server that begins TLS.
var granted = []byte{0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00}

// What comes before TLS may come from anybody: it ends nothing but the attempt,
// and nothing behind the one answer is read.
func FuzzStartTLS(f *testing.F) {
	f.Add(granted)
	f.Add([]byte{0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07, 0x0a, 0x01, 0x02, 0x04, 0x00, 0x04, 0x00})
	f.Add([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff})
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		startTLS(ctx, answering{answer: bytes.NewReader(answer)})
	})
}

func TestStartTLSReadsOneAnswer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	rest := bytes.NewReader(append(bytes.Clone(granted), "put behind by somebody between"...))
	if err := startTLS(ctx, answering{answer: rest}); err != nil || rest.Len() != len("put behind by somebody between") {
		t.Errorf("%v, %d bytes are left", err, rest.Len())
	}
	refused := bytes.Clone(granted)
	refused[9] = 2
	if err := startTLS(ctx, answering{answer: bytes.NewReader(refused)}); err == nil {
		t.Error("a refusal counts as granted")
	}
}
