// What a person decides about records: the twin of contact/merge_decide.go.
import { merge, type Decisions, type Pair, type RecordKey, type SourceRecord } from './merge'
import { compareText } from './mergetext'

export const undecided: Decisions = { apart: [], together: [] }

const without = (list: readonly Pair[], a: RecordKey, b: RecordKey): Pair[] =>
  list.filter(([x, y]) => !((x === a && y === b) || (x === b && y === a)))

const ordered = (a: RecordKey, b: RecordKey): Pair => (compareText(b, a) < 0 ? [b, a] : [a, b])

/** The decisions after somebody said that a record is not the person of the others. */
export function unlink(d: Decisions, record: RecordKey, others: readonly RecordKey[]): Decisions {
  let { apart, together } = d
  for (const other of others) {
    if (other === record) continue
    together = without(together, record, other)
    apart = [...without(apart, record, other), ordered(record, other)]
  }
  return { apart, together }
}

/** The decisions after somebody said that two records are one person. Two people of the directory stay two. */
export function link(d: Decisions, records: readonly SourceRecord[], a: RecordKey, b: RecordKey): Decisions {
  const involved = merge(records, d).filter((m) => m.records.includes(a) || m.records.includes(b)).flatMap((m) => m.records)
  const all = new Set(involved)
  const apart = d.apart.filter(([x, y]) => !(all.has(x) && all.has(y)))
  const eased = { apart, together: d.together }
  if (merge(records, eased).some((m) => m.records.includes(a) && m.records.includes(b))) return eased
  return { apart, together: [...without(d.together, a, b), ordered(a, b)] }
}

const has = (list: readonly Pair[], [a, b]: Pair): boolean => list.some(([x, y]) => (x === a && y === b) || (x === b && y === a))
const minus = (list: readonly Pair[], other: readonly Pair[]): Pair[] => list.filter((pair) => !has(other, pair))

/**
 * The way back from a decision: what it added goes, what it removed comes back. Whatever was decided since stays, the
 * opposite of what would come back among it.
 */
export function undo(before: Decisions, after: Decisions): (now: Decisions) => Decisions {
  return (now) => {
    const apart = minus(now.apart, minus(after.apart, before.apart))
    const together = minus(now.together, minus(after.together, before.together))
    return {
      apart: [...apart, ...minus(minus(minus(before.apart, after.apart), apart), together)],
      together: [...together, ...minus(minus(minus(before.together, after.together), together), apart)],
    }
  }
}
