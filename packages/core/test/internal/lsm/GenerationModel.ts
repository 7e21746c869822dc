/**
 * A generation as a sorted array of plain rows: slow, and too simple to be wrong.
 */
import { assert } from "@effect/vitest"
import { type Cursor, Step } from "../../../src/internal/lsm/Cursor.ts"
import { type CursorOptions, Generation } from "../../../src/internal/lsm/Generation.ts"
import * as ByteOrder from "../../../src/internal/model/ByteOrder.ts"
import * as RowEntry from "../../../src/internal/model/RowEntry.ts"

const byKeyNewestFirst = (a: RowEntry.RowEntry, b: RowEntry.RowEntry): number =>
  ByteOrder.compare(a.key, b.key) || b.sequence - a.sequence

/** Small repeatable randomness, so that a failing run is named by its seed. */
export const randomFrom = (seed: number): ((below: number) => number) => {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below)
  }
}

export const rowOf = (
  key: Uint8Array,
  sequence: number,
  fields: Partial<Omit<RowEntry.RowEntry, "key" | "sequence">> = {}
): RowEntry.RowEntry => ({
  key,
  sequence,
  value: new Uint8Array(0),
  kind: RowEntry.Kind.put,
  createTime: RowEntry.noCreateTime,
  expireTime: RowEntry.neverExpires,
  ...fields
})

/** Appends from arrays with alien bytes around key and value, and scribbles over them after. */
export const append = (generation: Generation, row: RowEntry.RowEntry): void => {
  const input = new Uint8Array(row.key.length + row.value.length + 3).fill(0xaa)
  input.set(row.key, 1)
  input.set(row.value, row.key.length + 2)
  generation.append(
    input,
    1,
    row.key.length + 1,
    input,
    row.key.length + 2,
    row.key.length + 2 + row.value.length,
    row.sequence,
    row.kind,
    row.createTime,
    row.expireTime
  )
  input.fill(0x55)
}

export const drain = (cursor: Cursor, rowsMax = Infinity): Array<RowEntry.RowEntry> => {
  const rows: Array<RowEntry.RowEntry> = []
  while (rows.length < rowsMax) {
    const step = cursor.next()
    assert.notStrictEqual(step, Step.blocked)
    if (step === Step.done) break
    rows.push(RowEntry.copy(cursor.row))
  }
  return rows
}

const isSameRow = (a: RowEntry.RowEntry, b: RowEntry.RowEntry | undefined): boolean =>
  b !== undefined &&
  a.sequence === b.sequence &&
  a.kind === b.kind &&
  a.createTime === b.createTime &&
  a.expireTime === b.expireTime &&
  ByteOrder.compare(a.key, b.key) === 0 &&
  ByteOrder.compare(a.value, b.value) === 0

/** Deep equality of rows; its own loop, as the general one takes most of a test's time. */
export const assertRows = (
  actual: ReadonlyArray<RowEntry.RowEntry>,
  expected: ReadonlyArray<RowEntry.RowEntry>
): void => {
  const isSame = actual.length === expected.length && actual.every((row, i) => isSameRow(row, expected[i]))
  if (!isSame) assert.deepStrictEqual(actual, expected)
}

export const entryAt = (generation: Generation, row: number): RowEntry.RowEntry => {
  const view = new RowEntry.RowView()
  generation.view(row, view)
  return RowEntry.copy(view)
}

export class GenerationModel {
  readonly generation: Generation
  /** In the order of appending. */
  readonly rows: Array<RowEntry.RowEntry> = []

  constructor(hashSeed: number) {
    this.generation = Generation.make({ hashSeed })
  }

  append(row: RowEntry.RowEntry): void {
    append(this.generation, row)
    this.rows.push(row)
  }

  /** What a cursor made now should give, in full. */
  range(options: CursorOptions): Array<RowEntry.RowEntry> {
    const rows = this.rows
      .filter(
        (row) =>
          row.sequence <= options.maxSequence &&
          (options.start === undefined || ByteOrder.compare(row.key, options.start) >= 0) &&
          (options.end === undefined || ByteOrder.compare(row.key, options.end) < 0)
      )
      .toSorted(byKeyNewestFirst)
    return options.descending === true ? rows.toReversed() : rows
  }

  /** The versions of a key up to a bound, newest first. */
  versions(key: Uint8Array, maxSequence: number): Array<RowEntry.RowEntry> {
    return this.rows
      .filter((row) => row.sequence <= maxSequence && ByteOrder.compare(row.key, key) === 0)
      .toSorted(byKeyNewestFirst)
  }

  checkFind(key: Uint8Array, maxSequence: number): void {
    const { generation } = this
    const padded = new Uint8Array(key.length + 2)
    padded.set(key, 1)
    const found: Array<RowEntry.RowEntry> = []
    let row = generation.find(padded, 1, key.length + 1, maxSequence)
    while (row !== -1) {
      const entry = entryAt(generation, row)
      found.push(entry)
      row = generation.older(row)
    }
    assertRows(found, this.versions(key, maxSequence))
  }

  checkRange(options: CursorOptions): void {
    assertRows(drain(this.generation.cursor(options)), this.range(options))
  }

  /** Counters, and the rows of a range of sequence numbers in the order of appending. */
  checkCounters(): void {
    const { generation, rows } = this
    assert.strictEqual(generation.rowCount, rows.length)
    assert.strictEqual(generation.firstSequence, rows[0]?.sequence ?? 0)
    assert.strictEqual(generation.lastSequence, rows.at(-1)?.sequence ?? 0)
    assert.strictEqual(generation.mergeRowCount, rows.filter((row) => row.kind === RowEntry.Kind.merge).length)
    assert.strictEqual(generation.hasMerges, generation.mergeRowCount > 0)
    assert.strictEqual(generation.greatestCreateTime, Math.max(...rows.map((row) => row.createTime)))
    const keysAndValues = rows.reduce((sum, row) => sum + row.key.length + row.value.length, 0)
    assert.isAtLeast(generation.logicalBytes, keysAndValues)
    assert.isAtLeast(generation.allocatedBytes, keysAndValues)
  }

  checkWalk(above: number, atMost: number): void {
    const { generation, rows } = this
    const walked: Array<RowEntry.RowEntry> = []
    for (let row = generation.firstRowAbove(above); row < generation.firstRowAbove(atMost); row++) {
      walked.push(entryAt(generation, row))
    }
    assertRows(
      walked,
      rows.filter((row) => row.sequence > above && row.sequence <= atMost)
    )
  }
}
