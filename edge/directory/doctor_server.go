package directory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// soonExpired is how long before its end a certificate is spoken of.
const soonExpired = 30 * 24 * time.Hour

// server tries one server, up to what it says about itself.
func (e *Examination) server(ctx context.Context, s server) bool {
	e.fine("%s", s.url)
	timed, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	raw, err := e.LDAP.config.Dial(timed, "tcp", s.address)
	if err != nil {
		e.noConnection(s, err)
		return false
	}
	raw.Close()
	e.fine("%s answers.", s.address)
	if s.tls || e.LDAP.config.StartTLS {
		if !e.encryption(ctx, s) {
			return false
		}
	} else {
		e.note("Use ldaps://, or turn ldap.start_tls on.", "The connection is not encrypted.")
	}
	return e.reader(ctx, s)
}

func (e *Examination) noConnection(s server, err error) {
	if name, ok := errors.AsType[*net.DNSError](err); ok && !name.IsTimeout {
		e.fail("Correct the name in ldap.servers, or the resolver of this machine.", "The name %s is not known.", s.host)
		return
	}
	why := "it does not answer within 5 seconds"
	if failed, ok := errors.AsType[*net.OpError](err); ok && !failed.Timeout() {
		why = failed.Err.Error()
		if _, after, ok := strings.Cut(why, ": "); ok { // "connect: connection refused"
			why = after
		}
	}
	e.fail("See that the server runs, that the port is right (389 for ldap://, 636 for ldaps://), and that no firewall stands between.",
		"No connection to %s: %s.", s.address, why)
}

// encryption tries TLS, and says of a certificate that is not believed what it is.
func (e *Examination) encryption(ctx context.Context, s server) bool {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	raw, err := e.LDAP.config.Dial(ctx, "tcp", s.address)
	if err != nil {
		e.noConnection(s, err)
		return false
	}
	conn, err := e.LDAP.encrypt(ctx, s, raw)
	if err == nil {
		defer conn.Close()
		state := conn.(*tls.Conn).ConnectionState()
		leaf := state.PeerCertificates[0]
		e.fine("%s; the certificate is good until %s.", tls.VersionName(state.Version), until(leaf.NotAfter))
		if time.Until(leaf.NotAfter) < soonExpired {
			e.note("Renew it in time.", "The certificate ends soon.")
		}
		return true
	}
	e.noTLS(s, err, e.presented(s))
	return false
}

func (e *Examination) noTLS(s server, err error, shown *x509.Certificate) {
	of := ""
	if shown != nil {
		of = fmt.Sprintf(" It is for %s, was signed by %q, and is good until %s.", strings.Join(names(shown), ", "), shown.Issuer.String(), until(shown.NotAfter))
	}
	_, host := errors.AsType[x509.HostnameError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	_, notTLS := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case errors.Is(err, ErrNoStartTLS):
		e.fail("Give the server a certificate, or use ldaps://.", "The server does not encrypt the connection when it is asked to (StartTLS).")
	case host:
		e.fail("Use a name of the certificate in ldap.servers, or give the server a certificate for "+s.host+".", "The certificate is not for %s.%s", s.host, of)
	case authority:
		e.fail("Give the certificate of the authority that signed it in ldap.ca.", "The certificate is signed by an authority that is not believed.%s", of)
	case isInvalid && invalid.Reason == x509.Expired:
		e.fail("Renew the server's certificate, or see that the clocks are right.", "The certificate is not valid at this time.%s", of)
	case notTLS:
		e.fail("Use ldap:// for port 389, with ldap.start_tls, and ldaps:// for port 636.", "The server does not speak TLS at this port.")
	default:
		e.fail("", "TLS: %v.%s", err, of)
	}
}

// presented is the certificate that a server shows, believed or not. Nothing is
// sent to it.
func (e *Examination) presented(s server) *x509.Certificate {
	ctx, cancel := context.WithTimeout(context.Background(), connectTime)
	defer cancel()
	raw, err := e.LDAP.config.Dial(ctx, "tcp", s.address)
	if err != nil {
		return nil
	}
	defer raw.Close()
	if !s.tls && startTLS(ctx, raw) != nil {
		return nil
	}
	conn := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}) // only to tell the operator what it is
	if conn.HandshakeContext(ctx) != nil {
		return nil
	}
	return conn.ConnectionState().PeerCertificates[0]
}

// names are those that a certificate is for.
func names(c *x509.Certificate) []string {
	list := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		list = append(list, ip.String())
	}
	if len(list) == 0 {
		list = []string{"no host at all"}
	}
	return list
}

// reader tries the account that the directory is read with.
func (e *Examination) reader(ctx context.Context, s server) bool {
	conn, root, err := e.LDAP.dialReader(ctx, s)
	if err != nil {
		e.noReader(err)
		return false
	}
	defer conn.Close()
	if e.LDAP.config.BindDN == "" {
		e.note("Most directories show more to an account: ldap.bind_dn and ldap.bind_password.", "The directory is read without an account.")
	} else {
		e.fine("The account %s signs in.", e.LDAP.config.BindDN)
	}
	text := map[Kind]string{KindAD: "Active Directory", KindOpenLDAP: "OpenLDAP", KindOther: "another LDAP directory"}[root.Kind]
	e.fine("The directory is %s, below %s.", text, strings.Join(contexts(root), " and "))
	if !root.Supports(ldap.ControlTypePaging) {
		e.note("", "The server cannot give answers in pages.")
	}
	return true
}

func (e *Examination) noReader(err error) {
	if errors.Is(err, ErrPlaintext) {
		e.fail("Use ldaps://, turn ldap.start_tls on, or allow it by ldap.plaintext.", "The connection is not encrypted, so the account's password is not sent.")
		return
	}
	answer, ok := errors.AsType[*ldap.Error](err)
	if !ok {
		e.fail("", "%v.", err)
		return
	}
	switch answer.ResultCode {
	case ldap.LDAPResultInvalidCredentials:
		why := "The account of ldap.bind_dn does not exist, or ldap.bind_password is wrong."
		if outcome, err := judge(nil, answer); err == nil && outcome != Wrong {
			why = "The account of ldap.bind_dn: " + outcomeTexts[outcome] + "."
		}
		e.fail("Correct ldap.bind_dn and ldap.bind_password; try them with ldapwhoami or ldapsearch.", "%s", why)
	case ldap.LDAPResultInvalidDNSyntax:
		e.fail("Give the account's DN, or in Active Directory its userPrincipalName.", "The server takes %s for no DN.", e.LDAP.config.BindDN)
	case ldap.LDAPResultConfidentialityRequired, ldap.LDAPResultStrongAuthRequired:
		e.fail("Use ldaps://, or turn ldap.start_tls on.", "The server wants an encrypted connection.")
	default:
		e.fail("", "%v.", err)
	}
}
