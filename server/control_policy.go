package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"parley"
	"parley/policy"
)

// ListedRule is one of the organisation's rules as the administrator's list shows
// it.
type ListedRule struct {
	Key     string `json:"key"`
	Label   string `json:"label"`
	Doc     string `json:"doc"`
	Kind    string `json:"kind"`
	Value   string `json:"value"` // in force
	Default string `json:"default"`
	Min     string `json:"min,omitempty"`
	Max     string `json:"max,omitempty"`
	Pending bool   `json:"pending,omitempty"` // this version does not ask for it yet
	Source  string `json:"source"`            // "default", "stored", "configuration"
	Where   string `json:"where,omitempty"`   // with configuration: the place

	Changed *RuleChange `json:"changed,omitempty"` // the newest change at run time
}

// RuleChange says who changed a rule, to what, and when.
type RuleChange struct {
	ID    int64     `json:"id"`
	Key   string    `json:"key"`
	Value string    `json:"value,omitempty"`
	Reset bool      `json:"reset,omitempty"` // it went back to its default
	At    time.Time `json:"at"`
	By    string    `json:"by"` // sign-in address, or how else they came
}

// ruleRequest names a rule, and for a change gives its value.
type ruleRequest struct {
	Key   string `json:"key"`
	Value string `json:"value,omitempty"`
}

// Rules lists the organisation's rules.
func (c *Control) Rules(ctx context.Context) ([]ListedRule, error) {
	var list []ListedRule
	return list, c.ask(ctx, "GET", "/policies", nil, &list)
}

// SetRule gives a rule a value, at once.
func (c *Control) SetRule(ctx context.Context, key, value string) (ListedRule, error) {
	var rule ListedRule
	return rule, c.ask(ctx, "POST", "/policies/set", ruleRequest{key, value}, &rule)
}

// ResetRule gives a rule its default again.
func (c *Control) ResetRule(ctx context.Context, key string) (ListedRule, error) {
	var rule ListedRule
	return rule, c.ask(ctx, "POST", "/policies/reset", ruleRequest{Key: key}, &rule)
}

// RuleHistory lists changes of a rule, or with an empty key of all rules, the
// newest first.
func (c *Control) RuleHistory(ctx context.Context, key string) ([]RuleChange, error) {
	var list []RuleChange
	return list, c.ask(ctx, "GET", "/policies/history?"+url.Values{"key": {key}}.Encode(), nil, &list)
}

func (c *control) listRules(w http.ResponseWriter, r *http.Request) {
	settings, err := c.parts.rules.Settings(commandLine)
	if err != nil {
		c.refuse(w, r.URL.Path, err)
		return
	}
	list := []ListedRule{}
	for _, s := range settings {
		list = append(list, c.listedRule(s))
	}
	writeJSON(w, http.StatusOK, list)
}

// forRule changes the rule that the request names.
func (c *control) forRule(change func(ctx context.Context, request ruleRequest) (policy.Setting, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var request ruleRequest
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody)).Decode(&request)
		if err != nil {
			c.refuse(w, r.URL.Path, parley.RefuseField("policy.unknown", "key"))
			return
		}
		setting, err := change(r.Context(), request)
		if err != nil {
			c.refuse(w, r.URL.Path, err)
			return
		}
		c.log.Info("administrator's command done", "command", r.URL.Path, "rule", setting.Key)
		writeJSON(w, http.StatusOK, c.listedRule(setting))
	}
}

func (c *control) setRule(ctx context.Context, request ruleRequest) (policy.Setting, error) {
	return c.parts.rules.Set(ctx, commandLine, request.Key, request.Value)
}

func (c *control) resetRule(ctx context.Context, request ruleRequest) (policy.Setting, error) {
	return c.parts.rules.Reset(ctx, commandLine, request.Key)
}

func (c *control) ruleHistory(w http.ResponseWriter, r *http.Request) {
	changes, err := c.parts.rules.History(r.Context(), commandLine, r.URL.Query().Get("key"), 0, policy.MaxHistory)
	if err != nil {
		c.refuse(w, r.URL.Path, err)
		return
	}
	list := []RuleChange{}
	for _, change := range changes {
		list = append(list, c.ruleChange(change))
	}
	writeJSON(w, http.StatusOK, list)
}

func (c *control) listedRule(s policy.Setting) ListedRule {
	rule := ListedRule{
		Key: s.Key, Label: s.Label, Doc: s.Doc, Kind: s.Kind.String(), Value: s.Value, Default: s.Default, Min: s.Min, Max: s.Max,
		Pending: s.Pending, Source: s.Origin.String(), Where: s.Where,
	}
	if s.Last.ID != 0 {
		change := c.ruleChange(s.Last)
		rule.Changed = &change
	}
	return rule
}

func (c *control) ruleChange(change policy.Change) RuleChange {
	by := "the command line"
	if change.By.Person != 0 {
		by = change.By.Person.String()
		if person, ok := c.parts.book.Person(change.By.Person); ok {
			by = person.Address
		}
	}
	return RuleChange{ID: change.ID, Key: change.Key, Value: change.Value, Reset: !change.Stands, At: change.At, By: by}
}
