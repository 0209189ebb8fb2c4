package main

import (
	"slices"
	"sync"
)

// connection is what both kinds of client have in common.
type connection interface {
	Run()                   // reads until the end
	Ended() <-chan struct{} // closed when Run has returned
	Err() error             // why the server ended it; nil when Close did
	Close()
}

// connections are those of a crowd, each with a goroutine that reads.
type connections struct {
	mu      sync.Mutex
	open    []connection
	readers sync.WaitGroup
}

// add starts reading from a connection.
func (k *connections) add(c connection) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.open = append(k.open, c)
	k.readers.Go(c.Run)
}

// all gives the connections of this moment.
func (k *connections) all() []connection {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.open)
}

// whole reports why one was cut off by the server, if one was.
func (k *connections) whole() error {
	for _, c := range k.all() {
		select {
		case <-c.Ended():
			if err := c.Err(); err != nil {
				return err
			}
		default:
		}
	}
	return nil
}

// close ends them all and waits for the readers.
func (k *connections) close() {
	k.mu.Lock()
	open := k.open
	k.open = nil
	k.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
	k.readers.Wait()
}
