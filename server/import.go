package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"parley"
	"parley/contact"
	"parley/edge/directory"
)

// progressEvery is after how many people an import tells how far it is.
const progressEvery = 1000

// errImporting refuses a second import beside the first.
var errImporting = errors.New("another import is under way")

// imported is one import under way.
type imported struct {
	count ImportCount
	byDN  int // people without a lasting id
	tell  func(importLine)
}

// importPeople takes an LDIF export over into the directory. tell is called with
// every problem and now and then with the counts, from this goroutine.
func (p *parts) importPeople(ctx context.Context, export io.Reader, o ImportOptions, tell func(importLine)) (ImportCount, error) {
	if !p.importing.TryLock() {
		return ImportCount{}, errImporting
	}
	defer p.importing.Unlock()
	domain := o.Domain
	if domain == "" {
		domain = p.config.Organisation.DefaultDomain
	}
	im := &imported{tell: tell}
	importer := &contact.Importer{Book: p.book, Photo: importedPhoto, Problem: im.contactProblem}
	if p.follower != nil { // which would take its people back
		importer.Leaves = func(directory string) bool { return directory == parley.LDAP }
	}
	records := im.records(directory.People(export, directory.DefaultMapping(domain)))
	report, err := importer.Import(ctx, commandLine, records, o.Complete)
	if err != nil {
		return im.count, fmt.Errorf("importing people: %w", err)
	}
	if im.byDN > 0 {
		tell(importLine{Problem: fmt.Sprintf("%d people have neither entryUUID nor objectGUID and are known by their DN: "+
			"whoever is renamed counts as new. Export the operational attributes too", im.byDN)})
	}
	if report.UnknownManagers > 0 {
		tell(importLine{Problem: fmt.Sprintf("%d people have a manager who is not in the export", report.UnknownManagers)})
	}
	im.count.Added, im.count.Changed, im.count.Unchanged = report.Added, report.Changed, report.Unchanged
	im.count.Left, im.count.Skipped = report.Gone, report.Skipped
	return im.count, nil
}

// records turns what the edge read into what contact takes.
func (im *imported) records(entries iter.Seq2[directory.Entry, error]) iter.Seq2[contact.Record, error] {
	return func(yield func(contact.Record, error) bool) {
		for entry, err := range entries {
			if bad, one := errors.AsType[*directory.RecordError](err); one {
				err = &contact.BadRecord{Err: bad}
			} else if err == nil {
				im.read(&entry)
			}
			record := contact.Record{Person: entry.Person, Line: entry.Line, DN: entry.DN, ManagerDN: entry.ManagerDN, Photo: entry.Photo}
			if !yield(record, err) {
				return
			}
		}
	}
}

// read notes a record and passes its warnings on.
func (im *imported) read(entry *directory.Entry) {
	for _, warning := range entry.Warnings {
		im.problem(warning.Error())
	}
	if entry.SourceIsDN {
		im.byDN++
	}
	im.count.Read++
	if im.count.Read%progressEvery == 0 {
		so := im.count
		im.tell(importLine{Progress: &so})
	}
}

func (im *imported) problem(text string) {
	im.count.Problems++
	im.tell(importLine{Problem: text})
}

// contactProblem tells of a record that contact could not use, by its line.
func (im *imported) contactProblem(problem contact.Problem) {
	if problem.Line == 0 {
		im.problem(problem.Err.Error())
		return
	}
	im.problem((&directory.RecordError{Line: problem.Line, DN: problem.DN, Err: problem.Err}).Error())
}

func importedPhoto(raw []byte) (contact.Photo, error) {
	small, large, version, err := directory.Photo(raw)
	return contact.Photo{Small: small, Large: large, Version: version}, err
}
