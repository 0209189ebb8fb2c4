package supplement

var account = Feature{
	Name: "Signing in",
	Does: "A person signs in with an address and a password. The app finds the server of that address by itself.",
	Items: []Item{
		{
			Name:   "the password",
			Source: "the person, who types it",
			Use:    "check that it is this person who signs in",
			Seen:   nobody,
			Control: "The person changes it under My Info > Options > Change password, which signs the other devices out. The administrator can set a new one. " +
				"The server keeps a hash from which the password cannot be read. " +
				"The password of somebody from the corporate directory is checked and kept there, and changed there; the server keeps nothing of it.",
			Claims: []string{"AC1", "LG4"},
			Kept: []Kept{
				{Database, untilReplaced, names("passwords.person passwords.hash")},
			},
			Sent: []Sent{
				{Wire, toServer, names("SignInRequest.password UseInvitationRequest.password ChangePasswordRequest.current ChangePasswordRequest.password")},
				{Wire, toOwnDevices, names("Settings.password")},
				{Outbound, "the organisation's directory, for people who come from there", names("directory")},
			},
		},
		{
			Name:    "the sign-in address that is typed",
			Source:  "whoever signs in, asks for a new password, or looks for a server",
			Use:     "find the person, or the server of the address",
			Seen:    nobody,
			Control: "It is not kept. Failures are counted under a hash of the address, and the answer for another domain is remembered for a while, in memory only.",
			Claims:  []string{"AC1", "AC2"},
			Kept: []Kept{
				{Memory, "for 15 minutes at most", names("account.count.at account.count.pending")},
				{Memory, "for ten minutes at most", names("account.found.server account.found.until")},
			},
			Sent: []Sent{
				{Wire, toServer, names("SignInRequest.address ForgottenRequest.address DiscoverRequest.address")},
				{Outbound, "the web server and the name server of the typed address's domain, which learn the domain and nothing else", names("discovery names")},
			},
		},
		{
			Name:    "where an address signs in",
			Source:  "the server's configuration, or the other domain's own web server or name server",
			Use:     "lead the person to the server of the address",
			Seen:    anybody,
			Control: "The administrator of a domain decides what it publishes.",
			Claims:  []string{"AC2"},
			Sent: []Sent{
				{Wire, toAnybody, names("Discovered.where Discovered.server WellKnown.server")},
			},
		},
		{
			Name:    "an invitation",
			Source:  "the administrator, for somebody without a password",
			Use:     "let that person set the first password, once",
			Seen:    Audience{Who: "the administrator who makes it and whoever it is given to"},
			Control: "It ends when it is used, when a password is set, and by itself after some days. The server keeps a hash of the code.",
			Claims:  []string{"AC1"},
			Kept: []Kept{
				{Database, "until it is used, replaced by another one, or has expired and the nightly work removes it", names("invitations.person invitations.code invitations.expires")},
			},
			Sent: []Sent{
				{Wire, toServer, names("InvitationRequest.code UseInvitationRequest.code")},
				{Wire, "whoever has the code", names("Invitation.address Invitation.display_name")},
			},
		},
		{
			Name:    "the wish for a new password",
			Source:  "whoever says at sign-in that the password is forgotten",
			Use:     "tell the administrator",
			Seen:    operator,
			Control: "It goes when a password is set or an invitation is used.",
			Claims:  []string{"AC1"},
			Kept: []Kept{
				{Database, "until a password is set", names("reset_requests.person reset_requests.at")},
			},
		},
		{
			Name:    "the session",
			Source:  "the server, at sign-in",
			Use:     "let the device in without the password",
			Seen:    self,
			Control: "The person sees all sessions under My Info > Options > Devices and ends each of them. The server keeps a hash of the token.",
			Claims:  []string{"AC3", "LG4"},
			Kept: []Kept{
				{Database, untilSignOut, names("devices.token devices.auth_time devices.methods")},
				{Memory, untilSignOut, names("account.live.token account.live.session account.Session.Actor account.Session.Device account.Session.Token account.Session.Address account.Device.AuthTime account.Device.Methods")},
				{Browser, whileSignedIn, names("cookie:parley cookie:__Host-parley")},
			},
			Sent: []Sent{
				{Wire, toServer, names("SignInRequest.token header:Authorization header:Cookie")},
				{Wire, toDevice, names("header:Set-Cookie Session.token Session.expires Session.auth_methods Session.auth_time Session.address Session.person SignedOutEvent.reason")},
			},
		},
	},
}

