/**
 * Holds a manifest against the WAL objects that are there.
 *
 *     ids      3   4   5 | 6   7   8
 *              covered   | to be replayed
 *                        replayAfterWalId = 5
 */
import type { Fault } from "./Fault.ts"
import type { Manifest } from "./Manifest.ts"
import { Kind, neverExpires, type RowView } from "./RowEntry.ts"
import type { Sequence } from "./Sequence.ts"
import type { TableContents } from "./TableContents.ts"

export interface WalContents {
  readonly id: number
  /** Absent when the object could not be read. */
  readonly contents: TableContents | undefined
}

/** `wals`: every object of the log, by ascending id. */
export const check = (manifest: Manifest, wals: ReadonlyArray<WalContents>): ReadonlyArray<Fault> => {
  const last = wals.at(-1)?.id
  if (manifest.hasSeparateWalStore) {
    return last === undefined
      ? []
      : [
          {
            rule: "database",
            detail: `a WAL lies here, but the manifest says that it is in a store of its own: wal=${last}`
          }
        ]
  }
  return [
    ...gaps(manifest.replayAfterWalId, last ?? 0, wals),
    ...border(manifest, last),
    ...rows(manifest, withoutLateObjects(manifest, wals)),
    ...versions(wals)
  ]
}

/** What a pinned manifest needs of the log: what its writer knew and it does not cover. */
export const checkPinned = (
  { hasSeparateWalStore, replayAfterWalId, walIdLastSeen }: Manifest,
  wals: ReadonlyArray<WalContents>
): ReadonlyArray<Fault> => {
  const known = wals.filter(({ id }) => id <= walIdLastSeen)
  const end = Math.min(walIdLastSeen, wals.at(-1)?.id ?? 0)
  if (hasSeparateWalStore) return []
  return gaps(replayAfterWalId, end, known)
}

/** Replay needs every object above `replayAfterWalId`. */
const gaps = (after: number, through: number, wals: ReadonlyArray<WalContents>): ReadonlyArray<Fault> => {
  const faults: Array<Fault> = []
  let expected = after + 1
  for (const id of [...wals.map((wal) => wal.id), through + 1]) {
    if (id < expected) continue
    if (id > expected) {
      const missing = id - 1 === expected ? `wal=${expected}` : `wals=${expected}..${id - 1}`
      faults.push({ rule: "L2", detail: `the log has a gap: ${missing} replayAfterWalId=${after}` })
    }
    expected = id + 1
  }
  return faults
}

/** The border lies inside the log: the object it names stays, and the next id is at most under way. */
const border = (manifest: Manifest, last: number | undefined): ReadonlyArray<Fault> => {
  const { replayAfterWalId, walIdLastSeen } = manifest
  // A clone begins with what its parent had not flushed, perhaps nothing.
  const greatest = last ?? (manifest.externalDbs.length > 0 ? Infinity : 0)
  const faults: Array<Fault> = []
  if (replayAfterWalId > greatest) {
    faults.push({
      rule: "L16",
      detail: `the covered log is longer than the log: replayAfterWalId=${replayAfterWalId} last wal=${greatest}`
    })
  }
  if (walIdLastSeen > greatest + 1) {
    faults.push({
      rule: "L16",
      detail: `the writer saw more than there is: walIdLastSeen=${walIdLastSeen} last wal=${greatest}`
    })
  }
  return faults
}

/**
 * Leaves out what a fenced writer stored after its successor's fence was collected: its PUT was under way all the
 * time. The log had gone on with the same sequence numbers and covers it, so it is replayed by nobody, and nothing in it
 * was acknowledged.
 */
const withoutLateObjects = (
  { replayAfterWalId }: Manifest,
  wals: ReadonlyArray<WalContents>
): ReadonlyArray<WalContents> => {
  let nextSequence = Infinity
  return wals
    .toReversed()
    .filter(({ contents, id }) => {
      if (contents === undefined || contents.rows === 0) return true
      const isLate = id < replayAfterWalId && contents.lastSequence >= nextSequence
      if (!isLate) nextSequence = contents.firstSequence
      return !isLate
    })
    .toReversed()
}

const rows = (manifest: Manifest, wals: ReadonlyArray<WalContents>): ReadonlyArray<Fault> => {
  const { lastL0ClockTick = -Infinity, lastL0Sequence, replayAfterWalId } = manifest
  const faults: Array<Fault> = []
  let before: { readonly id: number; readonly sequence: Sequence } | undefined
  for (const { contents, id } of wals) {
    if (contents === undefined || contents.rows === 0) continue
    const { firstCreateTime, firstSequence, lastSequence } = contents
    if (before !== undefined && firstSequence <= before.sequence) {
      faults.push({
        rule: "L2",
        detail: `sequences go back: wal=${id} sequence=${firstSequence} after wal=${before.id} sequence=${before.sequence}`
      })
    }
    if (id <= replayAfterWalId && lastSequence > lastL0Sequence) {
      faults.push({
        rule: "L16",
        detail: `a covered WAL holds rows above level 0: wal=${id} sequence=${lastSequence} lastL0Sequence=${lastL0Sequence}`
      })
    }
    if (firstSequence > lastL0Sequence && firstCreateTime < lastL0ClockTick) {
      faults.push({
        rule: "L16",
        detail: `rows above level 0 are older than its clock tick: wal=${id} createTime=${firstCreateTime} lastL0ClockTick=${lastL0ClockTick}`
      })
    }
    before = { id, sequence: lastSequence }
  }
  return faults
}

/** Writers move to a newer format version, never back; one old object among new ones has a wrong footer. */
const versions = (wals: ReadonlyArray<WalContents>): ReadonlyArray<Fault> => {
  const known = wals.flatMap(({ contents, id }) =>
    contents?.formatVersion === undefined ? [] : [{ id, version: contents.formatVersion, rows: contents.rows }]
  )
  return known
    .filter(({ version }, i) => version === 1 && known.some((other, j) => other.version === 2 && Math.abs(i - j) === 1))
    .map(({ id }) => ({
      rule: "format",
      detail: `a WAL object has another format version than its neighbour: wal=${id}`
    }))
}

/**
 * Finds rows of the log that the manifest takes for stored and no table holds:
 * their sequence is above every table's, and not above `lastL0Sequence`.
 *
 * Compaction may drop what is deleted or expired, so only values that nothing has
 * taken away count.
 */
export class LostRows {
  readonly #above: Sequence
  readonly #through: Sequence
  readonly #rows = new Map<string, Sequence>()

  constructor(above: Sequence, through: Sequence) {
    this.#above = above
    this.#through = through
  }

  see(row: RowView): void {
    if (row.sequence <= this.#above || row.sequence > this.#through || this.#rows.size >= rowsMax) return
    let key = ""
    for (let i = row.keyStart; i < row.keyEnd; i++) key += (row.key[i] as number).toString(16).padStart(2, "0")
    if (row.kind === Kind.put && row.expireTime === neverExpires) this.#rows.set(key, row.sequence)
    else this.#rows.delete(key)
  }

  get faults(): ReadonlyArray<Fault> {
    const [first] = this.#rows
    if (first === undefined) return []
    const [key, sequence] = first
    return [
      {
        rule: "L16",
        detail: `rows of the log are covered and in no table: rows=${this.#rows.size} first=0x${key}@${sequence} lastL0Sequence=${this.#through}`
      }
    ]
  }
}

/** One is enough to tell; many are not kept. */
const rowsMax = 1000
