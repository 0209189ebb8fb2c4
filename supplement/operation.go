package supplement

var operation = Feature{
	Name: "Running the server",
	Does: "The operator keeps the server going, and sees that it does and what administrators did.",
	Items: []Item{
		{
			Name:    "everything that the server stores",
			Source:  "the items of this inventory",
			Use:     "have it again after a restart, in a file in the data folder or in PostgreSQL",
			Seen:    operator,
			Control: "The operator chooses the database, makes backups and keeps them. What is deleted or purged is overwritten in the file; PostgreSQL's files may hold it for a while longer.",
			Claims:  []string{"PV3", "IM3"},
			Kept: []Kept{
				{Folder, "as long as each item says", names("parley.db parley.db-wal parley.db-shm")},
				{Folder, "until the operator deletes it, after a restore", names("parley-before-*.db*")},
				{Folder, "while a backup is made or restored", names(".backup-*/* parley.db.restoring*")},
			},
			Sent: []Sent{
				{Outbound, "the organisation's database server", names("database")},
			},
		},
		{
			Name:    "what has changed",
			Source:  "the server",
			Use:     "let the other servers of the organisation know, where there are several",
			Seen:    nobody,
			Control: "No message travels on this way.",
			Claims:  []string{"PV3"},
			Kept: []Kept{
				{Log, asLongAsTheLog, names("node incarnation table topic heard recorded")},
				{Database, "until the server says again that it is there", names("nodes.name nodes.seen")},
			},
			Sent: []Sent{
				{Outbound, "the other servers of the organisation, or its NATS servers", names("bus routes")},
				{Bus, otherServers, names("topic:log topic:directory table:health")},
			},
		},
		{
			Name:    "that something changed",
			Source:  "the server that made the change, where several share a database",
			Use:     "let the other servers read again what they hold in memory: whose device, relationship, preferences, state or entry in the directory it is",
			Seen:    nobody,
			Control: "It says that something changed and not what it is now. With one server there is none of it.",
			Kept: []Kept{
				{Database, "for a day or two", names("changes.seq changes.kind changes.person changes.other changes.pos changes.detail changes.at")},
			},
		},
		{
			Name:    "the trail",
			Source:  "the server, when somebody signs in or out and when an administrator does something",
			Use:     "show who did what to whose account",
			Seen:    operator,
			Control: "It holds no content. Each record carries a hash of itself and of the one before, so a record that is changed or removed is noticed.",
			Claims:  []string{"PV4", "LG4"},
			Kept: []Kept{
				{Database, forGood, names("audit.id audit.at audit.kind audit.actor audit.device audit.action audit.person audit.detail audit.hash " +
					"audit_head.id audit_head.record audit_head.hash")},
				{Log, asLongAsTheLog, names("mark")},
			},
			Sent: []Sent{
				{Wire, toAdministrator, names("control:AuditVerified.records control:AuditVerified.mark control:AuditVerified.broken control:AuditVerified.problem")},
			},
		},
		{
			Name:    "work that is due",
			Source:  "the server",
			Use:     "do later what has to happen after a change, and every night what keeps the server in order",
			Seen:    operator,
			Control: "It goes when it is done. What failed for good stays, with the reason, until the operator has it tried again or removes it.",
			Kept: []Kept{
				{Database, "until it is done or removed", names("jobs.id jobs.kind jobs.name jobs.due jobs.payload jobs.leased jobs.attempts jobs.failed jobs.error")},
				{Log, asLongAsTheLog, names("kind job attempt pause removed")},
			},
			Sent: []Sent{
				{Figures, toMonitoring, names("state")},
				{Wire, toServer, names("control:jobRequest.id")},
				{Wire, toAdministrator, names("control:ListedJob.id control:ListedJob.kind control:ListedJob.state control:ListedJob.due control:ListedJob.attempts " +
					"control:ListedJob.failed control:ListedJob.error")},
			},
		},
		{
			Name:    "the organisation's rules",
			Source:  "the administrator, who sets them at run time or in the configuration",
			Use:     "decide what is switched on, and show who decided it and when",
			Seen:    administrators,
			Control: "Every change is kept, with who made it, and stands in the trail.",
			Claims:  []string{"PV1", "PV4"},
			Kept: []Kept{
				{Database, forGood, names("policy_changes.id policy_changes.rule policy_changes.value policy_changes.stands policy_changes.at " +
					"policy_changes.kind policy_changes.actor policy_changes.device")},
				{Log, asLongAsTheLog, names("rule")},
			},
			Sent: []Sent{
				{Wire, toServer, names("setPolicy.key SetPolicyRequest.value resetPolicy.key getPolicyHistory.key getPolicyHistory.before getPolicyHistory.limit")},
				{Wire, toAdministrators, names("Policies.policies Policy.key Policy.kind Policy.label Policy.doc Policy.value Policy.default Policy.min Policy.max " +
					"Policy.choices Policy.pending Policy.source Policy.where Policy.changed PolicyChange.id PolicyChange.key PolicyChange.value " +
					"PolicyChange.reset PolicyChange.at PolicyChange.by PolicyChange.by_name PolicyHistory.changes PolicyHistory.more")},
				{Wire, toServer, names("control:ruleRequest.key control:ruleRequest.value")},
				{Wire, toAdministrator, names("control:ListedRule.key control:ListedRule.kind control:ListedRule.label control:ListedRule.doc control:ListedRule.value " +
					"control:ListedRule.default control:ListedRule.min control:ListedRule.max control:ListedRule.pending control:ListedRule.source " +
					"control:ListedRule.where control:ListedRule.changed control:RuleChange.id control:RuleChange.key control:RuleChange.value " +
					"control:RuleChange.reset control:RuleChange.at control:RuleChange.by")},
			},
		},
		{
			Name:    "what the database is",
			Source:  "the server, when it makes the database or restores it",
			Use:     "recognise a device that comes from another time, and keep the server's traffic to itself",
			Seen:    nobody,
			Control: "It is nobody's data.",
			Kept: []Kept{
				{Database, forGood, names("meta.id meta.epoch meta.seal_key meta.created meta.head meta.changes schema_versions.id schema_versions.version_id schema_versions.is_applied schema_versions.tstamp")},
			},
		},
		{
			Name:    "the network address that a device comes from",
			Source:  "the connection, or the proxy in front of the server",
			Use:     "slow down whoever guesses passwords",
			Seen:    operator,
			Control: "It is kept in memory only, where requests and failures are counted, and turned into no place. It is logged at level debug only, when a connection breaks off.",
			Claims:  []string{"LS2", "AC1"},
			Kept: []Kept{
				{Log, asLongAsTheLog, names("msg")},
			},
			Sent: []Sent{
				{Wire, toServer, names("address:peer header:X-Forwarded-For header:X-Forwarded-Proto header:X-Forwarded-Host header:Forwarded header:X-Real-Ip header:Via")},
			},
		},
		{
			Name:    "what went wrong",
			Source:  "the server",
			Use:     "let the operator find faults",
			Seen:    operator,
			Control: "The operator sets what is logged and keeps the log. A number stands for a person, a device or a request; no content, no password, no token and no search is in it.",
			Claims:  []string{"LG4"},
			Kept: []Kept{
				{Log, asLongAsTheLog, names("time level error fault stack request operation frame reason document record waiting line problem")},
			},
		},
		{
			Name:    "how much there is to do",
			Source:  "the server, which counts",
			Use:     "let the operator see how the server is",
			Seen:    operator,
			Control: "No label holds an id, an address or a name.",
			Claims:  []string{"LG4"},
			Kept: []Kept{
				{Log, asLongAsTheLog, names("route status took")},
			},
			Sent: []Sent{
				{Figures, toMonitoring, names("route status kind version")},
			},
		},
		{
			Name:    "what administrators do at the command line",
			Source:  "the administrator",
			Use:     "run the server",
			Seen:    operator,
			Control: "The socket in the data folder is open to the account that the server runs under, and to nobody else.",
			Claims:  []string{"LG4"},
			Kept: []Kept{
				{Folder, "while the server runs", names("control.sock parley.lock")},
				{Folder, "as long as the folder holds the demo organisation", names("demo-organisation")},
				{Log, asLongAsTheLog, names("command key where read added changed left problems bytes addr version")},
			},
			Sent: []Sent{
				{Outbound, "the running server on the same machine", names("control")},
				{Wire, toServer, names("control:personRequest.address control:personRequest.password")},
				{Wire, toAdministrator, names("control:ImportCount.read control:ImportCount.added control:ImportCount.changed control:ImportCount.unchanged control:ImportCount.skipped " +
					"control:ImportCount.left control:ImportCount.problems control:importLine.problem control:importLine.progress control:importLine.done control:importLine.failed " +
					"control:Listed.address control:Listed.display_name control:Listed.disabled control:Listed.barred control:Listed.gone control:Listed.requested " +
					"control:Invited.link control:Invited.expires control:controlRefusal.error")},
			},
		},
		{
			Name:    "the server's certificate",
			Source:  "the certificate authority that the operator chose",
			Use:     "encrypt the connections of the devices",
			Seen:    anybody,
			Control: "The operator can use files instead; then nobody is asked.",
			Claims:  []string{"PV3"},
			Kept: []Kept{
				{Folder, "until the operator deletes it", names("acme/* lan/authority.pem")},
				{Log, asLongAsTheLog, names("host expires")},
			},
			Sent: []Sent{
				{Outbound, "the certificate authority, which learns the server's host names and the operator's mail address", names("certificates")},
			},
		},
		{
			Name:    "how the corporate directory is reached",
			Source:  "the server's configuration",
			Use:     "read people from the directory, have it check passwords, and see when it cannot be reached",
			Seen:    operator,
			Control: "The operator chooses the servers, the account that the directory is read with, and what is read.",
			Claims:  []string{"AC1"},
			Kept: []Kept{
				{Log, asLongAsTheLog, names("server")},
			},
			Sent: []Sent{
				{Outbound, "the organisation's directory, which learns who signs in and when", names("directory")},
			},
		},
		{
			Name:    "the ledger of outbound connections",
			Source:  "the server, which counts them by purpose",
			Use:     "show the operator whom the server talks to",
			Seen:    operator,
			Control: "A connection without a declared purpose is refused.",
			Claims:  []string{"PV3"},
			Kept: []Kept{
				{Log, asLongAsTheLog, names("purpose")},
			},
			Sent: []Sent{
				{Figures, toMonitoring, names("purpose")},
				{Wire, toAdministrator, names("control:Outbound.purpose control:Outbound.for control:Outbound.data control:Outbound.hosts control:Outbound.past control:Outbound.uncounted " +
					"control:Outbound.connections control:Outbound.refused control:Outbound.sent control:Outbound.received control:Outbound.last_used")},
			},
		},
	},
}
