package supplement_test

import (
	"testing"

	"parley/egress"
	"parley/supplement"
)

// Whatever the server opens connections for is declared: the purposes of package
// egress, the exceptions among them.
func TestOutboundPurposesAreDeclared(t *testing.T) {
	found := reality{}
	for _, d := range egress.Declared() {
		found[string(d.Purpose)] = "egress/purpose.go"
	}
	compare(t, supplement.Outbound, found, `{Outbound, TO WHOM, names("NAME")}`)
}
