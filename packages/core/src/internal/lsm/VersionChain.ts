/**
 * All versions of one key in a generation, newest to oldest.
 *
 * The first row of a key is its *head*: it stands for the key in the order, and
 * knows the newest version and how many there are. So overwriting a key touches
 * the hash slot and the head, never the order.
 *
 *     head (version 1) <─older─ 2 <─older─ 3 <─older─ 4     head.newest = 4
 *            ^─────────jump─────┘                            jump(v) = v - lowest bit of v
 *
 * A read at an old bound must not walk a hot key's whole history, so each version
 * also has a jump, laid out as in a Fenwick tree: version v jumps to the version
 * whose number is v without its lowest set bit. Finding a version among n takes at
 * most log2(n)^2 steps, usually one, and adding one takes two steps on average.
 *
 * The three words of a record mean:
 *
 *     | word  | of the head         | of every other version |
 *     | older | -1                  | the version before it  |
 *     | jump  | number of versions  | its jump, or -1        |
 *     | head  | the newest version  | the head               |
 */
import type { Sequence } from "../model/Sequence.ts"
import type { RowRecords } from "./RowRecords.ts"

/** Makes `row` the newest version of a key whose newest was `newest`, or of a new key when that is -1. */
export const add = (rows: RowRecords, row: number, newest: number): void => {
  if (newest === -1) {
    rows.setChain(row, -1, 1, row)
    return
  }
  const head = rows.olderOf(newest) === -1 ? newest : rows.headOf(newest)
  const version = rows.jumpOf(head) + 1
  let jump = newest
  for (let bit = 1; (version & bit) === 0; bit <<= 1) {
    jump = jump === head || jump === -1 ? -1 : rows.jumpOf(jump)
  }
  rows.setChain(row, newest, jump, head)
  rows.setChain(head, -1, version, row)
}

/** Whether the row is the first version of its key. */
export const isHead = (rows: RowRecords, row: number): boolean => rows.olderOf(row) === -1

/**
 * The next older version, or -1. Of rows that share key and sequence number only the last counts: the official engine
 * writes such rows for a batch that it cannot fold, and then reads but the last of them itself.
 */
export const older = (rows: RowRecords, row: number): number => {
  const sequence = rows.sequenceOf(row)
  let at = rows.olderOf(row)
  while (at !== -1 && rows.sequenceOf(at) === sequence) at = rows.olderOf(at)
  return at
}

/** The newest version of the key of a head. */
export const newestOf = (rows: RowRecords, head: number): number => rows.headOf(head)

/** The newest version from `row` down whose sequence number is at most `bound`, or -1. */
export const newestAtMost = (rows: RowRecords, row: number, bound: Sequence): number => {
  let at = row
  while (at !== -1 && rows.sequenceOf(at) > bound) {
    const older = rows.olderOf(at)
    if (older === -1) return -1
    const jump = rows.jumpOf(at)
    at = jump !== -1 && rows.sequenceOf(jump) > bound ? jump : older
  }
  return at
}
