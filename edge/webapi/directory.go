package webapi

import (
	"context"

	"parley"
	"parley/contact"
)

// Directory is the synchronisation with the corporate directory, as far as
// administrators ask for it.
type Directory interface {
	// State says how it stands; false: there is no corporate directory.
	State(ctx context.Context) (contact.DirectoryState, bool, error)

	// Size counts the people and the groups that come from it.
	Size() (people, groups int)

	// Sync begins a comparison of everything. With removals as many people who are
	// missing are marked gone as were shown to be.
	Sync(ctx context.Context, by parley.Actor, removals bool) error
}

// DirectoryState is how the synchronisation with the corporate directory stands.
type DirectoryState struct {
	Configured bool   `json:"configured"`
	Kind       string `json:"kind,omitempty" enum:"ad,openldap,other"`
	Server     string `json:"server,omitempty" doc:"The one that answered last."`
	Mode       string `json:"mode,omitempty" enum:"syncrepl,dirsync,poll" doc:"How changes are noticed."`
	People     int    `json:"people"`
	Groups     int    `json:"groups"`

	LastSync     string `json:"last_sync,omitempty" format:"date-time" doc:"When it was last in step. Not there: never."`
	LastFull     string `json:"last_full,omitempty" format:"date-time" doc:"When everything was compared last."`
	FailingSince string `json:"failing_since,omitempty" format:"date-time" doc:"Not there: it works. Until then people and groups stay as they were last known."`

	Problem  string             `json:"problem,omitempty" doc:"Key of a text: what is wrong with the whole."`
	Detail   string             `json:"detail,omitempty" doc:"What the directory itself said."`
	Problems []DirectoryProblem `json:"problems,omitempty" maxItems:"50" doc:"What is wrong with single entries."`
}

// DirectoryProblem is something wrong with one entry of the directory.
type DirectoryProblem struct {
	DN   string `json:"dn"`
	Text string `json:"text"`
}

func (s *Server) getDirectory(ctx context.Context, c caller, _ *nothing) (*reply[DirectoryState], error) {
	if _, err := s.administrator(c); err != nil {
		return nil, err
	}
	if s.config.Directory == nil {
		return &reply[DirectoryState]{}, nil
	}
	state, configured, err := s.config.Directory.State(ctx)
	if err != nil || !configured {
		return &reply[DirectoryState]{}, err
	}
	people, groups := s.config.Directory.Size()
	out := DirectoryState{
		Configured: true, Kind: state.Kind, Server: state.Server, Mode: state.Mode, People: people, Groups: groups,
		LastSync: stamp(state.LastSync), LastFull: stamp(state.LastFull), FailingSince: stamp(state.FailingSince),
		Problem: state.Problem, Detail: state.Detail,
	}
	for _, p := range state.Problems {
		out.Problems = append(out.Problems, DirectoryProblem{DN: p.DN, Text: p.Text})
	}
	return &reply[DirectoryState]{out}, nil
}

func (s *Server) syncDirectory(ctx context.Context, c caller, _ *nothing) (*nothing, error) {
	admin, err := s.administrator(c)
	if err != nil {
		return nil, err
	}
	if s.config.Directory == nil {
		return nil, parley.Refuse(parley.Conflict, "directory.none")
	}
	return &nothing{}, s.config.Directory.Sync(ctx, admin, false)
}
