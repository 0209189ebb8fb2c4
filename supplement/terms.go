package supplement

import "parley/privacy"

// How long things are kept.
const (
	whileInDirectory Term = "as long as the operator keeps the database, also when the directory no longer names the person"
	untilReplaced    Term = "until it is replaced"
	untilRemoved     Term = "until the person removes it"
	untilSignOut     Term = "until the device signs out, is signed out, or has not been used for {DeviceIdle}"
	afterSignOut     Term = "as long as the operator keeps the database: the device needs it again when the same person signs in there"
	untilDelivered   Term = "until every device of everybody in the conversation has it, at most for {MessageLimit}"
	forGood          Term = "as long as the operator keeps the database"
	whileConnected   Term = "while the device is connected, and 45 seconds after its last sign of life"
	whileRunning     Term = "as long as the server runs"
	asLongAsTheLog   Term = "as long as the operator keeps the log"
	untilDeleted     Term = "until the person deletes the conversation or somebody else signs in on the device"
	untilNextPerson  Term = "until somebody else signs in on the device"
	whileSignedIn    Term = "while the person is signed in on the device"
	whileInstalled   Term = "until the browser's data of the app is deleted"
)

// Whom things are sent to.
const (
	toServer         Receiver = "the server"
	toDevice         Receiver = "the device that signs in or asks"
	toOwnDevices     Receiver = "the person's own devices"
	toMembers        Receiver = "the devices of the people of the conversation"
	toViewers        Receiver = "the devices of those who may see it"
	otherServers     Receiver = "the other servers of the organisation"
	toAnybody        Receiver = "anybody who asks, signed in or not"
	toAdministrator  Receiver = "the administrator at the command line"
	toAdministrators Receiver = "the devices of the people whom the configuration makes administrators"
	toMonitoring     Receiver = "whoever the operator lets read the figures"
)

// Who sees things.
var (
	nobody         = Audience{Who: "nobody"}
	self           = Audience{Who: "the person alone", Rows: 0}
	operator       = Audience{Who: "whoever runs the server"}
	administrators = Audience{Who: "whoever runs the server, and the people whom the configuration makes administrators"}
	members        = Audience{Who: "the people of the conversation"}
	insiders       = Audience{Who: "the people of the organisation"}
	anybody        = Audience{Who: "anybody"}
)

// typed is the audience of numbers that people typed.
func typed(fields privacy.Fields) Audience {
	return Audience{Who: "those whom the privacy relationship shows it to", Rows: fields, Typed: true}
}

// row is the audience of what the privacy matrix decides.
func row(fields privacy.Fields) Audience {
	return Audience{Who: "those whom the privacy relationship shows it to", Rows: fields}
}
