/**
 * What a database must be like: the list of accepted batches. The k-th batch has
 * sequence number k, so the contents at a sequence number are those batches
 * applied in order.
 */

export type Write =
  | { readonly _tag: "Put"; readonly key: string; readonly value: string }
  | { readonly _tag: "Delete"; readonly key: string }
  | { readonly _tag: "Merge"; readonly key: string; readonly value: string }

export class Model {
  readonly batches: Array<ReadonlyArray<Write>> = []

  accept(batch: ReadonlyArray<Write>): void {
    this.batches.push(batch)
  }

  get lastSequence(): number {
    return this.batches.length
  }

  /** Forgets what a crash took: everything after `sequence`. */
  truncate(sequence: number): void {
    this.batches.length = sequence
  }

  /** The contents at a sequence number, as sorted `key=value` lines. */
  lines(sequence: number): ReadonlyArray<string> {
    return Array.from(this.at(sequence), ([key, value]) => `${key}=${value}`).toSorted()
  }

  at(sequence: number): ReadonlyMap<string, string> {
    const contents = new Map<string, string>()
    for (const batch of this.batches.slice(0, sequence)) {
      for (const write of batch) {
        if (write._tag === "Put") contents.set(write.key, write.value)
        else if (write._tag === "Delete") contents.delete(write.key)
        else contents.set(write.key, (contents.get(write.key) ?? "") + write.value)
      }
    }
    return contents
  }
}
