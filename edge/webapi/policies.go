package webapi

import (
	"context"
	"strconv"

	"parley"
	"parley/policy"
)

// Policies are the organisation's rules, in the order of the administrator's page.
type Policies struct {
	Policies []Policy `json:"policies"`
}

// Policy is a rule with its value. Values are texts, as the configuration file
// writes them: "true", "30d", "25", "title,company".
type Policy struct {
	Key     string   `json:"key"`
	Kind    string   `json:"kind" enum:"switch,number,duration,attributes"`
	Label   string   `json:"label"`
	Doc     string   `json:"doc" doc:"What the rule does."`
	Value   string   `json:"value" doc:"In force."`
	Default string   `json:"default"`
	Min     string   `json:"min,omitempty" doc:"Of a number and a duration."`
	Max     string   `json:"max,omitempty" doc:"Of a number and a duration."`
	Choices []string `json:"choices,omitempty" doc:"Of attributes: those there are."`
	Pending bool     `json:"pending,omitempty" doc:"This version does not ask for the rule yet."`

	Source string `json:"source" enum:"default,stored,configuration" doc:"Where the value comes from. With configuration it is locked."`
	Where  string `json:"where,omitempty" doc:"With configuration: the file and line, or the variable."`

	Changed *PolicyChange `json:"changed,omitempty" doc:"The newest change while the server ran, which the configuration may overrule."`
}

// PolicyChange says who changed a rule, to what, and when.
type PolicyChange struct {
	ID     string `json:"id"`
	Key    string `json:"key"`
	Value  string `json:"value,omitempty"`
	Reset  bool   `json:"reset,omitempty" doc:"The rule went back to its default."`
	At     string `json:"at" format:"date-time"`
	By     string `json:"by,omitempty" doc:"The person; not there: somebody at the command line."`
	ByName string `json:"by_name,omitempty" doc:"Not there any more when the person has left."`
}

// PolicyHistory are changes of rules, the newest first.
type PolicyHistory struct {
	Changes []PolicyChange `json:"changes"`
	More    bool           `json:"more" doc:"There may be older ones."`
}

// SetPolicyRequest gives a rule a value.
type SetPolicyRequest struct {
	Value string `json:"value" maxLength:"1000"`
}

// administrator gives the actor as which a caller acts in the administrator's
// pages. They are withheld from everybody else, whoever it is.
func (s *Server) administrator(c caller) (parley.Actor, error) {
	switch {
	case c.refused != nil || s.config.Rules == nil:
		return parley.Actor{}, parley.ErrWithheld
	case c.session.Actor.Kind == parley.ActorAdmin:
		return c.session.Actor, nil
	default:
		return s.config.Accounts.Administrator(c.session)
	}
}

func (s *Server) getPolicies(_ context.Context, c caller, _ *nothing) (*reply[Policies], error) {
	admin, err := s.administrator(c)
	if err != nil {
		return nil, err
	}
	settings, err := s.config.Rules.Settings(admin)
	if err != nil {
		return nil, err
	}
	list := make([]Policy, 0, len(settings))
	for _, setting := range settings {
		list = append(list, s.policyOf(setting, admin))
	}
	return &reply[Policies]{Policies{Policies: list}}, nil
}

func (s *Server) setPolicy(ctx context.Context, c caller, in *setPolicyInput) (*reply[Policy], error) {
	admin, err := s.administrator(c)
	if err != nil {
		return nil, err
	}
	setting, err := s.config.Rules.Set(ctx, admin, in.Key, in.Body.Value)
	if err != nil {
		return nil, err
	}
	return &reply[Policy]{s.policyOf(setting, admin)}, nil
}

func (s *Server) resetPolicy(ctx context.Context, c caller, in *policyInput) (*reply[Policy], error) {
	admin, err := s.administrator(c)
	if err != nil {
		return nil, err
	}
	setting, err := s.config.Rules.Reset(ctx, admin, in.Key)
	if err != nil {
		return nil, err
	}
	return &reply[Policy]{s.policyOf(setting, admin)}, nil
}

func (s *Server) getPolicyHistory(ctx context.Context, c caller, in *historyInput) (*reply[PolicyHistory], error) {
	admin, err := s.administrator(c)
	if err != nil {
		return nil, err
	}
	var before int64
	if in.Before != "" {
		if before, err = strconv.ParseInt(in.Before, 10, 64); err != nil || before < 1 {
			return nil, parley.RefuseField("", "before")
		}
	}
	changes, err := s.config.Rules.History(ctx, admin, in.Key, before, in.Limit)
	if err != nil {
		return nil, err
	}
	list := make([]PolicyChange, 0, len(changes))
	for _, change := range changes {
		list = append(list, s.policyChange(change, admin))
	}
	return &reply[PolicyHistory]{PolicyHistory{Changes: list, More: len(list) == in.Limit}}, nil
}

func (s *Server) policyOf(setting policy.Setting, admin parley.Actor) Policy {
	p := Policy{
		Key: setting.Key, Kind: setting.Kind.String(), Label: setting.Label, Doc: setting.Doc, Value: setting.Value, Default: setting.Default,
		Min: setting.Min, Max: setting.Max, Pending: setting.Pending, Source: setting.Origin.String(), Where: setting.Where,
	}
	if setting.Kind == policy.AttributeKeys {
		p.Choices = policy.Attributes().Names()
	}
	if setting.Last.ID != 0 {
		change := s.policyChange(setting.Last, admin)
		p.Changed = &change
	}
	return p
}

func (s *Server) policyChange(change policy.Change, admin parley.Actor) PolicyChange {
	c := PolicyChange{
		ID: strconv.FormatInt(change.ID, 10), Key: change.Key, Value: change.Value, Reset: !change.Stands, At: stamp(change.At),
	}
	if change.By.Person != 0 {
		c.By = change.By.Person.String()
		if row, ok := s.row(change.By.Person, admin); ok {
			c.ByName = row.DisplayName
		}
	}
	return c
}
