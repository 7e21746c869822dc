/**
 * Judges a reader that moves on by itself while somebody writes: what a scan shows must
 * be the contents after some batch, whole, and never earlier ones than it showed before.
 *
 *     shown before ──> scan ──> sequence after        contents(s) for an s from the one to the other
 *
 * A reader may say a little later than it does that it moved on. So where nothing fits,
 * what it says some moments later counts as well.
 */
import * as Effect from "effect/Effect"
import { Contents, type Entry, type Found } from "./Contents.ts"
import type { Engine, EngineError, Reader } from "./Engine.ts"
import type { History } from "./History.ts"

export type Seen =
  | { readonly _tag: "Right"; readonly sequence: number }
  | { readonly _tag: "Wrong"; readonly detail: string }

const againAfterMillis = 200

export class Follower {
  readonly #history: History
  readonly #mayShowExpired: boolean
  /** What it showed last. It never goes back. */
  #contents: Contents

  constructor(history: History, { showsExpired }: Pick<Engine, "showsExpired">) {
    this.#history = history
    this.#mayShowExpired = showsExpired
    this.#contents = new Contents(history)
  }

  /** Looks once. After something wrong it is of no more use. */
  look(reader: Pick<Reader, "scan" | "lastSequence">): Effect.Effect<Seen, EngineError> {
    return Effect.gen({ self: this }, function* () {
      const shown = this.#contents.sequence
      const scanned = yield* reader.scan("ascending")
      const after = yield* reader.lastSequence
      const first = this.#difference(scanned, after)
      if (first === undefined) return right(this.#contents.sequence)
      yield* Effect.sleep(againAfterMillis)
      const later = yield* reader.lastSequence
      return this.#difference(scanned, later) === undefined
        ? right(this.#contents.sequence)
        : wrong(`showed ${shown} before, says ${after}, then ${later}; at ${after}: ${first}`)
    })
  }

  /** Advances to where it could show this, up to `end`; else answers what differs there. */
  #difference(scanned: ReadonlyArray<Entry>, end: number): string | undefined {
    const values = new Map(scanned.map(({ key, value }) => [Buffer.from(key).toString("latin1"), value]))
    const found = {
      scanned,
      looked: this.#history.keys.map((key) => values.get(Buffer.from(key).toString("latin1"))),
      mayShowExpired: this.#mayShowExpired
    }
    let difference = this.#contents.difference(found)
    while (difference !== undefined && this.#contents.sequence < end) {
      this.#contents.advance(this.#contents.sequence + 1)
      difference = this.#contents.difference(found)
    }
    if (difference === undefined) this.#passUnseen(found, end)
    return difference
  }

  /** A batch may change nothing that can be seen. Where the reader says that it has it, it was shown. */
  #passUnseen(found: Found, end: number): void {
    while (this.#contents.sequence < end) {
      const next = new Contents(this.#history, this.#contents)
      next.advance(this.#contents.sequence + 1)
      if (next.difference(found) !== undefined) return
      this.#contents = next
    }
  }
}

const right = (sequence: number): Seen => ({ _tag: "Right", sequence })
const wrong = (detail: string): Seen => ({ _tag: "Wrong", detail })
