/**
 * A gate that stops whoever comes to it until it is opened.
 *
 * A test closes a gate across a request, learns when the request stands at it,
 * looks at the world of that moment, and opens it. A gate that was opened stays
 * open. Whoever is interrupted at the gate leaves it.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"

/**
 * A gate, closed when made.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Gate {
  /** Waits until `count` (default 1) stand at the gate together, or it is open. */
  readonly reached: (count?: number) => Effect.Effect<void>
  /** How many stand at the gate now. */
  readonly waiting: Effect.Effect<number>
  /** Lets all through, now and later. */
  readonly open: Effect.Effect<void>
  /** Waits until the gate is open. */
  readonly pass: Effect.Effect<void>
}

/**
 * A closed gate.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<Gate> = Effect.sync(() => {
  const latch = Latch.makeUnsafe(false)
  let waiting = 0
  let watchers: ReadonlyArray<{ readonly count: number; readonly arrived: Deferred.Deferred<void> }> = []

  const answerWatchers = (): void => {
    const answered = watchers.filter(({ count }) => latch.isOpen() || waiting >= count)
    watchers = watchers.filter((watcher) => !answered.includes(watcher))
    for (const { arrived } of answered) Deferred.doneUnsafe(arrived, Effect.void)
  }

  return {
    reached: (count = 1) =>
      Effect.suspend(() => {
        const arrived = Deferred.makeUnsafe<void>()
        watchers = [...watchers, { count, arrived }]
        answerWatchers()
        return Deferred.await(arrived)
      }),
    waiting: Effect.sync(() => waiting),
    open: Effect.sync(() => {
      latch.openUnsafe()
      answerWatchers()
    }),
    pass: Effect.acquireUseRelease(
      Effect.sync(() => {
        waiting++
        answerWatchers()
      }),
      () => latch.await,
      () => Effect.sync(() => waiting--)
    )
  }
})
