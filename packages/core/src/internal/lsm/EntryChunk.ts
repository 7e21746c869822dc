/**
 * Rows as the entries of a chunk: bytes for callers to keep.
 *
 *     values where they lie   ...[v1]..[v2]..[v3].........[v4]...
 *     copied together            └── stretch ──┘          └──┘
 *
 * To copy a hundred bytes costs what it costs to copy a thousand. So a value waits for those
 * that lie near it, and goes into a stretch with them; of a stretch at least half is values.
 */
import type { Entry } from "../model/ReadOptions.ts"
import type { RowView } from "../model/RowEntry.ts"
import * as Shapes from "../model/Shapes.ts"
import { ByteCopies, slabCopyBytesMax } from "./ByteCopies.ts"

const noBytes = new Uint8Array(0)

/*
 * V8 counts how many objects of a literal live on. Where most do, as the pages of a program that keeps them, compiled
 * code may allocate all later ones of that literal among the old: there each keeps what it refers to until the next full
 * collection, and pages that are dropped at once cost twice their time. So what is given out comes from a constructor and
 * from `slice`, which nobody counts.
 */

class KeyAndValue implements Entry {
  readonly key: Uint8Array
  value: Uint8Array = noBytes

  constructor(key: Uint8Array) {
    this.key = key
  }
}

/** Its copies are arrays of objects from the start, as it had one. */
const noEntries: Array<KeyAndValue> = [new KeyAndValue(noBytes)]
noEntries.pop()

export class EntryChunk {
  readonly #entries = noEntries.slice()
  readonly #keyCopies: ByteCopies
  readonly #valueCopies: ByteCopies
  /** Entries from here on wait for their values: these lie in `#source[#start, #end)`, each at two numbers of `#places`. */
  #copied = 0
  #source: Uint8Array = noBytes
  #start = 0
  #end = 0
  #valueBytes = 0
  readonly #places: Array<number> = []

  /** Keys come from slabs of their own, so that one that is kept pins no values. */
  constructor(keyCopies: ByteCopies, valueCopies: ByteCopies) {
    this.#keyCopies = keyCopies
    this.#valueCopies = valueCopies
  }

  get length(): number {
    return this.#entries.length
  }

  /** Adds a row, and returns the bytes of its key and value. */
  add(row: RowView): number {
    const { valueEnd, valueStart } = row
    if (!this.#extend(row.value, valueStart, valueEnd)) {
      this.#copyValues()
      this.#source = row.value
      this.#start = valueStart
      this.#end = valueEnd
      this.#valueBytes = valueEnd - valueStart
    }
    const at = 2 * (this.#entries.length - this.#copied)
    this.#places[at] = valueStart
    this.#places[at + 1] = valueEnd
    this.#entries.push(new KeyAndValue(this.#keyCopies.copy(row.key, row.keyStart, row.keyEnd)))
    return row.keyEnd - row.keyStart + valueEnd - valueStart
  }

  /** The entries; nothing can be added any more. */
  end(): ReadonlyArray<Entry> {
    this.#copyValues()
    this.#source = noBytes
    return this.#entries
  }

  /** Takes a value into the stretch, if it lies near. */
  #extend(source: Uint8Array, valueStart: number, valueEnd: number): boolean {
    if (source !== this.#source) return false
    const start = valueStart < this.#start ? valueStart : this.#start
    const end = valueEnd > this.#end ? valueEnd : this.#end
    const valueBytes = this.#valueBytes + valueEnd - valueStart
    if (end - start > slabCopyBytesMax || end - start > 2 * valueBytes) return false
    this.#start = start
    this.#end = end
    this.#valueBytes = valueBytes
    return true
  }

  #copyValues(): void {
    const entries = this.#entries
    const first = this.#copied
    if (first === entries.length) return
    const copy = this.#valueCopies.copy(this.#source, this.#start, this.#end)
    this.#copied = entries.length
    if (first + 1 === entries.length) {
      ;(entries[first] as KeyAndValue).value = copy
      return
    }
    const places = this.#places
    const { buffer } = copy
    const shift = copy.byteOffset - this.#start
    for (let i = first; i < entries.length; i++) {
      const at = 2 * (i - first)
      const start = places[at] as number
      const entry = entries[i] as KeyAndValue
      entry.value = new Uint8Array(buffer, start + shift, (places[at + 1] as number) - start)
    }
  }
}

Shapes.keep(new KeyAndValue(noBytes))
Shapes.keep(new EntryChunk(new ByteCopies(), new ByteCopies()))