var devices = Feature{
	Name: "Devices",
	Does: "A person can be signed in on several devices, sees them all and signs each out.",
	Items: []Item{
		{
			Name:    "a signed-in device",
			Source:  "the browser, at sign-in, and the server, which notes the use",
			Use:     "show the person the devices, end those that are not used, and know who still waits for a message",
			Seen:    self,
			Control: "The person signs a device out under My Info > Options > Devices. A device that is not used is signed out by itself; the administrator sets after how long.",
			Rules:   []string{"DeviceIdle", "MaxDevices"},
			Claims:  []string{"AC3"},
			Kept: []Kept{
				{Database, untilSignOut, names("devices.id devices.person devices.class devices.name devices.installation devices.created devices.last_used")},
				{Memory, untilSignOut, names("account.Device.ID account.Device.Person account.Device.Class account.Device.Name account.Device.Installation " +
					"account.Device.Created account.Device.LastUsed account.Device.Expires")},
				{Log, asLongAsTheLog, names("device")},
			},
			Sent: []Sent{
				{Wire, toServer, names("SignInRequest.installation SignInRequest.device_name SignInRequest.device_class endDevice.device")},
				{Wire, toOwnDevices, names("Devices.devices Device.id Device.name Device.class Device.current Device.created Device.last_used Device.expires Session.device Session.device_class WelcomeEvent.device")},
			},
		},
		{
			Name:    "the key of the device's history",
			Source:  "the server, at random, when a person first signs in on a browser profile",
			Use:     "encrypt the history on the device",
			Seen:    self,
			Control: "Signing out removes it from the device; the same person gets it back by signing in there. Another person's sign-in removes it from the device for good.",
			Claims:  []string{"IM6"},
			Kept: []Kept{
				{Database, afterSignOut, names("history_keys.person history_keys.installation history_keys.history_key")},
				{Memory, untilSignOut, names("account.Session.HistoryKey")},
				{Clear, whileSignedIn, names("DeviceRecords.keys")},
			},
			Sent: []Sent{
				{Wire, toDevice, names("Session.history_key")},
			},
		},
		{
			Name:    "how far a device has read the log",
			Source:  "the device, which acknowledges what it has stored",
			Use:     "give each device everything once, and erase what every device has",
			Seen:    nobody,
			Control: "It goes with the device; the person's place stays, so that a new device begins there.",
			Claims:  []string{"IM2", "IM3"},
			Kept: []Kept{
				{Database, untilSignOut, names("devices.from_pos devices.cursor devices.waiting")},
				{Memory, whileRunning, names("account.Device.From account.Device.Cursor account.Device.Waiting conversation.device.id conversation.device.cursor " +
					"conversation.device.from conversation.device.feed conversation.reader.devices conversation.reader.floor conversation.reader.missed conversation.reader.live")},
				{Database, forGood, names("readers.person readers.floor readers.missed")},
				{Clear, untilNextPerson, names("store:meta Place.cursor Place.epoch Place.marks Place.next Meta.place Meta.device Meta.owner")},
			},
			Sent: []Sent{
				{Wire, toServer, names("HelloFrame.cursor ResumeFrame.cursor AckFrame.cursor sync.after sync.limit getMarks.after")},
				{Wire, toDevice, names("Session.cursor Session.starts Session.epoch WelcomeEvent.cursor WelcomeEvent.epoch WelcomeEvent.resync EntryEvent.prev AcceptedEvent.prev AcceptedEvent.cursor " +
					"Synced.epoch Synced.resync Synced.cursor Synced.more Synced.missed")},
			},
		},
	},
}
