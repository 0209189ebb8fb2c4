package webapi

import (
	"context"
)

type Server struct{}
type caller struct{}

func answer[I, O any](ctx context.Context, s *Server, who access, in *I, h handler[I, O]) (*O, error) {
	return h(ctx, caller{}, in)
}
func (s *Server) getAbout(context.Context, caller, *nothing) (*reply[About], error) { return nil, nil }
func (s *Server) discover(context.Context, caller, *bodyOf[DiscoverRequest]) (*reply[Discovered], error) {
	return nil, nil
}
func (s *Server) signIn(context.Context, caller, *bodyOf[SignInRequest]) (*sessionOutput, error) {
	return nil, nil
}
func (s *Server) getSession(context.Context, caller, *nothing) (*reply[Session], error) {
	return nil, nil
}
func (s *Server) signOut(context.Context, caller, *nothing) (*cookieOutput, error) { return nil, nil }
func (s *Server) forgotPassword(context.Context, caller, *bodyOf[ForgottenRequest]) (*nothing, error) {
	return nil, nil
}
func (s *Server) getInvitation(context.Context, caller, *bodyOf[InvitationRequest]) (*reply[Invitation], error) {
	return nil, nil
}
func (s *Server) useInvitation(context.Context, caller, *bodyOf[UseInvitationRequest]) (*nothing, error) {
	return nil, nil
}
func (s *Server) changePassword(context.Context, caller, *bodyOf[ChangePasswordRequest]) (*nothing, error) {
	return nil, nil
}
func (s *Server) setPresence(context.Context, caller, *bodyOf[SetPresenceRequest]) (*reply[Presence], error) {
	return nil, nil
}
func (s *Server) setNote(context.Context, caller, *bodyOf[SetNoteRequest]) (*reply[Presence], error) {
	return nil, nil
}
func (s *Server) searchPeople(context.Context, caller, *searchInput) (*reply[PeopleFound], error) {
	return nil, nil
}
func (s *Server) getCard(context.Context, caller, *whoInput) (*reply[Card], error) { return nil, nil }
func (s *Server) getPhoto(context.Context, caller, *photoInput) (*photoOutput, error) {
	return nil, nil
}
func (s *Server) getContacts(context.Context, caller, *nothing) (*reply[Groups], error) {
	return nil, nil
}
func (s *Server) getDevices(context.Context, caller, *nothing) (*reply[Devices], error) {
	return nil, nil
}
func (s *Server) endDevice(context.Context, caller, *deviceInput) (*nothing, error) { return nil, nil }
func (s *Server) sync(context.Context, caller, *syncInput) (*reply[Synced], error)  { return nil, nil }
func (s *Server) getMarks(context.Context, caller, *afterInput) (*reply[Marks], error) {
	return nil, nil
}
func (s *Server) getWellKnown(context.Context, caller, *nothing) (*reply[WellKnown], error) {
	return nil, nil
}
