package webapi

import (
	"context"

	"parley"
	"parley/privacy"
)

// Settings are what a person sets up at a desk, and sees everywhere.
type Settings struct {
	Pictures PictureSettings `json:"pictures"`
	Phones   []Phone         `json:"phones" doc:"The numbers that the person typed."`
	Password string          `json:"password" enum:"here,directory" doc:"Where the password is kept and changed."`
}

// PictureSettings are a person's switches for pictures.
type PictureSettings struct {
	Share   bool `json:"share" doc:"Others may see the person's picture."`
	Show    bool `json:"show" doc:"The person sees the pictures of others."`
	Allowed bool `json:"allowed" doc:"The administrator allows pictures. Without it nobody sees any."`
}

// SetPicturesRequest turns the switches for pictures. What is not there stays as
// it is.
type SetPicturesRequest struct {
	Share *bool `json:"share,omitempty"`
	Show  *bool `json:"show,omitempty"`
}

// SetPhonesRequest replaces the numbers that a person typed.
type SetPhonesRequest struct {
	Phones []TypedPhone `json:"phones" maxItems:"50" doc:"At most 10."`
}

// TypedPhone is a number that a person types.
type TypedPhone struct {
	Kind   string `json:"kind" enum:"work,mobile,home,other"`
	Number string `json:"number" maxLength:"100" doc:"One that can be dialled from everywhere; without a country code it is one of the region."`
}

func (s *Server) getSettings(_ context.Context, c caller, _ *nothing) (*reply[Settings], error) {
	return s.settingsOf(c.session.Actor)
}

func (s *Server) setPictures(ctx context.Context, c caller, in *bodyOf[SetPicturesRequest]) (*reply[Settings], error) {
	to := privacy.Pictures{Share: in.Body.Share, Show: in.Body.Show}
	if err := s.config.Gate.SetPictures(ctx, c.session.Actor, to); err != nil {
		return nil, err
	}
	return s.settingsOf(c.session.Actor)
}

func (s *Server) setPhones(ctx context.Context, c caller, in *bodyOf[SetPhonesRequest]) (*reply[Settings], error) {
	phones := make([]parley.TypedPhone, len(in.Body.Phones))
	for i, p := range in.Body.Phones {
		phones[i].Kind, _ = parley.ParsePhoneKind(p.Kind) // what is none is refused
		phones[i].Number = p.Number
	}
	if err := s.config.Book.SetPhones(ctx, c.session.Actor, phones); err != nil {
		return nil, err
	}
	return s.settingsOf(c.session.Actor)
}

// settingsOf is what a person has set, for the person.
func (s *Server) settingsOf(actor parley.Actor) (*reply[Settings], error) {
	view, ok := s.view(actor.Person, actor)
	if !ok {
		return nil, parley.ErrWithheld
	}
	preferences := s.config.Gate.Preferences(actor.Person)
	return &reply[Settings]{Settings{
		Pictures: PictureSettings{
			Share: preferences.SharePhoto, Show: preferences.ShowPhotos, Allowed: s.config.Policy.Policy().Pictures,
		},
		Phones:   notNil(s.typedOf(view.Card)),
		Password: s.passwordAt(actor.Person),
	}}, nil
}

// passwordAt says where a person's password is kept and changed.
func (s *Server) passwordAt(person parley.PersonID) string {
	if p, known := s.config.Book.Person(person); known && !s.config.Accounts.PasswordHere(p.Directory) {
		return "directory"
	}
	return "here"
}
