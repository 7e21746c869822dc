/**
 * Offers puts and gets to a database: as many as it takes, or so many a second.
 *
 *     schedule   | op | op | op | op | op |        at start + i / rate, whatever the database does
 *     turns      [ all that are due ]  [ all that are due ] ...
 *
 * In an open loop nobody waits for an answer before asking the next question, and an
 * operation's latency counts from the moment it was to begin: a stall is seen by all
 * that were to begin in it, not by the one that ran into it (coordinated omission).
 *
 * Turns follow each other by `setImmediate`, without a promise, so that the harness
 * leaves no garbage of its own.
 */
import type * as DbError from "@effect-slatedb/core/DbError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Span } from "./TailReport.ts"

/** One operation, by its number. */
export type Operation = (n: number) => {
  readonly effect: Effect.Effect<unknown, DbError.DbError>
  readonly isPut: boolean
}

export interface Latencies {
  readonly getMicros: Float64Array
  readonly putMicros: Float64Array
  readonly seconds: number
  /** In milliseconds of `performance.now()`. */
  readonly start: number
  /** The longest time between two turns of the loop. */
  readonly worstGap: Span
}

/** Operations begun in one turn when as many are offered as the database takes. */
const perTurn = 64
/**
 * Operations begun in one turn at most when they are due; the others wait, and their latency counts. With thousands, a
 * stall would be followed by turns of tens of milliseconds that are the harness's own, as it catches up.
 */
const duePerTurnMax = 256
/** Operations under way at most when as many are offered as the database takes. */
const underWayMax = 256

/** How many operations a second the database takes. */
export const maximum = async (operation: Operation, seconds: number): Promise<number> => {
  const start = performance.now()
  const end = start + seconds * 1e3
  const flight = new Flight()
  let begun = 0
  await turns(flight, () => {
    if (performance.now() >= end) return true
    for (let i = 0; i < perTurn && flight.underWay < underWayMax; i++) {
      flight.begin(operation(begun++).effect, ignore)
    }
    return false
  })
  return begun / ((performance.now() - start) / 1e3)
}

/** Offers so many operations a second. */
export const offer = async (operation: Operation, perSecond: number, seconds: number): Promise<Latencies> => {
  const count = Math.floor(perSecond * seconds)
  const gets = new Float64Array(count)
  const puts = new Float64Array(count)
  let [getCount, putCount, begun] = [0, 0, 0]
  const flight = new Flight()
  const start = performance.now()
  let worstGap: Span = { from: start, to: start }
  let turnEnd = start
  await turns(flight, () => {
    const now = performance.now()
    if (now - turnEnd > worstGap.to - worstGap.from) worstGap = { from: turnEnd, to: now }
    const due = Math.min(count, begun + duePerTurnMax, dueAt(now - start, perSecond))
    for (; begun < due; begun++) {
      const { effect, isPut } = operation(begun)
      const intended = start + (begun * 1e3) / perSecond
      flight.begin(effect, () => {
        const micros = (performance.now() - intended) * 1e3
        if (isPut) puts[putCount++] = micros
        else gets[getCount++] = micros
      })
    }
    turnEnd = performance.now()
    return begun === count
  })
  return {
    getMicros: gets.subarray(0, getCount),
    putMicros: puts.subarray(0, putCount),
    seconds: (performance.now() - start) / 1e3,
    start,
    worstGap
  }
}

/** How many operations are to have begun after so long; the first begins at once. */
export const dueAt = (millis: number, perSecond: number): number => Math.floor((millis / 1e3) * perSecond) + 1

const ignore = (): void => {}

/** Operations under way, and the first failure of one. */
class Flight {
  underWay = 0
  failure: unknown = undefined

  begin(effect: Effect.Effect<unknown, DbError.DbError>, ended: () => void): void {
    this.underWay++
    Effect.runFork(effect).addObserver((exit) => {
      this.underWay--
      if (Exit.isFailure(exit)) this.failure ??= exit.cause
      ended()
    })
  }
}

/** Gives turns until one says it was the last and everything under way has ended. */
const turns = (flight: Flight, turn: () => boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    let isOver = false
    const next = (): void => {
      isOver ||= turn()
      if (flight.failure !== undefined) reject(new Error("an operation failed", { cause: flight.failure }))
      else if (isOver && flight.underWay === 0) resolve()
      else setImmediate(next)
    }
    setImmediate(next)
  })
