package contact

import (
	"cmp"
	"maps"
	"slices"
)

// joining finds which records are about the same person. Whatever it does, it
// does in an order that depends on the records alone, so their own order means
// nothing.
type joining struct {
	nodes []*MergeRecord // in the order of compareRecords
	keys  []RecordKey
	first map[RecordKey]int // where the records of a key begin

	identifiers [][]string       // of each node: all its addresses, normalised, sorted
	holders     map[string][]int // who has an identifier, in order

	root    []int         // the node that stands for the group; it stands for itself
	members map[int][]int // of each root
	anchor  map[int]RecordKey

	apart    map[RecordKey]map[RecordKey]bool
	together []Pair
	torn     map[RecordKey]bool // cards of several people, which nobody has joined to one of them
	contest  map[RecordKey][]RecordKey
}

func newJoining(records []MergeRecord, d Decisions) *joining {
	j := &joining{
		first: map[RecordKey]int{}, holders: map[string][]int{}, members: map[int][]int{}, anchor: map[int]RecordKey{},
		apart: map[RecordKey]map[RecordKey]bool{}, contest: map[RecordKey][]RecordKey{}, torn: map[RecordKey]bool{},
	}
	for i := range records {
		j.nodes = append(j.nodes, &records[i])
	}
	slices.SortStableFunc(j.nodes, compareRecords)
	for i, r := range j.nodes {
		key := r.Key()
		j.keys = append(j.keys, key)
		if _, known := j.first[key]; !known {
			j.first[key] = i
		}
		j.root = append(j.root, i)
		j.members[i] = []int{i}
		if r.Kind == FromDirectory {
			j.anchor[i] = key
		}
		j.identifiers = append(j.identifiers, identifiersOf(r))
		for _, id := range j.identifiers[i] {
			j.holders[id] = append(j.holders[id], i)
		}
	}
	for _, p := range d.Apart {
		if p[0] != p[1] {
			j.keepApart(p[0], p[1])
			j.keepApart(p[1], p[0])
		}
	}
	for _, p := range d.Together {
		if !j.apart[p[0]][p[1]] {
			j.together = append(j.together, p)
		}
	}
	return j
}

func (j *joining) keepApart(a, b RecordKey) {
	if j.apart[a] == nil {
		j.apart[a] = map[RecordKey]bool{}
	}
	j.apart[a][b] = true
}

