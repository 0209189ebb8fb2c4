package supplement

var app = Feature{
	Name: "The app on the device",
	Does: "The app starts and shows what it has without the network.",
	Items: []Item{
		{
			Name:    "whose device it is",
			Source:  "the sign-in",
			Use:     "start without asking the server, and keep one person's history from the next",
			Seen:    self,
			Control: "Signing out removes session and key; another person's sign-in removes everything.",
			Claims:  []string{"IM4", "IM6"},
			Kept: []Kept{
				{Clear, whileInstalled, names("DeviceRecords.installation")},
				{Clear, untilNextPerson, names("DeviceRecords.person")},
				{Clear, whileSignedIn, names("DeviceRecords.session DeviceRecords.leaving Meta.check")},
				{Sealed, whileSignedIn, names("Session")},
			},
		},
		{
			Name:    "people and contacts that were shown",
			Source:  "the server",
			Use:     "show names without the network",
			Seen:    self,
			Control: "It goes when somebody else signs in on the device.",
			Claims:  []string{"IM4", "IM6"},
			Kept: []Kept{
				{Clear, untilNextPerson, names("ShelfRecord.h ShelfRecord.box")},
			},
		},
		{
			Name:    "notices in the history",
			Source:  "the app, when messages are missing",
			Use:     "say in every conversation what the device does not have",
			Seen:    self,
			Control: "They stand with the history.",
			Claims:  []string{"IM2"},
			Kept: []Kept{
				{Clear, untilNextPerson, names("Meta.notices")},
				{Sealed, untilNextPerson, names("NoticeItem.kind NoticeItem.at NoticeItem.s")},
			},
		},
		{
			Name:    "how app and server understand each other",
			Source:  "the app and the server",
			Use:     "keep versions and limits, and say why something was refused",
			Seen:    self,
			Control: "It holds nobody's data.",
			Sent: []Sent{
				{Wire, toServer, names("HelloFrame.protocol HelloFrame.build header:Connection header:Origin header:Sec-Fetch-Site header:Sec-Fetch-Mode " +
					"header:Sec-Websocket-Key header:Sec-Websocket-Version header:Upgrade header:Accept header:Accept-Encoding header:Range")},
				{Wire, toDevice, names("WelcomeEvent.protocol WelcomeEvent.build WelcomeEvent.features WelcomeEvent.now WelcomeEvent.limits " +
					"SocketLimits.frame_burst SocketLimits.frame_bytes SocketLimits.frame_rate SocketLimits.message_bytes SocketLimits.under_way SocketLimits.watched " +
					"Problem.type Problem.title Problem.status Problem.key Problem.field Problem.retry Problem.retry_after ProblemEvent.frame ProblemEvent.problem " +
					"header:Parley-Build header:Retry-After header:Cache-Control header:Content-Type header:Content-Encoding header:Content-Length header:Allow header:Vary " +
					"header:Content-Security-Policy header:X-Content-Type-Options header:Cross-Origin-Opener-Policy header:Cross-Origin-Resource-Policy " +
					"header:Permissions-Policy header:Referrer-Policy header:Strict-Transport-Security")},
			},
		},
		{
			Name:    "the app itself",
			Source:  "the server",
			Use:     "start without the network",
			Seen:    anybody,
			Control: "It holds nobody's data.",
			Kept: []Kept{
				{Browser, whileInstalled, names("cache:parley-shell-*")},
				{Browser, "while two tabs are open", names("channel:parley channel:parley-* lock:parley-session lock:*")},
			},
		},
		{
			Name:    "what server it is",
			Source:  "the configuration",
			Use:     "name the organisation and the operator at sign-in and on the Privacy page",
			Seen:    anybody,
			Control: "The operator names itself.",
			Claims:  []string{"AC4"},
			Kept: []Kept{
				{Clear, whileInstalled, names("DeviceRecords.about")},
			},
			Sent: []Sent{
				{Wire, toAnybody, names("About.name About.operator About.domains About.build About.protocol About.secure About.features Operator.name Operator.contact Operator.privacy_url")},
			},
		},
	},
}
