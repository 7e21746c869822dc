/**
 * Makes writers wait while memory is full, and delays them before it is.
 *
 *     admit ──room enough──────────────────────────────────> append
 *       └──> in line ──> first: delay is over, or memory ──> append
 *                        was released and makes it nothing
 *
 * A batch is admitted while the bytes held before it are below the limit. What is
 * admitted while writers are delayed is owed: the next one waits until its time has
 * passed. So a delay follows the bytes that were written, and who is
 * interrupted while he waits leaves nothing behind. Who waits is served in order of
 * arrival, a large batch as well; only the first has a timer.
 *
 * A timer is coarse: what is owed is waited for from a millisecond on, and what a
 * timer was late is taken off the next.
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Semaphore from "effect/Semaphore"

/** What `Backpressure` knows of memory; `Backlog` is one. */
export interface Room {
  readonly heldBytes: () => number
  /** Nobody is admitted from here on. */
  readonly bytesMax: number
  /** Nobody is delayed below. */
  readonly freeBytes: number
  /** How long a write of so many bytes is delayed now. */
  readonly delayMillis: (bytes: number, now: number) => number
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
}

const restMillisMin = 1
/** A timer that was later than this was no timer: nobody wrote. */
const lateMillisMax = 10

export class Backpressure {
  readonly #latch = Latch.makeUnsafe(true)
  readonly #line = Semaphore.makeUnsafe(1)
  readonly #room: Room
  readonly #heldBytes: () => number
  readonly #isOpen: () => boolean
  readonly #onFull: () => void
  #waiting = 0
  #owedBytes = 0
  /** When what is owed began to be waited for. */
  #owedSince = -Infinity

  constructor(options: {
    readonly room: Room
    /** Nobody waits for room in a database that is not open. */
    readonly isOpen: () => boolean
    /** Told by the first in line when memory is full. */
    readonly onFull: () => void
  }) {
    this.#room = options.room
    this.#heldBytes = options.room.heldBytes
    this.#isOpen = options.isOpen
    this.#onFull = options.onFull
  }

  get hasRoom(): boolean {
    return this.#heldBytes() < this.#room.bytesMax
  }

  /** Writers that wait at this moment. */
  get waiting(): number {
    return this.#waiting
  }

  /** Whether so many bytes may be appended in this synchronous step. If not, `later` is how. */
  admit(bytes: number): boolean {
    if (this.#waiting > 0) return false
    return this.#heldBytes() < this.#room.freeBytes || this.#passes(bytes)
  }

  /**
   * Waits in line, then appends, in one step with the admission. In a database that
   * has closed in the meantime `append` runs at once, and has to say so.
   */
  later<E>(bytes: number, append: () => Effect.Effect<void, E>): Effect.Effect<void, E> {
    const inLine = this.#line.withPermit(Effect.andThen(this.#turn(bytes), Effect.sync(append)))
    return Effect.flatten(
      Effect.acquireUseRelease(
        Effect.sync(() => this.#waiting++),
        () => inLine,
        () => Effect.sync(() => this.#waiting--)
      )
    )
  }

  /** Memory was released, or the database has closed. */
  release(): void {
    this.#latch.openUnsafe()
  }

  /** The wait of the first in line: looks again whenever memory was released. */
  #turn(bytes: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (!this.#isOpen() || this.#passes(bytes)) return Effect.void
      // Closed in the same step as the look: a release in between would be missed.
      this.#latch.closeUnsafe()
      const isFull = !this.hasRoom
      if (isFull) this.#onFull()
      const released = isFull
        ? this.#latch.await
        : Effect.timeoutOption(this.#latch.await, Math.ceil(this.#restMillis(this.#room.now())))
      return Effect.andThen(released, this.#turn(bytes))
    })
  }

  #passes(bytes: number): boolean {
    if (!this.hasRoom) return false
    const now = this.#room.now()
    const rest = this.#restMillis(now)
    if (rest >= restMillisMin) return false
    if (rest <= 0) {
      this.#owedSince = -rest <= lateMillisMax ? now + rest : now
      this.#owedBytes = 0
    }
    this.#owedBytes += bytes
    return true
  }

  #restMillis(now: number): number {
    return this.#room.delayMillis(this.#owedBytes, now) - (now - this.#owedSince)
  }
}
