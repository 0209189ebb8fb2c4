package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// groups says whether the server serves groups of people, which /api/about tells.
func (t *talk) groups(ctx context.Context) error {
	line, err := t.line(0)
	if err != nil {
		return err
	}
	defer line.Close()
	text, err := line.Do(ctx, "GET", "/api/about", "", nil)
	if err != nil {
		return err
	}
	var about struct {
		Features []string `json:"features"`
	}
	if err := json.Unmarshal(text, &about); err != nil {
		return fmt.Errorf("reading what the server offers: %w", err)
	}
	note := "not served by this server"
	if slices.Contains(about.Features, "groups") {
		note = "served by this server, and newer than this program: not measured"
	}
	t.report.add(Result{Scenario: "messages", Case: "groups of 10", Metrics: map[string]float64{}, Notes: []string{note}})
	return nil
}
