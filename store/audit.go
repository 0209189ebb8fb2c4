package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"parley"
)

// The audit trail is a chain: the hash of a record covers the record and the hash
// before it. The committing writer gives a record its number and its hash, so
// there is one order and one chain. What is hashed is what is stored, byte by
// byte: a column whose content is sealed one day, with a key that can be
// destroyed, stays in the chain when nobody can read it any more.
//
// The chain shows a change to whoever looks later, not who made it. Somebody who
// may write to the database can make a whole new chain; an AuditMark that is kept
// elsewhere shows that, too.

// auditRow is a record as it is stored.
type auditRow struct {
	id, at, kind, actor, device int64
	action                      string
	person                      int64
	detail                      string
	hash                        []byte
}

// auditForm names the way in which a record is hashed. Another way, or more
// columns, is another form.
const auditForm = "parley audit 1\n"

// sum is the hash that the record must have behind the one with the hash before.
// Numbers are eight bytes, texts have their length before them, so no two records
// are hashed alike.
func (r *auditRow) sum(before []byte) []byte {
	h := sha256.New()
	number := func(n int64) {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(n))
		h.Write(b[:])
	}
	text := func(s string) {
		number(int64(len(s)))
		h.Write([]byte(s))
	}
	h.Write([]byte(auditForm))
	text(string(before))
	for _, n := range []int64{r.id, r.at, r.kind, r.actor, r.device, r.person} {
		number(n)
	}
	text(r.action)
	text(r.detail)
	return h.Sum(nil)
}

