// Package contact is the organisation's people as the app meets them: search
// over the directory, contact cards, the groups of the Contacts tab, photos, and
// the import of a directory's records.
//
// Its Book holds everybody in memory, with an index for the search. It decides
// what a search finds and in which order, and who belongs to which group. What a
// viewer may see of anybody is never decided here: every field that leaves the
// Book has passed through privacy.Render, and a search counts a hit only through
// a field that the viewer's class may see.
//
// It must never tell somebody hidden from somebody absent, count what it does
// not show, or read a directory's own format: it is given records.
package contact
