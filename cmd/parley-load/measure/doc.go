// Package measure holds what a load test is judged by: latencies, what was lost
// or doubled, the even pace at which load is offered, and what the processes
// used.
//
// It knows no protocol. Times are read from the monotonic clock; what a server
// used is read from /proc, so it works on Linux only.
package measure
