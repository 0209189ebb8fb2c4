// Package server puts the parts together: it reads the configuration, opens the
// store, builds the domain services and the edges around it, and owns their
// goroutines and listeners from start to shutdown.
//
// It decides the order in which parts start and stop, who hears of which event,
// and which address serves what. It never decides what a person may see or do;
// that is for the packages it wires.
package server
