package server

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"parley/server/demo"
	"parley/server/lan"
)

// notice tells whoever started the server how to reach it.
func (s *Server) notice(w io.Writer) error {
	var b strings.Builder
	base := s.URL()
	if s.config.LAN {
		if err := s.lanNotice(&b, isTerminal(w)); err != nil {
			return err
		}
	}
	if s.config.Demo {
		who := demo.SignIn()
		fmt.Fprintf(&b, "\nOpen %s and sign in as\n\n    %s\n    %s\n\nwith the password\n\n    %s\n\n", base, who[0], who[1], demo.Password)
		fmt.Fprintf(&b, "(%s is invented; everybody in it has this password. The data is in %s.)\n", demo.Organisation, s.config.Data)
	} else {
		fmt.Fprintf(&b, "Serving %s at %s\n", s.config.Organisation.Name, base)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("telling how to reach the server: %w", err)
	}
	return nil
}

// lanNotice tells how a phone gets to the page that explains the rest.
func (s *Server) lanNotice(b *strings.Builder, terminal bool) error {
	page := s.lanURL()
	if page == "" {
		b.WriteString("\nThis machine has no address in a private network, so no phone can reach it.\n")
		return nil
	}
	fmt.Fprintf(b, "\nOn a phone in the same network open %s", page)
	if terminal {
		b.WriteString(" or scan\n\n")
		if err := lan.WriteQR(b, page); err != nil {
			return err
		}
	}
	fmt.Fprintf(b, "\nThe certificate has the SHA-256 fingerprint\n%s\n", s.authority.Fingerprint())
	return nil
}

// lanURL is the page for phones, empty when none can reach this machine.
func (s *Server) lanURL() string {
	host, ok := s.lanHost()
	if !ok || s.page == nil {
		return ""
	}
	return "http://" + net.JoinHostPort(host, portOf(s.page.listener)) + "/trust"
}

func (s *Server) lanHost() (string, bool) {
	here, err := lan.Here()
	if err != nil {
		return "", false
	}
	addr, ok := here.Address()
	return addr.String(), ok
}

func portOf(l net.Listener) string {
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return ""
	}
	return port
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
