package place

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"parley"
)

// What the names of the invented people are made of.
var (
	given = []string{"Ada", "Bruno", "Chloé", "Dragan", "Émilie", "Fjölnir", "Gülşen", "Håkon", "İrem", "Jovana", "Květa", "Łukasz",
		"Mónica", "Noor", "Óscar", "Paweł", "Rania", "Šimon", "Tuğba", "Ulla", "Vérité", "Wanjiru", "Xavier", "Yōko", "Željka"}
	onsets  = []string{"B", "D", "Fr", "G", "H", "K", "L", "M", "N", "P", "R", "S", "St", "T", "V", "W"}
	middles = []string{"a", "e", "i", "o", "u", "ä", "ö", "é", "ar", "el", "in", "or"}
	ends    = []string{"berg", "kov", "dahl", "eira", "ford", "gaard", "hart", "idis", "jak", "lund", "mann", "nescu", "otti", "quist", "rez", "sen",
		"ström", "tani", "usz", "vić", "wala", "zadeh"}
	trades = []string{"Sales", "Logistics", "Finance", "Research", "Production", "Legal", "Support", "Design"}
)

// personOf invents the person with a number: always the same one.
func personOf(number int) parley.Person {
	random := rand.New(rand.NewPCG(81, uint64(number)))
	pick := func(list []string) string { return list[random.IntN(len(list))] }
	first := pick(given)
	last := pick(onsets) + pick(middles) + pick(ends)
	alias := fmt.Sprintf("u%06d", number)
	return parley.Person{
		SourceID: fmt.Sprintf("00000000-0000-4000-8000-%012d", number),
		Address:  alias + "@" + domain, Mail: alias + "@" + domain, Alias: alias,
		DisplayName: first + " " + last, GivenName: first, Surname: last,
		Title: "Engineer", Company: "Load Ltd", Department: fmt.Sprintf("%s %d", pick(trades), number/200), Office: fmt.Sprintf("Building %d", number%40),
		WorkPhone: fmt.Sprintf("+4940669%06d", number), Region: "DE",
	}
}

// surnames are the different surnames of the first people, at most a thousand of
// them.
func surnames(people int) []string {
	found := map[string]bool{}
	for i := 0; i < people && len(found) < 1000; i++ {
		found[personOf(i).Surname] = true
	}
	list := make([]string, 0, len(found))
	for name := range found {
		list = append(list, strings.ToLower(name))
	}
	slices.Sort(list)
	return list
}
