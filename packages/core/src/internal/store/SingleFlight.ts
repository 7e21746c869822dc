/**
 * Loads what is asked for once, however many ask for it at the same time.
 *
 * Who comes while a load is under way gets its outcome, success or failure. When
 * the one who loads is interrupted, that is nobody else's business: the next in
 * line loads instead.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

export class SingleFlight<K, A, E> {
  /** The outcome of each load under way; `undefined` when it was given up. */
  readonly #underWay = new Map<K, Deferred.Deferred<Exit.Exit<A, E> | undefined>>()

  run(key: K, load: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.uninterruptibleMask((restore) => {
      const underWay = this.#underWay.get(key)
      if (underWay !== undefined) {
        return Effect.flatMap(restore(Deferred.await(underWay)), (exit) => exit ?? restore(this.run(key, load)))
      }
      const mine = Deferred.makeUnsafe<Exit.Exit<A, E> | undefined>()
      this.#underWay.set(key, mine)
      return Effect.onExit(restore(load), (exit) =>
        Effect.sync(() => {
          this.#underWay.delete(key)
          const isGivenUp = Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
          Deferred.doneUnsafe(mine, Effect.succeed(isGivenUp ? undefined : exit))
        })
      )
    })
  }
}
