package demo

// Member is one person of the demo organisation.
type Member struct {
	Alias      string // and sign-in name: Alias@Domain
	Given      string
	Surname    string
	Display    string // empty: given name and surname
	Title      string
	Department string
	Office     string // a key of offices
	Manager    string // an alias; empty for the head
	Home       string // home phone
	look       look
}

// Name is the display name.
func (m *Member) Name() string {
	if m.Display != "" {
		return m.Display
	}
	return m.Given + " " + m.Surname
}

// Address is the sign-in address.
func (m *Member) Address() string { return m.Alias + "@" + Domain }

// office says where somebody works. The two formats are of the ranges that the
// country sets aside for fiction, and take a number from 0 to 99.
type office struct {
	place, country string
	work, mobile   string
}

var offices = map[string]office{
	"Hamburg":   {"Hamburg, Am Sandtorkai 9", "DE", "+49 40 66969 1%02d", "+49 171 39200 %02d"},
	"London":    {"London, Finch Yard", "GB", "020 7946 07%02d", "+44 7700 9001%02d"},
	"Paris":     {"Paris, quai de la Loire", "FR", "01 99 00 42 %02d", "+33 6 39 98 11 %02d"},
	"Stockholm": {"Stockholm, Skeppsbron", "SE", "08-465 004 %02d", "+46 70 17406%02d"},
	"Toronto":   {"Toronto, Queens Quay", "CA", "(416) 555-01%02d", "+1 647-555-01%02d"},

	// Norway sets no numbers aside: these begin as none there does.
	"Oslo": {"Oslo, Havnegata", "NO", "+47 20 00 11 %02d", "+47 42 00 11 %02d"},
}

