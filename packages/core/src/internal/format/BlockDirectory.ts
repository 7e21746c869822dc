/**
 * Where the rows of a block are, so that a lookup goes straight to one.
 *
 *     number of row 0 .. row n-1 | place of row 0 .. row n-1
 *     place = 256 * start + parent
 *
 * A number sorts as the row's key does ({@link KeyNumber}, that of the table's index).
 * The start is where the row begins in the payload. The parent is how many rows before
 * it lies the last one that shares fewer bytes with the row before; 0: the row shares
 * none. From parent to parent all bytes of a key are found, in few steps.
 *
 * One array for all, because each more is a trip to memory for a block that processor caches
 * do not hold.
 */
export type BlockDirectory = Float64Array

const placeUnit = 256

/** The last byte at which a row may start, and the farthest a parent may be. */
export const startMax = 0xffff
export const parentMax = placeUnit - 1

/** Bytes that a row takes. */
export const rowBytes = 16

let drafts = new Float64Array(2048)
let sharedDrafts = new Uint32Array(1024)

/** A directory of so many rows, to be set, and valid until the next one is drafted. */
export const draft = (rows: number): BlockDirectory => {
  if (2 * rows > drafts.length) drafts = new Float64Array(4 * rows)
  return drafts.subarray(0, 2 * rows)
}

/** For how many bytes each of so many rows shares with the row before, while a directory is drafted. */
export const draftShared = (rows: number): Uint32Array => {
  if (rows > sharedDrafts.length) sharedDrafts = new Uint32Array(2 * rows)
  return sharedDrafts
}

export const setRow = (directory: BlockDirectory, row: number, number: number, start: number, parent: number): void => {
  directory[row] = number
  directory[rowCount(directory) + row] = start * placeUnit + parent
}

export const rowCount = (directory: BlockDirectory): number => directory.length >>> 1

export const startOf = (directory: BlockDirectory, row: number): number =>
  (directory[rowCount(directory) + row] as number) >>> 8

export const parentOf = (directory: BlockDirectory, row: number): number =>
  (directory[rowCount(directory) + row] as number) & parentMax

/** The first row whose number is not below `number`. */
export const firstNotBelow = (directory: BlockDirectory, number: number): number => {
  let low = 0
  let high = rowCount(directory)
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((directory[middle] as number) < number) low = middle + 1
    else high = middle
  }
  return low
}
