/**
 * What a database must show after so many batches of a history: the model that
 * both engines are compared with.
 */
import type { Batch, History } from "./History.ts"

export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** What is found where, by who looked. */
export interface Found {
  readonly scanned: ReadonlyArray<Entry>
  /** Of each key of the history, in its order, what a lookup gave. */
  readonly looked: ReadonlyArray<Uint8Array | undefined>
  /** Whether expired values may be among it: the official engine shows them until they are flushed. */
  readonly mayShowExpired: boolean
}

interface Kept {
  readonly value: Uint8Array
  readonly isExpired: boolean
}

export class Contents {
  readonly #history: History
  /** By the key's bytes as Latin-1, whose order is that of the bytes. */
  readonly #kept: Map<string, Kept>
  #sequence = 0

  /** Nothing, or what another one has. */
  constructor(history: History, other?: Contents) {
    this.#history = history
    this.#kept = new Map(other === undefined ? [] : other.#kept)
    this.#sequence = other?.sequence ?? 0
  }

  /** How many batches are in it. */
  get sequence(): number {
    return this.#sequence
  }

  /** Applies the batches up to `sequence`. It never goes back. */
  advance(sequence: number): void {
    if (sequence < this.#sequence) {
      throw new RangeError(`contents do not go back: sequence=${sequence} is=${this.#sequence}`)
    }
    while (this.#sequence < sequence) this.#apply(this.#history.batch(++this.#sequence))
  }

  /** The first thing that was found and should not, or should and was not. */
  difference({ looked, mayShowExpired, scanned }: Found): string | undefined {
    const expected = [...this.#kept].toSorted(([a], [b]) => (a < b ? -1 : 1))
    let at = 0
    for (const [key, kept] of expected) {
      const entry = scanned[at]
      const found = entry === undefined ? undefined : latin1(entry.key)
      if (found !== undefined && found < key) break
      const isHere = found === key
      if (!isHere && kept.isExpired) continue
      const wrong = this.#judge(key, isHere ? entry?.value : undefined, mayShowExpired)
      if (wrong !== undefined) return `a scan at ${at}: ${wrong}`
      at++
    }
    const surplus = scanned[at]
    if (surplus !== undefined) {
      return `a scan at ${at}: ${this.#judge(latin1(surplus.key), surplus.value, mayShowExpired) ?? "a key out of order"}`
    }
    for (const [i, key] of this.#history.keys.entries()) {
      const wrong = this.#judge(latin1(key), looked[i], mayShowExpired)
      if (wrong !== undefined) return `a lookup: ${wrong}`
    }
    return undefined
  }

  #judge(key: string, found: Uint8Array | undefined, mayShowExpired: boolean): string | undefined {
    const kept = this.#kept.get(key)
    const isRight =
      kept === undefined || (kept.isExpired && !(mayShowExpired && found !== undefined))
        ? found === undefined
        : found !== undefined && Buffer.compare(found, kept.value) === 0
    if (isRight) return undefined
    const expected = kept === undefined || kept.isExpired ? "nothing" : print(kept.value)
    return `key=${print(Buffer.from(key, "latin1"))} expected=${expected} found=${found === undefined ? "nothing" : print(found)}`
  }

  #apply(batch: Batch): void {
    for (const write of batch) {
      const key = latin1(write.key)
      if (write._tag === "Put") this.#kept.set(key, { value: write.value, isExpired: write.lifetime === "over" })
      else if (write._tag === "Delete") this.#kept.delete(key)
      else {
        const existing = this.#kept.get(key)?.value ?? new Uint8Array(0)
        this.#kept.set(key, { value: Buffer.concat([existing, write.operand]), isExpired: false })
      }
    }
  }
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")

const print = (bytes: Uint8Array): string => {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 24)).toString("hex")
  return bytes.length > 24 ? `0x${hex}...(${bytes.length} bytes)` : `0x${hex}`
}