// Members is the whole organisation, heads first.
var Members = []Member{
	{"maren", "Maren", "Finch", "", "Managing Director", "Management", "Hamburg", "", "+49 40 66969 500", look{fair, bob, auburn, blazer, glasses}},
	{"elias", "Elias", "Harbour", "", "Head of Operations", "Management", "London", "maren", "", look{light, side, grey, blazer, stubble}},
	{"zoe", "Zoë", "Lindqvist", "", "Head of Technology", "Technology", "Stockholm", "maren", "", look{fair, bun, blond, crew, plain}},
	{"francois", "François", "Beaumont", "", "Head of Buying", "Buying", "Paris", "maren", "", look{light, quiff, brown, shirt, beard}},
	{"seun", "Olúwaṣeun", "Adébáyọ̀", "", "Head of Finance", "Finance", "London", "maren", "020 7946 0800", look{dark, crop, black, blazer, glasses}},
	{"siobhan", "Siobhán", "O’Neill", "", "Head of People", "People", "London", "maren", "", look{fair, waves, ginger, vneck, freckles}},

	{"juergen", "Jürgen", "Großmann", "", "Head of Logistics", "Logistics", "Hamburg", "elias", "", look{light, bald, grey, shirt, beard | glasses}},
	{"priya", "Priya", "Raghunathan", "", "Head of Shops", "Shops", "London", "elias", "", look{brownSkin, long, black, vneck, plain}},
	{"eleni", "Ελένη", "Παπαδοπούλου", "", "Warehouse Lead", "Logistics", "Hamburg", "juergen", "", look{olive, ponytail, black, crew, plain}},
	{"dmitri", "Дмитрий", "Соколов", "", "Customs Specialist", "Logistics", "Hamburg", "juergen", "", look{fair, short, brown, shirt, stubble}},
	{"hanna", "Hanna", "Petersen", "", "Shipping Coordinator", "Logistics", "Hamburg", "juergen", "", look{fair, long, blond, crew, plain}},
	{"kwame", "Kwame", "Mensah", "", "Shipping Coordinator", "Logistics", "London", "juergen", "", look{deep, short, black, crew, beard}},
	{"astrid", "Astrid", "Sjöberg", "", "Quality Inspector", "Logistics", "Stockholm", "juergen", "", look{light, bob, white, vneck, glasses}},

	{"thandi", "Thandiwe", "Nkosi", "", "Shop Manager", "Shops", "London", "priya", "", look{deep, curls, black, blazer, plain}},
	{"luc", "Luc", "Deschênes", "", "Shop Manager", "Shops", "Toronto", "priya", "", look{light, waves, brown, shirt, stubble}},
	{"ines", "Inès", "Château-Renard", "", "Shop Manager", "Shops", "Paris", "priya", "", look{olive, bun, brown, blazer, plain}},
	{"mehmet", "Mehmet", "Şahin", "", "Shop Assistant", "Shops", "Hamburg", "priya", "", look{olive, quiff, black, crew, stubble}},
	{"birgit", "Birgit", "Østergård", "", "Shop Assistant", "Shops", "Hamburg", "priya", "", look{fair, waves, grey, crew, glasses}},
	{"nguyen", "Thị Hồng", "Nguyễn", "Nguyễn Thị Hồng", "Shop Assistant", "Shops", "Paris", "ines", "", look{light, long, black, crew, plain}},

	{"misaki", "美咲", "田中", "田中 美咲", "Tea Taster", "Buying", "Toronto", "francois", "", look{light, bob, black, vneck, plain}},
	{"wei", "伟", "陈", "陈伟 (Wei Chen)", "Senior Buyer", "Buying", "London", "francois", "", look{light, side, black, blazer, glasses}},
	{"fatima", "فاطمة", "الزهراني", "فاطمة الزهراني", "Buyer, Spices", "Buying", "Paris", "francois", "", look{olive, scarf, teal, vneck, plain}},
	{"ravi", "Ravi", "Singh", "", "Buyer, Assam and Darjeeling", "Buying", "London", "wei", "", look{brownSkin, turban, amber, shirt, beard}},
	{"lucia", "Lucía", "Fernández de la Cruz", "", "Buyer, Coffee", "Buying", "Paris", "francois", "", look{olive, curls, brown, blazer, plain}},
	{"teddy", "Edward", "Whitcombe-Hale", "Teddy Whitcombe-Hale", "Blender", "Buying", "London", "wei", "", look{fair, bald, white, vneck, glasses}},

	{"jonas", "Jonas", "Brückner", "", "Software Engineer", "Technology", "Hamburg", "zoe", "", look{fair, quiff, blond, crew, glasses}},
	{"jiwoo", "지우", "김", "김지우", "Software Engineer", "Technology", "Toronto", "zoe", "", look{light, short, black, crew, plain}},
	{"amara", "Amara", "Okonkwo", "", "Software Engineer", "Technology", "London", "zoe", "", look{dark, bun, black, vneck, glasses}},
	{"pawel", "Paweł", "Wiśniewski", "", "Systems Administrator", "Technology", "Stockholm", "zoe", "", look{fair, crop, brown, crew, beard}},
	{"noa", "נועה", "לוי", "נועה לוי", "Designer", "Technology", "Stockholm", "zoe", "", look{olive, curls, auburn, crew, freckles}},
	{"sione", "Sione", "Taufahema", "", "Support Engineer", "Technology", "Toronto", "zoe", "", look{brownSkin, side, black, shirt, plain}},

	{"gudrun", "Guðrún", "Þórsdóttir", "", "Controller", "Finance", "Stockholm", "seun", "", look{fair, ponytail, ginger, blazer, plain}},
	{"henk", "Henk", "van der Berg", "", "Accountant", "Finance", "Hamburg", "seun", "", look{light, side, white, shirt, glasses}},
	{"chloe", "Chloé", "Lefèvre", "", "Accountant", "Finance", "Paris", "seun", "01 99 00 77 01", look{fair, bob, brown, shirt, freckles}},
	{"yusuf", "Yusuf", "Abdi", "", "Payroll Clerk", "Finance", "London", "gudrun", "", look{deep, crop, black, vneck, stubble}},

	{"rosa", "Rosa", "D’Angelo", "", "People Partner", "People", "Hamburg", "siobhan", "", look{olive, waves, black, blazer, glasses}},
	{"caoimhe", "Caoimhe", "Ní Bhriain", "", "Recruiter", "People", "London", "siobhan", "", look{fair, long, ginger, crew, glasses}},
	{"samir", "سمير", "حداد", "سمير حداد", "Learning and Development", "People", "Paris", "siobhan", "", look{olive, short, black, blazer, beard | glasses}},
	{"ottilie", "Ottilie", "Weiß", "", "Office Manager", "People", "Hamburg", "rosa", "", look{light, bun, white, vneck, glasses}},
	{"malia", "Malia", "Kealoha", "", "Assistant to the Managing Director", "Management", "Hamburg", "maren", "", look{brownSkin, ponytail, brown, shirt, plain}},

	{"soren", "Søren", "Ångström", "", "Harbour Pilot", "Logistics", "Oslo", "juergen", "", look{fair, side, blond, blazer, beard | glasses}},
}

// Group is a group of the demo organisation's directory.
type Group struct {
	Name        string
	Mail        string
	Description string
	Members     []string // aliases
	Inside      []string // names of the groups inside it
}

// SourceID is the group's lasting id in the directory.
func (g *Group) SourceID() string { return sourceID("group " + g.Name) }

// Groups are the groups of the directory.
var Groups = []Group{
	{"Tasting Panel", "tasting@" + Domain, "Who decides what is bought", []string{"misaki", "wei", "teddy"}, []string{"Buyers"}},
	{"Buyers", "buyers@" + Domain, "Everybody who buys", []string{"francois", "fatima", "ravi", "lucia"}, nil},
	{"First Aid", "first-aid@" + Domain, "Trained first aiders of all offices", []string{"hanna", "pawel", "ines", "sione", "ottilie"}, nil},
	{"Harbour Night Shift", "nights@" + Domain, "Ships that come in after ten", []string{"soren", "eleni", "dmitri", "kwame"}, nil},
}

// Typed are phone numbers that members typed themselves: the kind by its name on
// the wire, and the number.
var Typed = map[string][][2]string{
	"hanna":  {{"mobile", "+49 171 39200 98"}},
	"jonas":  {{"home", "+49 40 66969 598"}, {"work", "+49 40 66969 199"}},
	"thandi": {{"other", "+44 20 7946 0899"}},
}