// identifiersOf gives every address of a record in its normal form, sorted.
func identifiersOf(r *MergeRecord) []string {
	var list []string
	for _, text := range slices.Concat(r.Addresses, r.Mails) {
		if id := Identifier(text); id != "" {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// join joins what belongs together, the strongest ties first: what came first
// stands when a later tie would join two people of the directory, or what somebody
// decided to keep apart.
func (j *joining) join() {
	j.joinSame()
	j.joinDecided()
	j.joinNamed()
	j.joinDirectory(true)
	j.joinDirectory(false)
	j.joinOthers()
}

// joinSame joins records with one key, and somebody's entry in the contact list to
// the person.
func (j *joining) joinSame() {
	for i, key := range j.keys {
		j.union(j.first[key], i)
		if j.nodes[i].Kind != FromContacts {
			continue
		}
		if person, known := j.first[RecordKey(string(FromDirectory)+":"+j.nodes[i].ID)]; known {
			j.union(person, i)
		}
	}
}

// joinDecided joins what somebody said is the same person.
func (j *joining) joinDecided() {
	var pairs [][2]int
	for _, p := range j.together {
		a, hasA := j.first[p[0]]
		b, hasB := j.first[p[1]]
		if hasA && hasB {
			pairs = append(pairs, [2]int{min(a, b), max(a, b)})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	for _, p := range pairs {
		j.union(p[0], p[1])
	}
}

// joinNamed joins cards to the one person of the directory whom their addresses
// name. An address names whoever signs in with it, else the only person who has
// it; a shared mailbox names nobody. A card that names several people is joined to
// none of them, nor to other cards, which could lead to one of them: only what
// somebody decided joins it.
func (j *joining) joinNamed() {
	named := map[RecordKey][]int{}
	for i, r := range j.nodes {
		if r.Kind != FromDevice && r.Kind != FromAddressBook {
			continue
		}
		for _, id := range j.identifiers[i] {
			if person, one := j.named(id); one && !slices.Contains(named[j.keys[i]], person) {
				named[j.keys[i]] = append(named[j.keys[i]], person)
			}
		}
	}
	for key, people := range named {
		j.torn[key] = len(people) > 1 && j.anchorOf(j.first[key]) == ""
	}
	for i, key := range j.keys {
		if people := named[key]; len(people) == 1 {
			j.union(people[0], i)
		}
	}
}

// named gives the one person of the directory whom an address names, if any.
func (j *joining) named(id string) (int, bool) {
	signs, has := map[RecordKey]bool{}, map[RecordKey]bool{}
	for _, holder := range j.holders[id] {
		if j.nodes[holder].Kind != FromDirectory {
			continue
		}
		has[j.keys[holder]] = true
		if j.signInOf(holder) == id {
			signs[j.keys[holder]] = true
		}
	}
	if len(signs) > 0 {
		has = signs
	}
	for key := range has {
		return j.first[key], len(has) == 1
	}
	return 0, false
}

// joinDirectory joins records to people of the directory: by a person's own
// sign-in address, or by any of their addresses.
func (j *joining) joinDirectory(bySignIn bool) {
	for i, r := range j.nodes {
		if r.Kind == FromDirectory {
			continue
		}
		var people []int
		for _, id := range j.identifiers[i] {
			for _, holder := range j.holders[id] {
				if j.nodes[holder].Kind == FromDirectory && (!bySignIn || j.signInOf(holder) == id) {
					people = append(people, holder)
				}
			}
		}
		slices.Sort(people)
		for _, person := range slices.Compact(people) {
			if !j.torn[j.keys[i]] && j.union(person, i) || j.anchorOf(person) == j.anchorOf(i) {
				continue
			}
			if !j.apart[j.keys[person]][j.keys[i]] {
				j.contest[j.keys[i]] = append(j.contest[j.keys[i]], j.keys[person])
			}
		}
	}
}

// signInOf gives the own sign-in address of a person of the directory.
func (j *joining) signInOf(person int) string {
	if a := j.nodes[person].Addresses; len(a) > 0 {
		return Identifier(a[0])
	}
	return ""
}

// joinOthers joins records that share an address with each other.
func (j *joining) joinOthers() {
	for _, id := range slices.Sorted(maps.Keys(j.holders)) {
		var groups []int // one node of each group that has the address
		for _, i := range j.holders[id] {
			if j.nodes[i].Kind != FromDirectory && !j.torn[j.keys[i]] && !slices.ContainsFunc(groups, func(g int) bool { return j.find(g) == j.find(i) || j.union(g, i) }) {
				groups = append(groups, i)
			}
		}
	}
}

func (j *joining) find(i int) int {
	for j.root[i] != i {
		j.root[i] = j.root[j.root[i]]
		i = j.root[i]
	}
	return i
}

// anchorOf gives the person of the directory that a node's group is, if any.
func (j *joining) anchorOf(i int) RecordKey { return j.anchor[j.find(i)] }

// union joins the groups of two nodes, if they may be joined.
func (j *joining) union(a, b int) bool {
	a, b = j.find(a), j.find(b)
	if a == b {
		return true
	}
	if j.anchor[a] != "" && j.anchor[b] != "" && j.anchor[a] != j.anchor[b] || j.keptApart(a, b) {
		return false
	}
	if len(j.members[a]) < len(j.members[b]) {
		a, b = b, a
	}
	j.root[b] = a
	j.members[a] = append(j.members[a], j.members[b]...)
	delete(j.members, b)
	if j.anchor[a] == "" {
		j.anchor[a] = j.anchor[b]
	}
	return true
}

// keptApart reports whether somebody decided that a record of one group is not the
// person of a record of the other.
func (j *joining) keptApart(a, b int) bool {
	if len(j.apart) == 0 {
		return false
	}
	if len(j.members[a]) > len(j.members[b]) {
		a, b = b, a
	}
	for _, i := range j.members[a] {
		for other := range j.apart[j.keys[i]] {
			if at, known := j.first[other]; known && j.find(at) == b {
				return true
			}
		}
	}
	return false
}

// contests gives the further people of the directory whose address a record has.
func (j *joining) contests(key RecordKey) []Contest {
	mine := j.anchorOf(j.first[key])
	list := slices.DeleteFunc(slices.Clone(j.contest[key]), func(k RecordKey) bool { return k == mine })
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(a, b RecordKey) int { return cmp.Compare(j.first[a], j.first[b]) })
	return []Contest{{Record: key, With: slices.Compact(list)}}
}
