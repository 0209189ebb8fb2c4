package server

import (
	"net/http"
	"net/http/pprof"
)

// profiles answers with profiles of the running program (metrics.profiles). It
// stands on the address of the metrics alone, which is a loopback address then,
// behind the same guard. What profiles hold are places in the program and counts;
// the command line, which could name files, is not among them.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
