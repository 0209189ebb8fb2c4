package supplement_test

import (
	"cmp"
	"reflect"
	"slices"
	"testing"
	"time"

	"parley"
	"parley/policy"
	"parley/privacy"
	"parley/supplement"
)

// The inventory says who sees a fact about a person, and privacy.Render decides
// it: for every class of viewers the two agree, fact by fact.
func TestAudiencesAreThoseOfTheMatrix(t *testing.T) {
	facts := privacy.Facts{Preferences: privacy.DefaultPreferences}
	fill(t, reflect.ValueOf(&facts.Person).Elem())
	fill(t, reflect.ValueOf(&facts.Presence).Elem())
	facts.Presence.Availability = parley.DoNotDisturb
	facts.Typed = []parley.TypedPhone{{Kind: parley.PhoneWork, Number: "value"}}
	rules := policy.Default()
	declared := supplement.Declared(supplement.Memory)
	places := map[string]string{"Person.Typed": "TypedPhone.Number"} // what is no field of a person
	for class := range privacy.Class(privacy.NumClasses) {
		view := privacy.Render(facts, class, rules)
		for kind, part := range map[string]reflect.Value{"Person": reflect.ValueOf(view.Card), "Presence": reflect.ValueOf(view.Presence)} {
			for field := range part.Type().Fields() {
				name := kind + "." + field.Name
				items := declared[cmp.Or(places[name], name)]
				if len(items) == 0 {
					t.Errorf("%s reaches viewers and is no item of the inventory", name)
					continue
				}
				shown := !part.FieldByIndex(field.Index).IsZero()
				if name == "Presence.Availability" && view.Presence.Availability == parley.Offline {
					shown = false // somebody who is never there
				}
				if sees := slices.Contains(items[0].Seen.Classes(rules), class); sees != shown {
					t.Errorf("%s: the inventory says that %s sees %q: %v, and Render shows it: %v", name, class, items[0].Name, sees, shown)
				}
			}
		}
	}
}

// fill gives every field of a struct a value.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumField() {
		switch field := v.Field(i); field.Interface().(type) {
		case time.Time:
			field.Set(reflect.ValueOf(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)))
		case []string:
			field.Set(reflect.ValueOf([]string{"value"}))
		default:
			switch {
			case field.Kind() == reflect.String:
				field.SetString("value")
			case field.Kind() == reflect.Bool:
				field.SetBool(true)
			case field.CanInt():
				field.SetInt(7)
			case field.CanUint():
				field.SetUint(7)
			default:
				t.Fatalf("no value for a field of type %v", field.Type())
			}
		}
	}
}
