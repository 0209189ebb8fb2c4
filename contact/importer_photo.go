package contact

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"

	"parley"
)

// photoMaking is part of what photoSource hashes. Another one makes every photo
// again: change it when Importer.Photo gives other pictures for the same input.
const photoMaking = "parley photo 1\n"

// photoSource is the Photo.Source of a directory's photo.
func photoSource(raw []byte) uint64 {
	h := sha256.New()
	h.Write([]byte(photoMaking))
	h.Write(raw)
	return max(binary.BigEndian.Uint64(h.Sum(nil)), 1)
}

// picture sets the photos of the chunk. One that is as it was is neither decoded
// nor stored again.
func (r *importRun) picture(ctx context.Context, changes []Change) error {
	var known []parley.PersonID
	for i, rec := range r.taken {
		if len(rec.Photo) > 0 && changes[i].Person.ID != 0 {
			known = append(known, changes[i].Person.ID)
		}
	}
	var sources map[parley.PersonID]uint64
	if len(known) > 0 {
		var err error
		if sources, err = r.Book.store.PhotoSources(ctx, known); err != nil {
			return fmt.Errorf("looking for photos that are as they were: %w", err)
		}
	}
	failures := make([]error, len(changes))
	var making sync.WaitGroup
	slots := make(chan struct{}, max(1, runtime.GOMAXPROCS(0)))
	for i, rec := range r.taken {
		if len(rec.Photo) == 0 {
			continue
		}
		c, source := &changes[i], photoSource(rec.Photo)
		if sources[c.Person.ID] == source {
			c.KeepPhoto = true
			continue
		}
		slots <- struct{}{}
		making.Go(func() {
			defer func() { <-slots }()
			failures[i] = r.makePhoto(c, rec.Photo, source)
		})
	}
	making.Wait()
	for i, err := range failures {
		if err != nil {
			r.problem(&r.taken[i], fmt.Errorf("photo left out: %w", err))
		}
	}
	return nil
}

func (r *importRun) makePhoto(c *Change, raw []byte, source uint64) error {
	photo, err := r.Photo(raw)
	if err != nil {
		c.KeepPhoto = true
		return err
	}
	photo.Source = source
	c.Photo, c.KeepPhoto = &photo, false
	return nil
}
