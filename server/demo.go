package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"parley"
	"parley/account"
	"parley/contact"
	"parley/server/demo"
)

// demoMark is a file in the data folder that says that the demo organisation
// lives there, so that invented people never end up among real ones. It holds the
// version that was filled in; before the first filling is complete, nothing.
const demoMark = "demo-organisation"

// IsDemo reports whether a data folder holds the demo organisation.
func IsDemo(data string) bool {
	_, err := os.Stat(filepath.Join(data, demoMark))
	return err == nil
}

// useDemo makes the configuration that of the demo organisation, and marks a
// folder that holds nobody yet.
func (p *parts) useDemo(ctx context.Context) error {
	if IsDemo(p.config.Data) {
		return nil
	}
	for _, err := range p.store.People(ctx) { // the first one tells
		if err != nil {
			return fmt.Errorf("looking who is there: %w", err)
		}
		return fmt.Errorf("the data folder %s holds a real organisation; give --demo another one by --data", p.config.Data)
	}
	return p.markDemo("")
}

func (p *parts) markDemo(version string) error {
	if err := os.WriteFile(filepath.Join(p.config.Data, demoMark), []byte(version), 0o600); err != nil {
		return fmt.Errorf("marking the data folder as the demo's: %w", err)
	}
	return nil
}

// fillDemo takes the demo organisation over as any other directory export, and
// gives everybody the one password. A second start finds everything there.
func (p *parts) fillDemo(ctx context.Context) error {
	filled, err := os.ReadFile(filepath.Join(p.config.Data, demoMark))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking for the demo organisation: %w", err)
	}
	if strings.TrimSpace(string(filled)) == demo.Version() {
		return nil
	}
	if err := p.importDemo(ctx); err != nil {
		return fmt.Errorf("filling in the demo organisation: %w", err)
	}
	for _, address := range demo.Addresses() {
		if err := p.setDemoPassword(ctx, address); err != nil {
			return fmt.Errorf("filling in the demo organisation: %w", err)
		}
	}
	if err := p.fillDemoGroups(ctx); err != nil {
		return fmt.Errorf("filling in the demo organisation: %w", err)
	}
	if err := p.fillDemoPhones(ctx); err != nil {
		return fmt.Errorf("filling in the demo organisation: %w", err)
	}
	return p.markDemo(demo.Version())
}

func (p *parts) importDemo(ctx context.Context) error {
	reader, writer := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := demo.WriteLDIF(writer)
		writer.CloseWithError(err)
		written <- err
	}()
	var problem string
	count, err := p.importPeople(ctx, reader, ImportOptions{Complete: true, Domain: demo.Domain}, func(line importLine) {
		if line.Problem != "" {
			problem = line.Problem
		}
	})
	reader.Close()
	if writeErr := <-written; err == nil && writeErr != nil {
		err = writeErr
	}
	if err == nil && count.Problems > 0 {
		err = errors.New(problem)
	}
	return err
}

// fillDemoGroups takes over the groups of the demo's directory.
func (p *parts) fillDemoGroups(ctx context.Context) error {
	bySource := map[string]string{}
	for _, g := range demo.Groups {
		bySource[g.Name] = g.SourceID()
	}
	changes := make([]contact.GroupChange, len(demo.Groups))
	for i, g := range demo.Groups {
		changes[i] = contact.GroupChange{SourceID: g.SourceID(), Name: g.Name, Mail: g.Mail, Description: g.Description, Listed: true}
		for _, alias := range g.Members {
			if person, known := p.book.ByAddress(demo.Address(alias)); known {
				changes[i].People = append(changes[i].People, person.ID)
			}
		}
		for _, inside := range g.Inside {
			changes[i].GroupSources = append(changes[i].GroupSources, bySource[inside])
		}
	}
	_, err := p.book.ApplyGroups(ctx, changes, parley.Alongside{})
	return err
}

// fillDemoPhones types what members have typed, unless they typed something
// themselves: a visitor may have been one of them.
func (p *parts) fillDemoPhones(ctx context.Context) error {
	for alias, numbers := range demo.Typed {
		person, known := p.book.ByAddress(demo.Address(alias))
		if !known || len(p.book.TypedPhones(person.ID)) > 0 {
			continue
		}
		phones := make([]parley.TypedPhone, len(numbers))
		for i, n := range numbers {
			phones[i].Kind, _ = parley.ParsePhoneKind(n[0])
			phones[i].Number = n[1]
		}
		if err := p.store.SetTypedPhones(ctx, person.ID, phones, parley.Alongside{}); err != nil {
			return err
		}
		if err := p.book.Refresh(ctx, []parley.PersonID{person.ID}); err != nil {
			return err
		}
	}
	return nil
}

// setDemoPassword sets the password that was hashed beforehand, unless the person
// has one: a visitor may have changed it.
func (p *parts) setDemoPassword(ctx context.Context, address string) error {
	who, err := p.identity(ctx, address)
	if err != nil {
		return err
	}
	hash, err := p.store.PasswordHash(ctx, who)
	if err != nil || hash != "" {
		return err
	}
	_, err = p.store.SetPasswordHash(ctx, account.PasswordChange{Person: who, Hash: demo.PasswordHash}, parley.Alongside{})
	return err
}

// demoConfig is the part of the configuration that the demo organisation brings.
func demoConfig(c *Config) {
	c.Organisation = OrganisationConfig{
		Name: demo.Organisation, Domains: []string{demo.Domain}, DefaultDomain: demo.Domain, Region: demo.Region,
	}
}

// lanFolder is where the network's certificate authority lives.
func lanFolder(data string) string { return filepath.Join(data, "lan") }
