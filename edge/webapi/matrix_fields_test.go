package webapi

import "strings"

// Lists of fields, as the rows of the matrix name them: paths of a JSON text, with
// [] for the elements of a list and [work] for those of the kind work. A field
// with ? may be there and need not.
const (
	identityFields = "id display_name address"

	// What is public inside (directory.public) of a row in a list.
	publicRow = identityFields + " mail title department"

	// What of a card does not depend on the level: the public attributes, and the
	// viewer's own level for the person.
	publicCard = "company office phones[work].kind phones[work].number phones[work].dial phones[work].shown"

	aliases    = " alias"
	otherMail  = " other_mail[]"
	mobile     = " phones[mobile].kind phones[mobile].number phones[mobile].dial phones[mobile].shown"
	homePhones = " phones[home].kind phones[home].number phones[home].dial phones[home].shown phones[other].kind phones[other].number phones[other].dial phones[other].shown"

	// Of numbers that the subject typed. directory.public does not open them.
	typedWork   = " phones[work].typed"
	typedMobile = " phones[mobile].typed"
	typedHome   = " phones[home].typed phones[other].typed"
	ownLevel    = " relationship"

	colourOnly = "availability"

	// No calendar says yet that somebody is out of office.
	fullPresence = "availability activity since until source note note_until device time_zone last_active out_of_office?"

	// What of a state depends on what the person and their devices do.
	somePresence = "availability activity? since? until? source? note? note_until? device? time_zone? last_active? out_of_office?"

	entryFields = "type cursor conversation from client_id own_device kind content at body"

	// Of every refusal; the kind stands in the row.
	problemFields = "type title status key retry field? retry_after?"
)

// under puts a path before each field of a list.
func under(path, list string) string {
	fields := strings.Fields(list)
	for i := range fields {
		fields[i] = path + "." + fields[i]
	}
	return " " + strings.Join(fields, " ")
}

// What of a person the roles see, under the default policy and with everything
// shared.
var (
	// What of manager and reports is there is for those to decide: they stand to
	// the viewer as they do.
	neighbours = under("manager", publicRow+" other_mail[]? photo?"+under("presence", somePresence)) +
		under("reports[]", publicRow+" other_mail[]? photo?"+under("presence", somePresence))

	rowTwin     = publicRow + otherMail + " photo" + under("presence", colourOnly) // never signed in, for people inside: what somebody blocked gets
	rowStranger = publicRow
	rowExternal = publicRow + " photo" + under("presence", colourOnly)
	rowFull     = publicRow + otherMail + " photo" + under("presence", fullPresence)
	rowOutside  = publicRow + " photo" + under("presence", colourOnly) // the External column: title and department are in it
	rowOwn      = publicRow + " other_mail[]?" + under("presence", somePresence)

	cardSelf      = rowFull + " " + publicCard + aliases + mobile + homePhones + typedWork + typedMobile + typedHome + neighbours
	cardTwin      = rowTwin + " " + publicCard + aliases + neighbours + ownLevel
	cardStranger  = rowStranger + " " + publicCard + neighbours + ownLevel
	cardExternal  = rowExternal + " " + publicCard + neighbours + ownLevel
	cardColleague = rowFull + " " + publicCard + aliases + typedWork + neighbours + ownLevel
	cardWorkgroup = rowFull + " " + publicCard + aliases + mobile + typedWork + typedMobile + neighbours + ownLevel
	cardFriend    = rowFull + " " + publicCard + aliases + mobile + homePhones + typedWork + typedMobile + typedHome + neighbours + ownLevel
	cardOutside   = rowOutside + " company"

	// Who acts for somebody sees what they see, and not what they decided.
	cardProgram       = rowFull + " " + publicCard + aliases + mobile + homePhones + typedWork + typedMobile + typedHome + neighbours
	cardAdministrator = rowFull + " " + publicCard + aliases + typedWork + neighbours

	sessionFields = under("person", rowOwn) + " person.photo? address device device_class expires auth_methods[] auth_time history_key cursor starts epoch"
)
