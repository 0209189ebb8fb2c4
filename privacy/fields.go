package privacy

import "parley/policy"

// Fields is a set of rows of the matrix (PRODUCT §2).
type Fields uint32

// The rows. Those from Calendar on have nothing to show before there is a
// calendar; they stand here so that the matrix is in one place.
const (
	Name        Fields = 1 << iota // display name, given name, surname
	Address                        // sign-in address and primary mail
	OtherMail                      // further mail and SIP addresses
	Title                          //
	Company                        //
	Department                     //
	Office                         //
	WorkPhone                      //
	Manager                        // the manager, and being among somebody's reports
	Alias                          //
	Mobile                         //
	HomePhone                      //
	OtherPhones                    //
	Photo                          //
	Colour                         // the presence state, reduced to the colour of its range
	State                          // the presence state in full
	Since                          // since and until when, source, last active
	Notes                          // personal and out-of-office note
	Place                          // time zone, device kind
	Urgent                         // a Do Not Disturb shows as "urgent interruptions only"
	Calendar                       // free/busy and working hours
	Meetings                       // subject and place of meetings

	allFields = 1<<iota - 1
)

const (
	identity = Name | Address
	phones   = WorkPhone | Mobile | HomePhone | OtherPhones

	// directory are the rows whose values come from the directory. Outside people
	// get of these what the External column says, whatever their level.
	directory = identity | OtherMail | Title | Company | Department | Office | Manager | Alias | phones | Photo
)

// columns is the matrix: what each level sees. Blocked has no column: it sees
// what its twin sees.
var columns = func() (m [numLevels]Fields) {
	m[External] = identity | Title | Company | Department | Photo | Colour
	m[Colleagues] = m[External]&^Colour | OtherMail | Office | WorkPhone | Manager | Alias |
		State | Since | Notes | Place | Calendar
	m[Workgroup] = m[Colleagues] | Mobile | Urgent | Meetings
	m[Friends] = m[Colleagues] | Mobile | HomePhone | OtherPhones
	return m
}()

// starred pairs the rows that the operator can make public inside with the
// attributes that do so.
var starred = [...]struct {
	attribute policy.AttributeSet
	field     Fields
}{
	{policy.Title, Title},
	{policy.Company, Company},
	{policy.Department, Department},
	{policy.Office, Office},
	{policy.WorkPhone, WorkPhone},
	{policy.Manager, Manager},
	{policy.Alias, Alias},
	{policy.Mobile, Mobile},
	{policy.HomePhone, HomePhone},
	{policy.OtherPhones, OtherPhones},
}

// Visible gives the rows that a class sees, before the owner's preferences take
// theirs away. It is the matrix as a function.
func Visible(c Class, p policy.Policy) Fields {
	switch {
	case c == Nothing || c >= NumClasses:
		return 0
	case c == Self:
		return allFields &^ (Colour | Urgent)
	}
	f := identity
	if !c.NonContact() {
		f = columns[twinLevel(c)]
	}
	if c.Inside() {
		f |= public(p.DirectoryPublic)
	} else {
		f &^= directory &^ columns[External]
	}
	if !p.Pictures {
		f &^= Photo
	}
	return f
}

// VisibleTyped gives the rows of phone numbers of which a class sees what the owner
// typed. They are no directory values: directory.public does not open them. Somebody
// blocked and somebody whom Privacy Mode shuts out sees none, nor does anybody from
// outside, who gets no more of a number that the directory has.
func VisibleTyped(c Class) Fields {
	switch {
	case c == Self:
		return phones
	case !c.Inside() || c >= NumClasses || c.NonContact() || c.Level() == Blocked:
		return 0
	default:
		return columns[c.Level()] & phones
	}
}

// Searchable gives the rows through which somebody of this class may find the
// owner by what the directory says. A search that counted a hidden number would
// tell whose it is. Title and department find somebody only where they are public:
// what somebody does is otherwise known of those one knows, and no way to find
// others. What the owner typed is found through VisibleTyped.
func Searchable(c Class, p policy.Policy) Fields {
	return Visible(c, p) & (identity | OtherMail | Alias | phones | public(p.DirectoryPublic)&(Title|Department))
}

// Has reports whether every row of want is in f.
func (f Fields) Has(want Fields) bool { return f&want == want }

// twinLevel is the level whose column counts: a blocked person sees what the
// same viewer sees by default.
func twinLevel(c Class) Level {
	if c.Level() == Blocked {
		return DefaultLevel(c.Inside())
	}
	return c.Level()
}

func public(set policy.AttributeSet) Fields {
	var f Fields
	for _, s := range starred {
		if set.Has(s.attribute) {
			f |= s.field
		}
	}
	return f
}
