package supplement

var messages = Feature{
	Name: "Messages and their history",
	Does: "A message goes from the sender's device to the server, which keeps it until every device of everybody in the conversation has it. The history is on the devices.",
	Items: []Item{
		{
			Name:    "the text of a message",
			Source:  "its sender, who types it",
			Use:     "show it to the people of the conversation",
			Seen:    members,
			Control: "The person removes a conversation from a device under Chats > Edit > Delete. The administrator sets how long the server waits for a device that does not come.",
			Rules:   []string{"MessageLimit", "MaxBody"},
			Claims:  []string{"IM1", "IM2", "IM3", "IM4", "IM5", "IM6", "LG4"},
			Kept: []Kept{
				{Database, untilDelivered, names("log.body log.content")},
				{Sealed, untilDeleted, names("MessageRecord.box PageRecord.box QueueRecord.box DraftRecord.box MessageBox.content MessageBox.text MessageBox.body ChatBox.last QueueBox.content QueueBox.text")},
			},
			Sent: []Sent{
				{Wire, toServer, names("SendFrame.content SendFrame.body")},
				{Wire, toMembers, names("Entry.content Entry.body EntryEvent.content EntryEvent.body Synced.entries")},
			},
		},
		{
			Name:    "the details of a message",
			Source:  "the sender's device and the server",
			Use:     "bring it to the right devices, once and in order",
			Seen:    members,
			Control: "They go from the server with the message.",
			Claims:  []string{"IM2", "IM3"},
			Kept: []Kept{
				{Database, untilDelivered, names("log.pos log.stream log.n log.sender log.device log.client_id log.about log.kind log.at")},
				{Clear, untilDeleted, names("store:messages store:pages store:queue store:drafts MessageRecord.c MessageRecord.s MessageRecord.at PageRecord.c PageRecord.s PageRecord.to QueueRecord.n QueueRecord.c QueueRecord.at DraftRecord.c")},
				{Clear, untilNextPerson, names("store:ids IdRecord.h IdRecord.s IdRecord.e")},
				{Sealed, untilDeleted, names("MessageBox.from MessageBox.id MessageBox.entry MessageBox.kind PageItem.s PageItem.at QueueBox.id QueueBox.failed")},
			},
			Sent: []Sent{
				{Wire, toServer, names("SendFrame.client_id SendFrame.conversation SendFrame.kind")},
				{Wire, toMembers, names("Entry.cursor Entry.conversation Entry.from Entry.client_id Entry.own_device Entry.kind Entry.at " +
					"EntryEvent.cursor EntryEvent.conversation EntryEvent.from EntryEvent.client_id EntryEvent.own_device EntryEvent.kind EntryEvent.at")},
				{Wire, toDevice, names("AcceptedEvent.conversation AcceptedEvent.client_id AcceptedEvent.at KnownEvent.client_id RefusedEvent.client_id RefusedEvent.problem")},
			},
		},
		{
			Name:    "up to where messages were delivered",
			Source:  "the devices, which acknowledge what they have stored",
			Use:     "show that a message has arrived, and number what comes later",
			Seen:    members,
			Control: "Nobody who is blocked learns anything by it.",
			Claims:  []string{"IM2", "IM3"},
			Kept: []Kept{
				{Database, forGood, names("streams.id streams.second streams.purged streams.purged_n streams.delivered streams.changed")},
				{Memory, whileRunning, names("conversation.stream.positions conversation.stream.firstN conversation.stream.silent " +
					"conversation.reader.waiting conversation.waiting.pos conversation.waiting.stream conversation.waiting.own")},
				{Sealed, untilDeleted, names("ChatBox.delivered")},
			},
			Sent: []Sent{
				{Bus, otherServers, names("topic:conversation conversation.Hint.Kind conversation.Hint.Person conversation.Hint.Device conversation.Hint.Conversation conversation.Hint.Upto")},
				{Wire, toMembers, names("DeliveredEvent.conversation DeliveredEvent.person DeliveredEvent.id Marks.marks ConversationMarks.conversation ConversationMarks.delivered DeliveredMark.person DeliveredMark.id")},
			},
		},
		{
			Name:    "how far a person has read",
			Source:  "the person's devices",
			Use:     "count what is unread, on every device of the person alike",
			Seen:    self,
			Control: "It is told to the person's own devices only.",
			Claims:  []string{"IM2"},
			Kept: []Kept{
				{Database, forGood, names("read_marks.person read_marks.stream read_marks.pos read_marks.n read_marks.changed")},
				{Clear, untilDeleted, names("store:chats ChatRecord.c ChatRecord.at")},
				{Sealed, untilDeleted, names("ChatRecord.box ChatBox.entry ChatBox.unread ChatBox.read ChatBox.unsent")},
				{Browser, "while the app is installed, as a number at its icon", names("badge:unread")},
			},
			Sent: []Sent{
				{Wire, toServer, names("ReadFrame.conversation ReadFrame.id")},
				{Wire, toOwnDevices, names("ReadEvent.conversation ReadEvent.id ConversationMarks.read")},
			},
		},
		{
			Name:    "that somebody types",
			Source:  "the person's device",
			Use:     "show it to the other side for some seconds",
			Seen:    members,
			Control: "It is passed on and forgotten.",
			Claims:  []string{"PR7"},
			Sent: []Sent{
				{Bus, otherServers, names("conversation.Hint.From conversation.Hint.On")},
				{Wire, toServer, names("TypingFrame.conversation TypingFrame.on")},
				{Wire, toMembers, names("TypingEvent.conversation TypingEvent.person TypingEvent.on")},
			},
		},
	},
}
