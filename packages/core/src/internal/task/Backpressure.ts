/**
 * Makes writers wait while memory is full.
 *
 * A batch is admitted while the bytes held before it are below the limit. Who has
 * to wait is woken whenever memory was released, and looks again.
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"

export class Backpressure {
  readonly #latch = Latch.makeUnsafe(true)
  readonly #heldBytes: () => number
  readonly #bytesMax: number
  #waiting = 0

  constructor(heldBytes: () => number, bytesMax: number) {
    this.#heldBytes = heldBytes
    this.#bytesMax = bytesMax
  }

  get hasRoom(): boolean {
    return this.#heldBytes() < this.#bytesMax
  }

  /** Writers that wait at this moment. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * Waits for the next release after this call. Who finds no room calls it in the same
   * synchronous step: a release in between would be missed.
   */
  released(): Effect.Effect<void> {
    this.#latch.closeUnsafe()
    return this.#wait
  }

  readonly #wait: Effect.Effect<void> = Effect.suspend(() => {
    this.#waiting++
    return Effect.ensuring(
      this.#latch.await,
      Effect.sync(() => {
        this.#waiting--
      })
    )
  })

  /** Memory was released, or the database has closed. */
  release(): void {
    this.#latch.openUnsafe()
  }
}
