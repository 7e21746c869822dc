/**
 * What a database must be like: the list of accepted batches. The k-th batch has
 * sequence number k, so the contents at a sequence number are those batches
 * applied in order, without what has expired.
 *
 * A read takes time, and while it does a sequence number may become visible, a
 * value may expire, and a flush may bury what has expired. So a read is compared
 * with every moment at which it may have looked: one sequence number for the whole
 * read, and for each key any time between its start and its end.
 */

export type Write =
  | { readonly _tag: "Put"; readonly key: string; readonly value: string }
  | { readonly _tag: "Delete"; readonly key: string }
  | { readonly _tag: "Merge"; readonly key: string; readonly value: string }

export interface Batch {
  readonly writes: ReadonlyArray<Write>
  /** When its puts and merges expire; `Infinity`: never. */
  readonly expireTime: number
}

/** When a read may have looked, both ends included: by sequence number and by clock. */
export interface Moments {
  readonly sequences: readonly [first: number, last: number]
  readonly times: readonly [first: number, last: number]
}

interface Version {
  readonly sequence: number
  readonly write: Write
  readonly expireTime: number
}

export class Model {
  readonly #batches: Array<Batch> = []
  /** Oldest version first. */
  readonly #versions = new Map<string, Array<Version>>()

  accept(batch: Batch): void {
    this.#batches.push(batch)
    for (const write of batch.writes) {
      const versions = this.#versions.get(write.key) ?? []
      versions.push({ sequence: this.lastSequence, write, expireTime: batch.expireTime })
      this.#versions.set(write.key, versions)
    }
  }

  get lastSequence(): number {
    return this.#batches.length
  }

  /** Forgets what a crash took: everything after `sequence`. */
  truncate(sequence: number): void {
    this.#batches.length = sequence
    for (const [key, versions] of this.#versions) {
      const kept = versions.filter((version) => version.sequence <= sequence)
      if (kept.length === 0) this.#versions.delete(key)
      else this.#versions.set(key, kept)
    }
  }

  /** The value of a key at a sequence number and a time. */
  value(key: string, sequence: number, now: number): string | undefined {
    let value: string | undefined
    for (const version of this.#versions.get(key) ?? []) {
      if (version.sequence > sequence) break
      const { write } = version
      const isAlive = version.expireTime > now
      if (write._tag === "Delete") value = undefined
      else if (write._tag === "Put") value = isAlive ? write.value : undefined
      else if (isAlive) value = (value ?? "") + write.value
    }
    return value
  }

  /** Why no moment fits what was found for these keys; `undefined` when one does. */
  explain(found: ReadonlyMap<string, string>, keys: Iterable<string>, moments: Moments): string | undefined {
    const wanted = new Set([...keys, ...found.keys()])
    const [first, last] = moments.sequences
    let reason: string | undefined
    for (let sequence = last; sequence >= first; sequence--) {
      reason = this.#mismatch(found, wanted, sequence, moments.times)
      if (reason === undefined) return undefined
    }
    return reason
  }

  /** Every key that ever had a version. */
  get keys(): Iterable<string> {
    return this.#versions.keys()
  }

  #mismatch(
    found: ReadonlyMap<string, string>,
    keys: ReadonlySet<string>,
    sequence: number,
    times: Moments["times"]
  ): string | undefined {
    for (const key of keys) {
      const values = this.#times(key, times).map((time) => this.value(key, sequence, time))
      if (!values.includes(found.get(key))) {
        return `at sequence=${sequence}: key=${key} found=${found.get(key)} expected=${[...new Set(values)].join(" or ")}`
      }
    }
    return undefined
  }

  /** Times at which the key may have looked different. */
  #times(key: string, [first, last]: Moments["times"]): ReadonlyArray<number> {
    const expired = (this.#versions.get(key) ?? []).map(({ expireTime }) => expireTime)
    return [first, ...expired.filter((time) => time > first && time <= last)]
  }
}
