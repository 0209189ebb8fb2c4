package webapi

import "parley"

// The part of the matrix that lies behind the socket. Who is no device has none.

// never says of an event that the role does not get it.
func never(roles string) cell { return cell{roles: roles, refusal: "never"} }

func comes(roles, fields string) cell { return cell{roles: roles, fields: fields} }

// answered is what a frame of a role leads to: the events that answer it, those
// that the person's other device gets, and those that the subject's device gets
// ("-": none).
func answered(roles, answer, own, subject string) cell {
	return cell{roles: roles, answer: answer, own: own, subject: subject}
}

var noSocket = refused("deviceless", "sign-in sign-in.required")

// socketRow is GET /api/ws itself.
var socketRow = operationRow{id: "socket", ask: "GET /api/ws", cells: []cell{gets("devices", 101, ""), noSocket}}

// eventRow is one event and on what occasion it is looked for.
type eventRow struct {
	event string
	when  string
	cells []cell
}

var eventRows = []eventRow{
	{"welcome", "the role says hello", []cell{
		comes("devices", "type protocol build features[] epoch now person device cursor resync"+
			under("limits", "frame_bytes message_bytes frame_burst frame_rate watched under_way")),
		never("deviceless"),
	}},
	{"entry", "the subject writes to the role", []cell{comes("devices", entryFields+" prev"), never("deviceless")}},
	{"accepted", "the role writes to the subject", []cell{
		comes("devices", "type prev cursor conversation client_id at"), never("deviceless"),
	}},
	{"known", "the role writes it once more", []cell{comes("devices", "type client_id"), never("deviceless")}},
	{"refused", "the role writes what is empty", []cell{
		comes("devices", "type client_id"+under("problem", problemFields)), never("deviceless"),
	}},
	{"gap", "the role comes with a cursor of another epoch", []cell{comes("devices", "type"), never("deviceless")}},
	{"presence", "the role watches the subject, whose state and note change", []cell{
		comes("self colleague workgroup friend delegates delegate.expired", "type person"+under("presence", fullPresence)),
		comes("external blocked", "type person"+under("presence", colourOnly)),
		comes("stranger", "type person"), // withheld
		never("deviceless"),
	}},
	{"card", "the role watches the subject, whose directory entry changes", []cell{comes("devices", "type person"), never("deviceless")}},
	{"contacts", "the role's list changes on another device", []cell{comes("devices", "type version"), never("deviceless")}},
	{"delivered", "the subject has what the role wrote", []cell{
		comes("self stranger external colleague workgroup friend delegates delegate.expired", "type conversation person id"),
		never("blocked deviceless"),
	}},
	{"read", "the role reads on another device", []cell{comes("devices", "type conversation id"), never("deviceless")}},
	{"typing", "the subject types", []cell{
		comes("self stranger external colleague workgroup friend delegates delegate.expired", "type conversation person on"),
		never("blocked deviceless"),
	}},
	{"signed-out", "the role's device is revoked", []cell{comes("devices", "type reason"), never("deviceless")}},
	{"pong", "the role pings", []cell{comes("devices", "type"), never("deviceless")}},
	{"problem", "the role asks for what there is not", []cell{
		comes("devices", "type frame"+under("problem", problemFields)), never("deviceless"),
	}},
}

// frameRow is one frame from a client: its fields, and what it leads to.
type frameRow struct {
	frame string
	takes string
	cells []cell
}

// For the subject itself, the other side is a colleague.
var frameRows = []frameRow{
	{"hello", "type protocol build cursor visible active time_zone", []cell{answered("devices", "welcome", "-", "-"), noSocket}},
	{"watch", "type people[]", []cell{answered("devices", "presence", "-", "-"), noSocket}},
	{"activity", "type active visible time_zone", []cell{answered("devices", "-", "-", "-"), noSocket}},
	{"send", "type client_id conversation kind content body", []cell{
		answered("self stranger external colleague workgroup friend delegates delegate.expired", "accepted", "entry", "entry"),
		answered("blocked", "accepted", "entry", "-"), // stays "sent", for the sender's own devices only
		noSocket,
	}},
	{"ack", "type cursor", []cell{answered("devices", "-", "-", "delivered"), noSocket}}, // whom the subject blocks hides nothing from the subject
	{"read", "type conversation id", []cell{answered("devices", "-", "read", "-"), noSocket}},
	{"typing", "type conversation on", []cell{
		answered("self stranger external colleague workgroup friend delegates delegate.expired", "-", "-", "typing"),
		answered("blocked", "-", "-", "-"),
		noSocket,
	}},
	{"resume", "type cursor", []cell{answered("devices", "-", "-", "-"), noSocket}},
	{"ping", "type", []cell{answered("devices", "pong", "-", "-"), noSocket}},
}

// entryRow is one kind of entry: what becomes of one that a role sends to the
// subject, and the fields that a role gets of one that the subject sends.
type entryRow struct {
	kind  parley.EntryKind
	cells []cell
}

var entryRows = []entryRow{
	{parley.KindMessage, []cell{
		{roles: "self stranger external colleague workgroup friend delegates delegate.expired", answer: "accepted", own: "entry", subject: "entry", fields: entryFields + " prev"},
		{roles: "blocked", answer: "accepted", own: "entry", subject: "-", fields: entryFields + " prev"},
		noSocket,
	}},
	// Notices are the server's: nobody sends one. The one that the subject causes is
	// that it added the role to its contacts.
	{parley.KindNotice, []cell{
		{roles: "self stranger external colleague workgroup friend delegates delegate.expired", answer: "refused", own: "-", subject: "-", fields: entryFields + " prev"},
		{roles: "blocked", refusal: "never", answer: "refused", own: "-", subject: "-"},
		noSocket,
	}},
}
