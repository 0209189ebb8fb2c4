package directory

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Dial connects to the first server that works and binds as the account that the
// directory is read with. The connection is the caller's to close. ctx is for
// dialling only. Each operation may take 10 seconds; who waits for longer, as for
// changes, calls SetTimeout.
func (l *LDAP) Dial(ctx context.Context) (*ldap.Conn, RootDSE, error) {
	conn, root, _, err := l.dialAny(ctx)
	return conn, root, err
}

// dialAny is Dial that says at which server it came out.
func (l *LDAP) dialAny(ctx context.Context) (conn *ldap.Conn, root RootDSE, at server, err error) {
	err = l.try(ctx, func(ctx context.Context, s server) (err error) {
		conn, root, err = l.dialReader(ctx, s)
		at = s
		return err
	})
	return conn, root, at, err
}

// try has work done with one server after the other until it is done. An answer
// of a server, even a refusal, ends it; what counts as failed is a server that
// cannot be reached or breaks off.
func (l *LDAP) try(ctx context.Context, work func(context.Context, server) error) error {
	var problems []error
	for _, s := range l.order(time.Now()) {
		err := work(ctx, s)
		if err == nil {
			l.note(s, nil)
			return nil
		}
		problems = append(problems, fmt.Errorf("%s: %w", s.url, err))
		if ctx.Err() != nil { // whoever asked has left; the server may be fine
			break
		}
		l.note(s, err)
		if isAnswer(err) {
			break
		}
	}
	return errors.Join(problems...)
}

// isAnswer reports whether a server has answered: that it would rather not, or
// that the account is wrong. The other servers would say the same.
func isAnswer(err error) bool {
	if errors.Is(err, ErrPlaintext) {
		return false
	}
	answer, ok := errors.AsType[*ldap.Error](err)
	if !ok {
		return false
	}
	switch answer.ResultCode {
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable, ldap.LDAPResultOther, ldap.LDAPResultOperationsError, ldap.LDAPResultReferral:
		return false
	}
	return answer.ResultCode < ldap.ErrorNetwork // those from there on are of the library itself
}

// dialReader opens a connection that the directory can be read on.
func (l *LDAP) dialReader(ctx context.Context, s server) (*ldap.Conn, RootDSE, error) {
	conn, err := l.open(ctx, s)
	if err != nil {
		return nil, RootDSE{}, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if l.config.BindDN != "" {
		if err := l.mayBind(s); err != nil {
			conn.Close()
			return nil, RootDSE{}, err
		}
		if err := conn.Bind(l.config.BindDN, string(l.config.BindPassword)); err != nil {
			conn.Close()
			return nil, RootDSE{}, fmt.Errorf("binding as the account of the configuration: %w", err)
		}
	}
	root, err := l.readRoot(conn)
	if err != nil {
		conn.Close()
		return nil, RootDSE{}, err
	}
	return conn, root, nil
}

// mayBind says whether a password may be sent to a server.
func (l *LDAP) mayBind(s server) error {
	if s.tls || l.config.StartTLS || l.config.Plaintext || s.local() {
		return nil
	}
	return ErrPlaintext
}

// open connects to a server, with TLS where it is to be.
func (l *LDAP) open(ctx context.Context, s server) (*ldap.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	raw, err := l.config.Dial(ctx, "tcp", s.address)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	encrypted := s.tls || l.config.StartTLS
	if encrypted {
		if raw, err = l.encrypt(ctx, s, raw); err != nil {
			return nil, err
		}
	}
	conn := ldap.NewConn(raw, encrypted)
	conn.SetTimeout(operationTime)
	conn.Start()
	return conn, nil
}

// encrypt puts TLS over a connection, or closes it.
func (l *LDAP) encrypt(ctx context.Context, s server, raw net.Conn) (net.Conn, error) {
	if !s.tls {
		if err := startTLS(ctx, raw); err != nil {
			raw.Close()
			return nil, err
		}
	}
	conn := tls.Client(raw, &tls.Config{ServerName: s.host, RootCAs: l.config.RootCAs, MinVersion: tls.VersionTLS12})
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, fmt.Errorf("beginning TLS: %w", err)
	}
	return conn, nil
}

// oidStartTLS is the extended operation that begins TLS (RFC 4511 §4.14).
const oidStartTLS = "1.3.6.1.4.1.1466.20037"

// maxStartTLS bounds the answer to it, in bytes: whoever is between can still write
// what they like there.
const maxStartTLS = 64 << 10

// ErrNoStartTLS says that a server does not encrypt a connection on demand.
var ErrNoStartTLS = errors.New("the server refuses StartTLS")

// startTLS asks the server to encrypt the connection. It is done before the
// library has the connection, because there errors of TLS lose their kind, and a
// handshake has no end. Nothing is read beyond the one answer: what somebody
// between put behind it would otherwise count as encrypted.
func startTLS(ctx context.Context, conn net.Conn) error {
	deadline, _ := ctx.Deadline() // open has set one
	if err := conn.SetDeadline(deadline); err != nil {
		return fmt.Errorf("asking for TLS: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	request := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationExtendedRequest, nil, "")
	request.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, oidStartTLS, ""))
	message := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	message.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, ""))
	message.AppendChild(request)
	if _, err := conn.Write(message.Bytes()); err != nil {
		return fmt.Errorf("asking for TLS: %w", err)
	}
	answer, err := ber.ReadPacket(io.LimitReader(conn, maxStartTLS))
	if err != nil {
		return fmt.Errorf("asking for TLS: %w", err)
	}
	if err := ldap.GetLDAPError(answer); err != nil {
		return fmt.Errorf("%w: %w", ErrNoStartTLS, err)
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("asking for TLS: %w", err)
	}
	return nil
}
