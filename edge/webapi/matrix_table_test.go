package webapi

// The authorisation matrix: for every operation, event, frame and kind of entry
// what each role gets. It is the contract, written by hand: whoever adds one of
// those, or a field, says here who gets it, and PRODUCT §2 says what to answer.
// TestAccessMatrixIsComplete finds what is missing, and the tests that drive the
// rows find what is not so.

// cell is what some roles get.
type cell struct {
	roles string // roles and groups

	// Of an operation: the status, and for a refusal its kind, with the key where
	// it matters ("forbidden search.not-allowed").
	status  int
	refusal string

	// Of a frame: the events that answer it, that the person's other device gets,
	// and that the subject's device gets.
	answer, own, subject string

	// fields are those of the answer or of the event.
	fields string
}

func gets(roles string, status int, fields string) cell {
	return cell{roles: roles, status: status, fields: fields}
}

func refused(roles, refusal string) cell { return cell{roles: roles, refusal: refusal} }

// operationRow is one way to call one operation.
type operationRow struct {
	id    string // the operation's
	how   string // what is special about this row, where an operation has several
	takes string // parameters and fields of the body; in the operation's first row
	ask   string // "GET /api/people/{subject}"
	body  string
	// nobody are fields of the answer's type that no role gets of this operation.
	nobody string

	// own says that the answer is about the asker, so that a blocked person and
	// one who asks about a twin of the subject differ in it for other reasons.
	own bool

	desk  bool // asked from a device of the class desktop; all others are phones
	fresh bool // asked from a device of its own, which may not be needed afterwards
	cells []cell
}

