/**
 * What all drills have in common: they count what they do, and end with what went
 * wrong first, if anything did.
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Place from "../interop/Place.ts"

export interface Options {
  readonly rounds: number
  readonly seed: number
  readonly store: Place.Store
  /** Whether directories of failures are kept. Default `false`. */
  readonly keepsFailures?: boolean | undefined
  /** Told about the progress, a line at a time. */
  readonly report: (line: string) => Effect.Effect<void>
  /** Done to a database while no writer has it open, before it is judged. With it a drill must fail: for tests of drills. */
  readonly sabotage?: ((place: Place.Place) => Effect.Effect<void>) | undefined
}

export const sabotaged = ({ sabotage }: Pick<Options, "sabotage">, place: Place.Place): Effect.Effect<void> =>
  sabotage === undefined ? Effect.void : sabotage(place)

export interface Outcome {
  readonly figures: Readonly<Record<string, number>>
  /** What went wrong; the drill ended with it. */
  readonly failure: string | undefined
}

/** Something is not as it must be. */
export class DrillFailure extends Data.TaggedError("DrillFailure")<{ readonly message: string }> {}

/** What a drill has counted so far. */
export class Tally {
  readonly #counts = new Map<string, number>()

  add(name: string, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count)
  }

  get figures(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }
}

/** Runs a drill to its end or its first failure. */
export const run = <E>(drill: (tally: Tally) => Effect.Effect<void, E>): Effect.Effect<Outcome> =>
  Effect.suspend(() => {
    const tally = new Tally()
    return Effect.map(Effect.exit(drill(tally)), (exit) => ({
      figures: tally.figures,
      failure: Exit.isSuccess(exit) ? undefined : messageOf(exit.cause)
    }))
  })

/** Goes on when nothing is wrong. */
export const expectNothing = (wrong: ReadonlyArray<string>): Effect.Effect<void, DrillFailure> =>
  wrong.length === 0 ? Effect.void : fail(wrong.join("\n  "))

export const fail = (message: string): Effect.Effect<never, DrillFailure> => Effect.fail(new DrillFailure({ message }))

/** Says where a failure happened. */
export const inside =
  (where: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, DrillFailure, R> =>
    Effect.catchCause(effect, (cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.interrupt : fail(`${where}: ${messageOf(cause)}`)
    )

const messageOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  if (error instanceof DrillFailure || !(error instanceof Error))
    return error instanceof Error ? error.message : String(error)
  return Cause.hasDies(cause) ? (error.stack ?? error.message) : `${error.name}: ${error.message}`
}
