/** Whether a database is at rest: level 0 has not grown for a while. */
import type { Manifest } from "../model/Manifest.ts"

export class Rest {
  readonly #millis: number
  #lastL0Sequence: number | undefined
  #since = 0

  constructor(millis: number) {
    this.#millis = millis
  }

  /** Rest begins when a manifest is seen for the first time, and anew with each flush. */
  isAtRest({ lastL0Sequence }: Manifest, nowMillis: number): boolean {
    if (lastL0Sequence !== this.#lastL0Sequence) {
      this.#lastL0Sequence = lastL0Sequence
      this.#since = nowMillis
    }
    return nowMillis - this.#since >= this.#millis
  }
}
