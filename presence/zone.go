package presence

import (
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the same zones on every host, also on one without any
)

// maxZoneName is longer than any name in the IANA database.
const maxZoneName = 64

// zones tells real time zones from what a client makes up: a name that is none
// would end up in other people's browsers.
type zones struct {
	mu   sync.RWMutex
	good map[string]bool // holds real names only, so it cannot grow without bound
}

// known gives the name back if it is a time zone of the IANA database, else "".
func (z *zones) known(name string) string {
	if name == "" || len(name) > maxZoneName || name == "Local" {
		return ""
	}
	z.mu.RLock()
	good := z.good[name]
	z.mu.RUnlock()
	if good {
		return name
	}
	if _, err := time.LoadLocation(name); err != nil {
		return ""
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.good == nil {
		z.good = make(map[string]bool)
	}
	name = strings.Clone(name)
	z.good[name] = true
	return name
}