// The rows are driven in this order; those that end devices come last.
var operationRows = []operationRow{
	{id: "getAbout", ask: "GET /api/about", cells: []cell{
		gets("everybody", 200, "name operator.name operator.contact operator.privacy_url domains[] build protocol secure features[] password_url"),
	}},
	{id: "getWellKnown", ask: "GET /.well-known/parley", cells: []cell{gets("everybody", 200, "server")}},
	{id: "discover", takes: "address", ask: "POST /api/discover", body: `{"address": "{subject.address}"}`, cells: []cell{
		gets("everybody", 200, "where server?"), // server: with another server's domain
	}},
	{id: "discover", how: "somebody who does not exist", ask: "POST /api/discover", body: `{"address": "nobody@example.org"}`, cells: []cell{
		gets("everybody", 200, "where server?"),
	}},
	{id: "signIn", own: true, takes: "address password installation device_name device_class time_zone token", ask: "POST /api/session", fresh: true,
		body: `{"address": "{me.address}", "password": "correct horse battery", "installation": "{installation}", "device_name": "", "device_class": "desktop", "time_zone": "", "token": true}`,
		cells: []cell{
			gets("devices", 200, sessionFields+" token"),
			refused("deviceless", "sign-in sign-in.wrong"), // the password is of somebody else
		}},
	{id: "signIn", own: true, how: "with a cookie instead of the token", ask: "POST /api/session", fresh: true,
		body: `{"address": "{me.address}", "password": "correct horse battery", "installation": "{installation}", "device_name": "", "device_class": "desktop", "time_zone": ""}`,
		cells: []cell{
			gets("devices", 200, sessionFields),
			refused("deviceless", "sign-in sign-in.wrong"),
		}},
	{id: "signIn", own: true, how: "as the subject, with a wrong password", ask: "POST /api/session",
		body:  `{"address": "{subject.address}", "password": "wrong horse battery", "installation": "{installation}", "device_name": "", "device_class": "desktop", "time_zone": ""}`,
		cells: []cell{refused("everybody", "sign-in sign-in.wrong")}},
	{id: "getSession", own: true, ask: "GET /api/session", nobody: "token", cells: []cell{
		gets("devices", 200, sessionFields),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "forgotPassword", takes: "address", ask: "POST /api/password/forgotten", body: `{"address": "{subject.address}"}`, cells: []cell{
		gets("everybody", 202, ""),
	}},
	{id: "getInvitation", own: true, takes: "code", ask: "POST /api/invitation", body: `{"code": "{invitation}"}`, cells: []cell{
		gets("everybody", 200, "address display_name"), // whoever has the code
	}},
	{id: "getInvitation", how: "with a code that is none", ask: "POST /api/invitation", body: `{"code": "x"}`, cells: []cell{
		refused("everybody", "not-found"),
	}},
	{id: "useInvitation", own: true, takes: "code password", ask: "POST /api/invitation/password", body: `{"code": "{invitation}", "password": "another horse battery"}`, cells: []cell{
		gets("everybody", 204, ""),
	}},
	{id: "useInvitation", how: "with a code that is none", ask: "POST /api/invitation/password", body: `{"code": "x", "password": "another horse battery"}`, cells: []cell{
		refused("everybody", "not-found"),
	}},
	{id: "changePassword", own: true, takes: "current password", how: "with a wrong one", ask: "PUT /api/me/password", body: `{"current": "wrong horse battery", "password": "another horse battery"}`, cells: []cell{
		refused("devices", "invalid password.wrong"),
		refused("deviceless", "sign-in sign-in.required"),
	}},

	{id: "searchPeople", takes: "q limit pad", ask: "GET /api/people?q=sandoval&limit=5", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("remote guest", "forbidden search.not-allowed"),
		gets("self colleague workgroup friend delegates delegate.expired program administrator", 200, "more"+under("people[]", rowFull)),
		gets("external", 200, "more"+under("people[]", rowExternal)),
		gets("stranger", 200, "more"+under("people[]", rowStranger)),
		gets("blocked", 200, "more"+under("people[]", rowTwin)),
	}},
	{id: "searchPeople", how: "by the alias", ask: "GET /api/people?q=ssandov", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("remote guest", "forbidden search.not-allowed"),
		gets("self colleague workgroup friend delegates delegate.expired program administrator", 200, "more"+under("people[]", rowFull+" matched")),
		gets("blocked", 200, "more"+under("people[]", rowTwin+" matched")),
		gets("stranger external", 200, "more"), // not found
	}},
	{id: "searchPeople", how: "by the mobile number", ask: "GET /api/people?q=1705550002", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("remote guest", "forbidden search.not-allowed"),
		gets("self workgroup friend delegates program", 200, "more"+under("people[]", rowFull+" matched")),
		gets("blocked stranger external colleague delegate.expired administrator", 200, "more"),
	}},
	{id: "searchPeople", how: "by the number at home", ask: "GET /api/people?q=3315550003", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("remote guest", "forbidden search.not-allowed"),
		gets("self friend program", 200, "more"+under("people[]", rowFull+" matched")),
		gets("blocked stranger external colleague workgroup delegates delegate.expired administrator", 200, "more"),
	}},
	{id: "searchPeople", how: "by the mobile number as dialled from abroad", ask: "GET /api/people?q=0114917055500", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("remote guest", "forbidden search.not-allowed"),
		gets("self workgroup friend delegates program", 200, "more"+under("people[]", rowFull+" matched")),
		gets("blocked stranger external colleague delegate.expired administrator", 200, "more"),
	}},
	{id: "searchPeople", how: "by the mobile number on the pad", ask: "GET /api/people?q=01705550002&pad=true", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("remote guest", "forbidden search.not-allowed"),
		gets("self workgroup friend delegates program", 200, "more"+under("people[]", rowFull+" matched")),
		gets("blocked stranger external colleague delegate.expired administrator", 200, "more"),
	}},
	{id: "searchPeople", how: "by the name on the pad", ask: "GET /api/people?q=7263&pad=true", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("remote guest", "forbidden search.not-allowed"),
		gets("self colleague workgroup friend delegates delegate.expired program administrator", 200, "more"+under("people[]", rowFull)),
		gets("external", 200, "more"+under("people[]", rowExternal)),
		gets("stranger", 200, "more"+under("people[]", rowStranger)),
		gets("blocked", 200, "more"+under("people[]", rowTwin)),
	}},
	{id: "searchPeople", how: "by the title", ask: "GET /api/people?q=surveyor", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("remote guest", "forbidden search.not-allowed"),
		gets("self colleague workgroup friend delegates delegate.expired program administrator", 200, "more"+under("people[]", rowFull+" matched")),
		gets("external", 200, "more"+under("people[]", rowExternal+" matched")),
		gets("stranger", 200, "more"+under("people[]", rowStranger+" matched")), // public
		gets("blocked", 200, "more"+under("people[]", rowTwin+" matched")),
	}},
	{id: "searchPeople", how: "by the typed number at work", ask: "GET /api/people?q=305550005", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("remote guest", "forbidden search.not-allowed"),
		gets("self colleague workgroup friend delegates delegate.expired program administrator", 200, "more"+under("people[]", rowFull+" matched")),
		gets("blocked stranger external", 200, "more"), // directory.public does not open it
	}},
	{id: "searchPeople", how: "by the typed mobile number", ask: "GET /api/people?q=1705550006", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("remote guest", "forbidden search.not-allowed"),
		gets("self workgroup friend delegates program", 200, "more"+under("people[]", rowFull+" matched")),
		gets("blocked stranger external colleague delegate.expired administrator", 200, "more"),
	}},
	{id: "searchPeople", how: "by the typed number at home", ask: "GET /api/people?q=3315550007", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("remote guest", "forbidden search.not-allowed"),
		gets("self friend program", 200, "more"+under("people[]", rowFull+" matched")),
		gets("blocked stranger external colleague workgroup delegates delegate.expired administrator", 200, "more"),
	}},
	{id: "searchPeople", how: "for a group", ask: "GET /api/people?q=crew", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("remote guest", "forbidden search.not-allowed"),
		gets("devices program administrator", 200, "more"+under("groups[]", groupRow)),
	}},
	{id: "searchPeople", how: "for a group that serves a rule", ask: "GET /api/people?q=rule+holders", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("remote guest", "forbidden search.not-allowed"),
		gets("devices program administrator", 200, "more"),
	}},
	{id: "getDirectoryGroup", takes: "group after", ask: "GET /api/directory-groups/{group}", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("remote guest", "not-found"),
		gets("self colleague workgroup friend delegates delegate.expired program administrator", 200, groupContent+under("people[]", rowFull)),
		gets("external", 200, groupContent+under("people[]", rowExternal)),
		gets("stranger", 200, groupContent+under("people[]", rowStranger)),
		gets("blocked", 200, groupContent+under("people[]", rowTwin)),
	}},
	{id: "getDirectoryGroup", how: "that serves a rule", ask: "GET /api/directory-groups/{rule}", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("devices remote guest program administrator", "not-found"),
	}},
	{id: "getDirectoryGroup", how: "that there is not", ask: "GET /api/directory-groups/dg8888", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("devices remote guest program administrator", "not-found"),
	}},
	{id: "getCard", takes: "who", ask: "GET /api/people/{subject}", cells: cardCells},
	{id: "getCard", how: "by the address", ask: "GET /api/people/{subject.address}", cells: cardCells},
	{id: "getCard", how: "of somebody who does not exist", ask: "GET /api/people/p8888", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		refused("devices remote guest program administrator", "not-found"),
	}},
	{id: "getPhoto", takes: "who size", ask: "GET /api/people/{subject}/photo?size=large", cells: []cell{
		refused("anonymous", "sign-in sign-in.required"),
		gets("self blocked external colleague workgroup friend delegates delegate.expired remote program administrator", 200, ""),
		refused("stranger guest", "not-found"),
	}},
	{id: "getContacts", how: "without contacts", ask: "GET /api/contacts", cells: []cell{
		refused("deviceless", "sign-in sign-in.required"),
		gets("self", 200, "version groups[].id groups[].key"), // the subject has contacts
		gets("colleague workgroup friend delegates delegate.expired", 200, "version"+suggestedFields+under("groups[].people[]", rowFull)),
		gets("external", 200, "version"+suggestedFields+under("groups[].people[]", rowExternal)),
		gets("stranger", 200, "version"+suggestedFields+under("groups[].people[]", rowStranger)),
		gets("blocked", 200, "version"+suggestedFields+under("groups[].people[]", rowTwin)),
	}},

	// What somebody arranges in their own list is nobody else's, a program's and an
	// administrator's neither. The answers are about the asker's list.
	{id: "addContactGroup", own: true, takes: "name", ask: "POST /api/contact-groups", body: `{"name": "Site"}`, cells: []cell{
		refused("devices", "forbidden settings.desktop-only"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "addContactGroup", own: true, how: "at a desk", desk: true, ask: "POST /api/contact-groups", body: `{"name": "Site"}`, cells: []cell{
		gets("devices", 200, "version group"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "changeContactGroup", own: true, takes: "group name position", ask: "PUT /api/contact-groups/c1", body: `{"name": "Works", "position": 0}`, nobody: "group", cells: []cell{
		refused("devices", "forbidden settings.desktop-only"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "changeContactGroup", own: true, how: "at a desk", desk: true, ask: "PUT /api/contact-groups/c1", body: `{"name": "Works", "position": 0}`, cells: []cell{
		gets("devices", 200, "version"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "changeContactGroup", own: true, how: "that there is not", desk: true, ask: "PUT /api/contact-groups/c9", body: `{"name": "Works"}`, cells: []cell{
		refused("devices", "not-found"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "setContact", own: true, takes: "who groups[] favourite level", ask: "PUT /api/contacts/{subject}", body: `{"groups": ["c1"]}`, nobody: "group", cells: []cell{
		refused("devices", "forbidden settings.desktop-only"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "setContact", own: true, how: "at a desk", desk: true, ask: "PUT /api/contacts/{subject}", body: `{"groups": ["c1"], "favourite": true, "level": "workgroup"}`, cells: []cell{
		refused("self", "invalid relation.other-wrong"),
		gets("others", 200, "version"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "setContact", own: true, how: "a group of the directory", desk: true, ask: "PUT /api/contacts/{group}", body: `{"groups": ["c1"]}`, cells: []cell{
		gets("devices", 200, "version"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "setContact", own: true, how: "a group that serves a rule", desk: true, ask: "PUT /api/contacts/{rule}", body: `{"groups": ["c1"]}`, cells: []cell{
		refused("devices", "not-found"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "setContact", own: true, how: "somebody who does not exist", desk: true, ask: "PUT /api/contacts/p8888", body: `{}`, cells: []cell{
		refused("devices", "not-found"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "getContacts", own: true, how: "with the subject among them", ask: "GET /api/contacts", cells: []cell{
		refused("deviceless", "sign-in sign-in.required"),
		gets("self", 200, "version"+groupFields+listFields),
		gets("colleague workgroup friend delegates delegate.expired", 200, "version"+groupFields+listFields+under("groups[].people[]", rowFull)),
		gets("external", 200, "version"+groupFields+listFields+under("groups[].people[]", rowExternal)),
		gets("stranger", 200, "version"+groupFields+listFields+under("groups[].people[]", rowStranger)),
		gets("blocked", 200, "version"+groupFields+listFields+under("groups[].people[]", rowTwin)),
	}},
	{id: "exportContacts", own: true, takes: "format", ask: "GET /api/contacts/export?format=vcard", cells: []cell{ // what is in it: TestContactFileHoldsWhatIsSeen
		gets("devices", 200, ""),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "importContacts", own: true, takes: "format data", ask: "POST /api/contacts/import", body: importBody, cells: []cell{
		refused("devices", "forbidden settings.desktop-only"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "importContacts", own: true, how: "at a desk", desk: true, ask: "POST /api/contacts/import", body: importBody, cells: []cell{
		gets("devices", 200, "added known unknown[] groups version"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "setRelationship", own: true, takes: "who level", ask: "PUT /api/people/{subject}/relationship", body: `{"level": "friends"}`, cells: []cell{
		refused("devices", "forbidden settings.desktop-only"), // the subject has not added them
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "setRelationship", own: true, how: "to blocked", ask: "PUT /api/people/{subject}/relationship", body: `{"level": "blocked"}`, cells: []cell{
		refused("self", "invalid relation.other-wrong"),
		gets("others", 204, ""),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "setRelationship", own: true, how: "at a desk", desk: true, ask: "PUT /api/people/{subject}/relationship", body: `{"level": "default"}`, cells: []cell{
		refused("self", "invalid relation.other-wrong"),
		gets("others", 204, ""),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "deleteContactGroup", own: true, takes: "group", ask: "DELETE /api/contact-groups/c1", nobody: "group", cells: []cell{
		refused("devices", "forbidden settings.desktop-only"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "deleteContactGroup", own: true, how: "at a desk", desk: true, ask: "DELETE /api/contact-groups/c1", cells: []cell{
		gets("devices", 200, "version"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "removeContact", own: true, takes: "who", ask: "DELETE /api/contacts/{subject}", nobody: "group", cells: []cell{
		refused("devices", "forbidden settings.desktop-only"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "removeContact", own: true, how: "at a desk", desk: true, ask: "DELETE /api/contacts/{subject}", cells: []cell{
		refused("self", "invalid relation.other-wrong"),
		gets("others", 200, "version"),
		refused("deviceless", "sign-in sign-in.required"),
	}},

	{id: "getAddressBooks", own: true, ask: "GET /api/address-books", cells: []cell{
		gets("devices", 200, under("books[]", "id name")),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "fetchAddressBook", own: true, takes: "book user password etag", ask: "POST /api/address-books/home/fetch",
		body: `{"user": "somebody", "password": "elsewhere", "etag": ""}`, cells: []cell{
			gets("devices", 200, "cards etag skipped unchanged?"),
			refused("deviceless", "sign-in sign-in.required"),
		}},
	{id: "fetchAddressBook", own: true, how: "of a server that is not configured", ask: "POST /api/address-books/other/fetch",
		body: `{"user": "somebody", "password": "elsewhere"}`, cells: []cell{
			refused("devices", "not-found"),
			refused("deviceless", "sign-in sign-in.required"),
		}},
	{id: "getDevices", own: true, ask: "GET /api/devices", cells: []cell{
		gets("devices", 200, under("devices[]", "id name class current created last_used expires")),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "sync", own: true, takes: "after limit", ask: "GET /api/sync?after=&limit=100", cells: []cell{
		gets("devices", 200, "epoch resync cursor more missed"+under("entries[]", entryFields)),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "getMarks", own: true, takes: "after", ask: "GET /api/marks", cells: []cell{
		gets("self stranger external colleague workgroup friend delegates delegate.expired", 200,
			under("marks[]", "conversation delivered[].person delivered[].id read")),
		gets("blocked", 200, under("marks[]", "conversation read")), // not told that anything was delivered
		refused("deviceless", "sign-in sign-in.required"),
	}},

	{id: "setPresence", own: true, takes: "state until", ask: "PUT /api/me/presence", body: `{"state": "off-work", "until": "2999-01-01T00:00:00Z"}`, cells: []cell{
		gets("devices", 200, somePresence),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "setNote", own: true, takes: "note until", ask: "PUT /api/me/note", body: `{"note": "my own", "until": "2999-01-01T00:00:00Z"}`, cells: []cell{
		gets("devices", 200, somePresence+" note note_until"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "setPictures", own: true, takes: "share show", ask: "PUT /api/me/pictures", body: `{"share": false}`, cells: []cell{
		refused("devices", "forbidden settings.desktop-only"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "setPictures", own: true, how: "at a desk", desk: true, ask: "PUT /api/me/pictures", body: `{"share": true, "show": true}`, cells: []cell{
		gets("self", 200, settingsFields+typedPhones),
		gets("others", 200, settingsFields),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "getSettings", own: true, ask: "GET /api/me/settings", cells: []cell{
		gets("self", 200, settingsFields+typedPhones),
		gets("others", 200, settingsFields),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "setPhones", own: true, takes: "phones[].kind phones[].number", ask: "PUT /api/me/phones", body: `{"phones": []}`, cells: []cell{
		refused("devices", "forbidden settings.desktop-only"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "setPhones", own: true, how: "at a desk", desk: true, ask: "PUT /api/me/phones", body: `{"phones": [{"kind": "home", "number": "030 5550009"}]}`, cells: []cell{
		gets("devices", 200, settingsFields+under("phones[home]", phoneFields)),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "setPhones", own: true, how: "an emergency number", desk: true, ask: "PUT /api/me/phones", body: `{"phones": [{"kind": "home", "number": "112"}]}`, cells: []cell{
		refused("devices", "invalid phones.emergency"),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "signOut", own: true, ask: "DELETE /api/session", fresh: true, cells: []cell{
		gets("devices", 204, ""),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "endDevice", own: true, takes: "device", ask: "DELETE /api/devices/{me.device}", fresh: true, cells: []cell{
		gets("devices", 204, ""),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "endDevice", own: true, how: "the subject's", ask: "DELETE /api/devices/{subject.device}", cells: []cell{
		refused("others", "not-found"),
		gets("self", 204, ""),
		refused("deviceless", "sign-in sign-in.required"),
	}},
	{id: "changePassword", own: true, how: "with the right one", ask: "PUT /api/me/password", body: `{"current": "correct horse battery", "password": "another horse battery"}`, cells: []cell{
		refused("deviceless", "sign-in sign-in.required"),
		gets("devices", 204, ""),
	}},

	{id: "setPolicy", takes: "key value", ask: "PUT /api/admin/policies/policy.message_limit", body: `{"value": "7d"}`, nobody: "choices[] pending where changed.reset", cells: []cell{
		gets("administrator", 200, ruleFields+" min max"+under("changed", "id key value at by by_name")),
		refused("anonymous devices remote guest program", "not-found"),
	}},
	{id: "setPolicy", how: "to what the rule does not take", ask: "PUT /api/admin/policies/policy.message_limit", body: `{"value": "7 days"}`, cells: []cell{
		refused("administrator", "invalid policy.value"),
		refused("anonymous devices remote guest program", "not-found"),
	}},
	{id: "setPolicy", how: "that there is not", ask: "PUT /api/admin/policies/policy.dance", body: `{"value": "true"}`, cells: []cell{
		refused("administrator", "not-found policy.unknown"),
		refused("anonymous devices remote guest program", "not-found not-found"),
	}},
	{id: "getPolicies", ask: "GET /api/admin/policies", nobody: "policies[].where policies[].changed.reset", cells: []cell{
		gets("administrator", 200, under("policies[]", ruleFields+" min max choices[] pending"+under("changed", "id key value at by by_name"))),
		refused("anonymous devices remote guest program", "not-found"),
	}},
	{id: "resetPolicy", takes: "key", ask: "DELETE /api/admin/policies/policy.message_limit", nobody: "choices[] pending where changed.value", cells: []cell{
		gets("administrator", 200, ruleFields+" min max"+under("changed", "id key reset at by by_name")),
		refused("anonymous devices remote guest program", "not-found"),
	}},
	{id: "getPolicyHistory", takes: "key before limit", ask: "GET /api/admin/policy-history?limit=2", cells: []cell{
		gets("administrator", 200, "more"+under("changes[]", "id key value reset at by by_name")),
		refused("anonymous devices remote guest program", "not-found"),
	}},

	{id: "getDirectory", ask: "GET /api/admin/directory", cells: []cell{
		gets("administrator", 200, "configured kind server mode people groups last_sync last_full failing_since problem detail problems[].dn problems[].text"),
		refused("anonymous devices remote guest program", "not-found"),
	}},
	{id: "syncDirectory", ask: "POST /api/admin/directory/sync", cells: []cell{
		gets("administrator", 202, ""),
		refused("anonymous devices remote guest program", "not-found"),
	}},

	// What the document does not list.
	{id: "GET /api/openapi.json", ask: "GET /api/openapi.json", cells: []cell{gets("everybody", 200, "-")}}, // the contract, the same for all
	{id: "/", how: "what does not exist", ask: "GET /api/nothing", cells: []cell{refused("everybody", "not-found")}},
}

// What of a group of the directory is the same for everybody inside.
const (
	groupRow     = "id name mail description"
	groupContent = groupRow + " more groups[].id groups[].name groups[].mail groups[].description"
)

const (
	settingsFields = "pictures.share pictures.show pictures.allowed password"
	phoneFields    = "kind number dial shown typed"
)

var typedPhones = under("phones[work]", phoneFields) + under("phones[mobile]", phoneFields) +
	under("phones[home]", phoneFields) + under("phones[other]", phoneFields)

const ruleFields = "key kind label doc value default source"

const importBody = `{"format": "vcard", "data": "BEGIN:VCARD\nVERSION:4.0\nEMAIL:nobody@example.net\nEND:VCARD\n"}`

const (
	groupFields     = " groups[].id groups[].key groups[].name"
	suggestedFields = groupFields + " groups[].suggested"
	listFields      = " groups[].lists[].id groups[].lists[].name groups[].lists[].mail groups[].lists[].description"
)

var cardCells = []cell{
	refused("anonymous", "sign-in sign-in.required"),
	gets("self", 200, cardSelf),
	gets("blocked", 200, cardTwin),
	gets("stranger", 200, cardStranger),
	gets("external", 200, cardExternal),
	gets("colleague delegate.expired", 200, cardColleague),
	gets("workgroup delegates", 200, cardWorkgroup),
	gets("friend", 200, cardFriend),
	gets("remote", 200, cardOutside),
	gets("program", 200, cardProgram),
	gets("administrator", 200, cardAdministrator),
	refused("guest", "not-found"),
}
