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
				{Clear, whileInstalled, names("store:device DeviceRecords.installation")},
				{Clear, untilNextPerson, names("DeviceRecords.person")},
				{Clear, "until the server knows that the device has signed out", names("DeviceRecords.leaving")},
				{Sealed, whileSignedIn, names("DeviceRecords.session")},
				{Sealed, untilNextPerson, names("Meta.check")},
				{Browser, whileInstalled, names("database:parley")},
				{Browser, untilNextPerson, names("database:parley-*")},
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
				{Clear, untilNextPerson, names("store:shelf ShelfRecord.h")},
				{Sealed, untilNextPerson, names("ShelfRecord.box")},
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
				{Sealed, untilNextPerson, names("Meta.notices NoticeItem.kind NoticeItem.at NoticeItem.s")},
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
					"header:Parley-Build header:Retry-After header:Cache-Control header:Content-Type header:Content-Encoding header:Content-Length header:Content-Disposition header:Allow header:Vary " +
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
			},
		},
		{
			Name:    "what one tab tells the others",
			Source:  "the app, in each tab of the browser",
			Use:     "show the same in every tab, over one connection",
			Seen:    self,
			Control: "It stays in the browser.",
			Claims:  []string{"IM2"},
			Kept: []Kept{
				{Browser, "while the app is open", names("channel:parley channel:parley-* lock:parley-session lock:parley-owner")},
			},
		},
		{
			Name:    "the screen that is open",
			Source:  "the person, who goes there",
			Use:     "go back to it, and open a card or a conversation by its address",
			Seen:    self,
			Control: "The browser keeps its history as it does of every page; the person clears it there.",
			Claims:  []string{"CC7"},
			Kept: []Kept{
				{Browser, "as long as the browser keeps its history", names("history:screen")},
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
				{Wire, toAnybody, names("About.name About.operator About.domains About.build About.protocol About.secure About.features About.password_url Operator.name Operator.contact Operator.privacy_url")},
			},
		},
	},
}
