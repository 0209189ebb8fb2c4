package server

import (
	"strings"

	"parley/policy"
)

// Reread reads the configuration again and takes over what can change while the
// server runs. What cannot stays as it is, and the log says which setting needs a
// restart. A configuration that is wrong changes nothing, and the log says why.
func (s *Server) Reread(read func() (Config, Problems)) {
	next, problems := read()
	for _, p := range problems {
		if p.Warning {
			s.log.Warn("the configuration may be wrong", "where", p.Where, "key", p.Key, "problem", p.Text)
		} else {
			s.log.Error("the configuration is wrong and was not taken over", "where", p.Where, "key", p.Key, "problem", p.Text)
		}
	}
	if problems.Fatal() {
		return
	}
	if next.Demo {
		demoConfig(&next)
	}
	s.reloading.Lock()
	defer s.reloading.Unlock()
	s.keepFixed(&next)
	s.current = next
	s.apply(&next)
	s.log.Info("configuration read again")
}

// keepFixed puts the former value of every setting that cannot change into next,
// and says what changes and what does not.
func (s *Server) keepFixed(next *Config) {
	certificate := s.encryption.files != nil && next.TLS.Mode == TLSFiles
	former := leavesOf(&s.current)
	for _, l := range orderedLeaves(next) {
		was := former[l.key]
		switch {
		case was.text() == l.text():
		case s.changeable(l.key, certificate):
			s.log.Info("setting changed", "key", l.key)
		default:
			s.log.Warn("restart needed", "key", l.key)
			l.value.Set(was.value)
		}
	}
}

// changeable reports whether a setting takes effect while the server runs.
func (s *Server) changeable(key string, certificate bool) bool {
	if _, isRule := policy.Lookup(key); isRule {
		return true
	}
	switch key {
	case "administrators", "organisation.name", "ldap.password_url":
		return true
	case "log.level":
		return s.config.Level != nil
	case "tls.cert", "tls.key":
		return certificate
	}
	return strings.HasPrefix(key, "limits.") || strings.HasPrefix(key, "operator.")
}

// apply makes what can change so.
func (s *Server) apply(c *Config) {
	p := s.parts
	p.accounts.SetLimits(c.Limits.account(), c.Limits.PasswordChecks)
	p.accounts.SetAdministrators(c.Administrators)
	s.discovery.SetLookups(c.Limits.Lookups)
	s.edge.SetLimits(c.Limits.edge())
	s.edge.SetAbout(c.about())
	if s.config.Level != nil {
		s.config.Level.Set(c.Log.level())
	}
	if s.encryption.files != nil {
		if err := s.encryption.files.use(c.TLS.Cert, c.TLS.Key); err != nil {
			s.log.Error("the certificate could not be read; the former one stays in use", "error", err)
		}
	}
	p.rules.Configure(c.rules()) // last: it tells people
}
