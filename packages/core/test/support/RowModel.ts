/**
 * Rows as tests make them, and the naive model of what they mean: no merging
 * streams, no cursors, just the definition.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import type { MergeFunction } from "../../src/internal/lsm/MergeFold.ts"
import { type Cursor, Step } from "../../src/internal/lsm/Cursor.ts"
import * as ByteOrder from "../../src/internal/model/ByteOrder.ts"
import { copy, Kind, neverExpires, type RowEntry, RowView } from "../../src/internal/model/RowEntry.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const bytes = (text: string): Uint8Array => encoder.encode(text)
export const text = (value: Uint8Array): string => decoder.decode(value)

/** Shows the order in which operands were folded. */
export const concat: MergeFunction = (_key, existing, operand) =>
  bytes(existing === undefined ? text(operand) : `${text(existing)}+${text(operand)}`)

export const row = (
  key: string,
  sequence: number,
  what: { readonly put?: string; readonly merge?: string; readonly expireTime?: number; readonly createTime?: number }
): RowEntry => ({
  key: bytes(key),
  value: bytes(what.put ?? what.merge ?? ""),
  sequence,
  kind: what.put !== undefined ? Kind.put : what.merge !== undefined ? Kind.merge : Kind.tombstone,
  createTime: what.createTime ?? 0,
  expireTime: what.expireTime ?? neverExpires
})

const below = (end: number) => Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: end - 1 })))

const drafts = Arbitrary.array(
  Arbitrary.all({ key: below(5), kind: below(10), expiry: below(8), batch: below(3), source: below(4) }),
  { maxLength: 40 }
)

/** A row, and which of several sources it lies in. */
export interface Placed {
  readonly row: RowEntry
  readonly source: number
}

/**
 * Rows of a few keys, oldest first: puts, deletes and operands, of which some expire at 10 or 20. Some
 * share a sequence number, as rows of a batch do.
 */
export const placedRows: Arbitrary.Arbitrary<ReadonlyArray<Placed>> = Arbitrary.map(drafts, (all) => {
  let sequence = 1
  let inBatch = new Set<number>()
  return all.map(({ batch, expiry, key, kind, source }, i): Placed => {
    if (batch > 0 || inBatch.has(key)) {
      sequence++
      inBatch = new Set()
    }
    inBatch.add(key)
    const isTombstone = kind >= 8
    const value = isTombstone ? {} : kind < 4 ? { put: `p${i}` } : { merge: `m${i}` }
    const expireTime = isTombstone || expiry > 3 ? neverExpires : 10 * (1 + (expiry % 2))
    return { row: row(`k${key}`, sequence, { ...value, expireTime }), source }
  })
})

/** Key ascending, within a key the newest first; or the exact reverse. */
export const inOrder = (rows: ReadonlyArray<RowEntry>, order: "ascending" | "descending"): ReadonlyArray<RowEntry> => {
  const sorted = rows.toSorted((a, b) => ByteOrder.compare(a.key, b.key) || b.sequence - a.sequence)
  return order === "ascending" ? sorted : sorted.toReversed()
}

/** What a reader at a sequence number and a time sees: `key=value`, in key order. */
export const visible = (
  rows: ReadonlyArray<RowEntry>,
  at: { readonly maxSequence: number; readonly now: number }
): ReadonlyArray<string> => {
  const seen = inOrder(rows, "ascending").filter(({ sequence }) => sequence <= at.maxSequence)
  return [...new Set(seen.map(({ key }) => text(key)))].flatMap((key) => {
    const value = valueOf(
      seen.filter((row) => text(row.key) === key),
      at.now
    )
    return value === undefined ? [] : [`${key}=${value}`]
  })
}

const valueOf = (newestFirst: ReadonlyArray<RowEntry>, now: number): string | undefined => {
  const base = newestFirst.findIndex(({ kind }) => kind !== Kind.merge)
  const isAlive = ({ expireTime }: RowEntry) => expireTime > now
  const operands = (base < 0 ? newestFirst : newestFirst.slice(0, base)).filter(isAlive).toReversed()
  const below = newestFirst[base]
  const start = below?.kind === Kind.put && isAlive(below) ? [below] : []
  const parts = [...start, ...operands].map(({ value }) => text(value))
  return parts.length === 0 ? undefined : parts.join("+")
}

/** Walks rows that are given in order. Says `blocked` before every third row, until asked again. */
export class ArrayCursor implements Cursor {
  row = new RowView()
  readonly #rows: ReadonlyArray<RowEntry>
  #next = 0
  #wasBlocked = false

  constructor(rows: ReadonlyArray<RowEntry>) {
    this.#rows = rows
  }

  next(): Step {
    if (this.#next % 3 === 2 && !this.#wasBlocked) {
      this.#wasBlocked = true
      return Step.blocked
    }
    this.#wasBlocked = false
    const entry = this.#rows[this.#next]
    if (entry === undefined) return Step.done
    this.#next++
    // The window before is scribbled over: nobody may keep what was borrowed.
    this.row.key.fill(0xee)
    this.row.value.fill(0xee)
    this.row = new RowView()
    Object.assign(this.row, {
      ...entry,
      key: entry.key.slice(),
      keyEnd: entry.key.length,
      value: entry.value.slice(),
      valueEnd: entry.value.length
    })
    return Step.row
  }
}

/** All rows of a cursor. */
export const drain = (cursor: Cursor): ReadonlyArray<RowEntry> => {
  const rows: Array<RowEntry> = []
  for (let step = cursor.next(); step !== Step.done; step = cursor.next()) {
    if (step === Step.row) rows.push(copy(cursor.row))
  }
  return rows
}

/** Short enough to be compared by eye. */
export const told = ({ expireTime, key, kind, sequence, value }: RowEntry): string => {
  const what = kind === Kind.put ? "=" : kind === Kind.merge ? "+" : "-"
  return `${sequence} ${text(key)}${what}${text(value)}${expireTime === neverExpires ? "" : `@${expireTime}`}`
}
