package webapi

import (
	"context"
	"encoding/base64"
	"net/http"

	"parley"
	"parley/account"
)

// cookieAge is as long as browsers keep a cookie at most. When a session ends is
// decided here, not by the cookie.
const cookieAge = 400 * 24 * 60 * 60

func (s *Server) getAbout(_ context.Context, c caller, _ *nothing) (*reply[About], error) {
	about := *s.about.Load()
	about.Secure = c.secure || c.local
	return &reply[About]{about}, nil
}

func (s *Server) getWellKnown(context.Context, caller, *nothing) (*reply[WellKnown], error) {
	if s.config.URL == "" {
		return nil, parley.ErrWithheld
	}
	return &reply[WellKnown]{WellKnown{Server: s.config.URL}}, nil
}

func (s *Server) discover(ctx context.Context, c caller, in *bodyOf[DiscoverRequest]) (*reply[Discovered], error) {
	domain, err := s.config.Accounts.SignInDomain(in.Body.Address)
	if err != nil {
		return nil, err
	}
	if domain == "" || s.config.Accounts.Served(domain) {
		return &reply[Discovered]{Discovered{Where: "here"}}, nil
	}
	if s.config.Discovery == nil {
		return &reply[Discovered]{Discovered{Where: "unknown"}}, nil
	}
	server, err := s.config.Discovery.FindServer(ctx, domain, c.network)
	switch {
	case err != nil && parley.KindOf(err) == parley.NotFound:
		return &reply[Discovered]{Discovered{Where: "unknown"}}, nil
	case err != nil:
		return nil, parley.Wrap(err, "looking for the server of another domain")
	}
	return &reply[Discovered]{Discovered{Where: "elsewhere", Server: server}}, nil
}

func (s *Server) signIn(ctx context.Context, c caller, in *bodyOf[SignInRequest]) (*sessionOutput, error) {
	class, ok := parley.ParseDeviceClass(in.Body.DeviceClass)
	if !ok {
		return nil, parley.RefuseField("", "device_class")
	}
	session, err := s.config.Accounts.SignIn(ctx, account.SignIn{
		Address: in.Body.Address, Password: parley.Secret(in.Body.Password), Installation: in.Body.Installation,
		DeviceName: in.Body.DeviceName, Class: class, Network: c.network,
	})
	if err != nil {
		return nil, err
	}
	body, err := s.sessionBody(session)
	if err != nil {
		return nil, err
	}
	out := &sessionOutput{Body: body}
	if in.Body.Token {
		out.Body.Token = string(session.Token)
	} else {
		out.SetCookie = []string{tokenCookie(string(session.Token), cookieAge, c.secure)}
	}
	return out, nil
}

func (s *Server) getSession(_ context.Context, c caller, _ *nothing) (*reply[Session], error) {
	body, err := s.sessionBody(c.session)
	if err != nil {
		return nil, err
	}
	return &reply[Session]{body}, nil
}

func (s *Server) signOut(ctx context.Context, c caller, _ *nothing) (*cookieOutput, error) {
	if err := s.config.Accounts.SignOut(ctx, c.session.Actor); err != nil {
		return nil, err
	}
	return &cookieOutput{SetCookie: []string{tokenCookie("", -1, c.secure)}}, nil
}

// sessionBody is a session on the wire, without the token.
func (s *Server) sessionBody(session account.Session) (Session, error) {
	row, ok := s.row(session.Actor.Person, session.Actor)
	if !ok {
		return Session{}, errNoSession
	}
	device := session.Device
	starts := "head"
	if device.Waiting {
		starts = "waiting"
	}
	return Session{
		Person: row, Address: session.Address, Device: device.ID.String(), DeviceClass: device.Class.String(), Expires: stamp(device.Expires),
		AuthMethods: notNil(device.Methods), AuthTime: stamp(device.AuthTime),
		HistoryKey: base64.StdEncoding.EncodeToString(session.HistoryKey),
		Cursor:     s.sealer.seal(device.From), Starts: starts, Epoch: s.sealer.epochName(),
	}, nil
}

// tokenCookie writes the Set-Cookie header. A negative age removes the cookie.
func tokenCookie(token string, age int, secure bool) string {
	c := http.Cookie{
		Name: cookieName(secure), Value: token, Path: "/", MaxAge: age, Secure: secure, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	return c.String()
}

func (s *Server) forgotPassword(_ context.Context, c caller, in *bodyOf[ForgottenRequest]) (*nothing, error) {
	s.config.Accounts.Forgotten(in.Body.Address, c.network)
	return &nothing{}, nil
}

func (s *Server) getInvitation(ctx context.Context, c caller, in *bodyOf[InvitationRequest]) (*reply[Invitation], error) {
	who, err := s.config.Accounts.InvitationFor(ctx, parley.Secret(in.Body.Code), c.network)
	if err != nil {
		return nil, err
	}
	return &reply[Invitation]{Invitation{Address: who.Address, DisplayName: who.DisplayName}}, nil
}

func (s *Server) useInvitation(ctx context.Context, c caller, in *bodyOf[UseInvitationRequest]) (*nothing, error) {
	return done(s.config.Accounts.UseInvitation(ctx, parley.Secret(in.Body.Code), parley.Secret(in.Body.Password), c.network))
}

func (s *Server) changePassword(ctx context.Context, c caller, in *bodyOf[ChangePasswordRequest]) (*nothing, error) {
	current, next := parley.Secret(in.Body.Current), parley.Secret(in.Body.Password)
	return done(s.config.Accounts.ChangePassword(ctx, c.session.Actor, current, next, c.network))
}

func (s *Server) getDevices(ctx context.Context, c caller, _ *nothing) (*reply[Devices], error) {
	devices, err := s.config.Accounts.Devices(ctx, c.session.Actor)
	if err != nil {
		return nil, err
	}
	list := make([]Device, 0, len(devices))
	for _, d := range devices {
		list = append(list, Device{
			ID: d.ID.String(), Name: d.Name, Class: d.Class.String(), Current: d.ID == c.session.Actor.Device,
			Created: stamp(d.Created), LastUsed: stamp(d.LastUsed), Expires: stamp(d.Expires),
		})
	}
	return &reply[Devices]{Devices{Devices: list}}, nil
}

func (s *Server) endDevice(ctx context.Context, c caller, in *deviceInput) (*nothing, error) {
	device, err := parley.ParseDeviceID(in.Device)
	if err != nil {
		return nil, parley.ErrWithheld
	}
	return done(s.config.Accounts.Revoke(ctx, c.session.Actor, device))
}

// done is the answer of an operation that has nothing to say but that it worked.
func done(err error) (*nothing, error) {
	if err != nil {
		return nil, err
	}
	return &nothing{}, nil
}