const (
	insertAudit = `
INSERT INTO audit (id, at, kind, actor, device, action, person, detail, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

	selectAudit = `
SELECT id, at, kind, actor, device, action, person, detail, hash FROM audit WHERE id > $1 ORDER BY id LIMIT $2`

	selectAuditHead = `
SELECT coalesce(head.record, 0), head.hash, (SELECT coalesce(max(id), 0) FROM audit)
FROM (SELECT 1 AS one) always LEFT JOIN audit_head head ON head.id = always.one`

	upsertAuditHead = `
INSERT INTO audit_head (id, record, hash) VALUES (1, $1, $2)
ON CONFLICT (id) DO UPDATE SET record = excluded.record, hash = excluded.hash`
)

// auditHead is the end of the chain.
type auditHead struct {
	record int64  // number of the newest record; 0: there is none
	hash   []byte // its hash
	top    int64  // highest number there is: another one only if somebody meddled
}

// scanAuditHead reads the end of the chain. Where it is missing the chain begins
// anew, which a verification notices; signing in must not fail for that.
func scanAuditHead(r row) (h auditHead, err error) {
	err = r.Scan(&h.record, &h.hash, &h.top)
	return h, parley.Wrap(err, "reading the end of the audit trail")
}

func scanAudit(r row) (a auditRow, err error) {
	err = r.Scan(&a.id, &a.at, &a.kind, &a.actor, &a.device, &a.action, &a.person, &a.detail, &a.hash)
	return a, err
}

// audit adds records to the trail.
func (b *batch) audit(records []parley.Audit) error {
	if len(records) == 0 {
		return nil
	}
	head, err := scanAuditHead(b.queryRow(selectAuditHead))
	if err != nil {
		return err
	}
	last := max(head.record, head.top)
	for _, r := range records {
		last++
		at := r.At
		if at.IsZero() {
			at = b.now
		}
		a := auditRow{
			id: last, at: millis(at), kind: int64(r.Actor.Kind), actor: int64(r.Actor.Person), device: int64(r.Actor.Device),
			action: string(r.Action), person: int64(r.Person), detail: r.Detail,
		}
		head.hash = a.sum(head.hash)
		if err := b.later(insertAudit, a.id, a.at, a.kind, a.actor, a.device, a.action, a.person, a.detail, head.hash); err != nil {
			return fmt.Errorf("storing an audit record: %w", err)
		}
	}
	return parley.Wrap(b.later(upsertAuditHead, last, head.hash), "moving the end of the audit trail")
}

// chainAudit gives the records from before there was a chain their hashes. It
// does nothing where a chain has begun.
type chainAudit struct{}

func (chainAudit) apply(b *batch) error {
	head, err := scanAuditHead(b.queryRow(selectAuditHead))
	if err != nil || head.record != 0 {
		return err
	}
	var last auditRow
	for {
		rows, err := b.query(selectAudit, last.id, pageRows)
		page, err := collect(rows, err, scanAudit)
		if err != nil {
			return fmt.Errorf("reading the audit trail: %w", err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			if len(r.hash) > 0 {
				return nil // the end is missing, not the chain: a verification will say so
			}
			r.hash = r.sum(last.hash)
			if err := b.later(`UPDATE audit SET hash = $2 WHERE id = $1`, r.id, r.hash); err != nil {
				return fmt.Errorf("chaining the audit trail: %w", err)
			}
			last = r
		}
	}
	if last.id == 0 {
		return nil
	}
	return parley.Wrap(b.later(upsertAuditHead, last.id, last.hash), "moving the end of the audit trail")
}

// AuditMark names a record of the audit trail, and with it everything before:
// nothing of that can change without another hash. Its text form is the number,
// a colon, and the hash in hexadecimal digits.
type AuditMark struct {
	Record int64
	Hash   [sha256.Size]byte
}

// String gives the text form; empty for the mark of an empty trail.
func (m AuditMark) String() string {
	if m.Record == 0 {
		return ""
	}
	return strconv.FormatInt(m.Record, 10) + ":" + hex.EncodeToString(m.Hash[:])
}

// ParseAuditMark reads the text form.
func ParseAuditMark(text string) (m AuditMark, err error) {
	number, digits, _ := strings.Cut(text, ":")
	m.Record, err = strconv.ParseInt(number, 10, 64)
	hash, hashErr := hex.DecodeString(digits)
	if err != nil || m.Record < 1 || hashErr != nil || len(hash) != len(m.Hash) {
		return AuditMark{}, fmt.Errorf("%.80q is no mark of the audit trail: want a record's number, a colon and %d hexadecimal digits", text, 2*len(m.Hash))
	}
	copy(m.Hash[:], hash)
	return m, nil
}

// AuditVerdict is what a verification of the audit trail found.
type AuditVerdict struct {
	Records int64     // how many records were found good
	End     AuditMark // the newest of them

	// Broken is the number of the first record that is missing or is not what was
	// stored; 0: the trail is whole. Problem says what is wrong with it.
	Broken  int64
	Problem string
}

// VerifyAudit walks the audit trail from its first record and says whether it is
// what was stored. Each known mark is compared with the record that it names, so
// that a mark kept outside the database shows even a chain that was made anew.
// The server may run meanwhile.
func (s *Store) VerifyAudit(ctx context.Context, known ...AuditMark) (AuditVerdict, error) {
	w := auditWalk{known: known}
	for {
		// The end is read before the page: whatever it names must be there then.
		head, err := scanAuditHead(s.read.queryRow(ctx, selectAuditHead))
		if err != nil {
			return w.AuditVerdict, err
		}
		rows, err := s.read.query(ctx, selectAudit, w.last.id, pageRows)
		page, err := collect(rows, err, scanAudit)
		if err != nil {
			return w.AuditVerdict, fmt.Errorf("reading the audit trail: %w", err)
		}
		for i := range page {
			if !w.step(page[i]) {
				return w.AuditVerdict, nil
			}
		}
		if len(page) == 0 {
			w.arrive(head)
			return w.AuditVerdict, nil
		}
	}
}

// auditWalk is a verification under way.
type auditWalk struct {
	AuditVerdict
	known []AuditMark
	last  auditRow
}

// step looks at the next record and reports whether it is good.
func (w *auditWalk) step(r auditRow) bool {
	good := bytes.Equal(r.hash, r.sum(w.last.hash))
	switch {
	case good:
	case r.id > w.last.id+1:
		return w.broken(w.last.id+1, "is missing")
	case w.last.id == 0:
		return w.broken(r.id, "was changed")
	default:
		return w.broken(r.id, fmt.Sprintf("was changed, or does not follow record %d", w.last.id))
	}
	for _, m := range w.known {
		if m.Record == r.id && !bytes.Equal(m.Hash[:], r.hash) {
			return w.broken(r.id, "is not the one of the mark: this record, or one before it, was replaced")
		}
		if m.Record > w.last.id && m.Record < r.id {
			return w.broken(m.Record, "is missing, though there is a mark of it")
		}
	}
	w.Records, w.last = w.Records+1, r
	w.End.Record = r.id
	copy(w.End.Hash[:], r.hash)
	return true
}

// arrive compares the last record with the end that was noted.
func (w *auditWalk) arrive(head auditHead) {
	switch {
	case head.record > w.last.id:
		w.broken(w.last.id+1, "is missing at the end")
	case head.record < w.last.id:
		w.broken(head.record+1, "was not added by the server")
	case !bytes.Equal(head.hash, w.last.hash):
		w.broken(w.last.id, "is not the one that the end of the trail names")
	}
	for _, m := range w.known {
		if w.Broken == 0 && m.Record > w.last.id {
			w.broken(w.last.id+1, fmt.Sprintf("is missing, though there is a mark of record %d", m.Record))
		}
	}
}

func (w *auditWalk) broken(record int64, problem string) bool {
	w.Broken, w.Problem = record, problem
	return false
}
