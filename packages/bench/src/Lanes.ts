/**
 * Lanes: loops that run side by side and do the operations of a workload until
 * their number or the time is over.
 *
 * The loop itself is all that the harness adds to an operation; the engine `null`
 * shows its cost. One lane times every 16th operation only, so that reading the
 * clock does not weigh on engines that answer in a microsecond; several lanes time
 * each operation, as waiting for the others is part of what they measure.
 */
import type { Database } from "./Engine.ts"
import type { Loop } from "./Loop.ts"
import * as Random from "./Random.ts"
import * as Stopwatch from "./Stopwatch.ts"
import type { Outcome } from "./Workload.ts"

/**
 * One operation. `begin` gives `undefined` when it is over at once; otherwise `end`
 * gets what the pending answer settled to.
 */
export interface Operation<P> {
  readonly begin: (index: number, random: Random.Random) => P | undefined
  readonly end?: (settled: unknown) => void
}

export interface Course {
  readonly operationsMax: number
  readonly seconds: number
  readonly lanes: number
  readonly seed: number
  /** Whether each operation is timed, also in one lane. */
  readonly timeAll?: boolean
  /** Every so many operations a lane lets the event loop turn once; absent: never. */
  readonly turnEvery?: number
}

const timeEvery = 16

interface Race {
  next: number
  done: number
  over: boolean
  deadline: number
  readonly latencies: Array<number>
}

/**
 * Runs the lanes and counts. Each lane does its own operation, so that an
 * operation may keep state between `begin` and `end`.
 */
export const run = async <P extends object>(
  database: Database<P>,
  course: Course,
  operation: (lane: number) => Operation<P>
): Promise<Pick<Outcome, "operations" | "elapsed" | "latencies">> => {
  const race: Race = { next: 0, done: 0, over: false, deadline: 0, latencies: [] }
  const loops = Array.from({ length: course.lanes }, (_, index) =>
    lane(database, course, race, operation(index), Random.make(course.seed * 7919 + index * 104729 + 1))
  )
  const stop = Stopwatch.start()
  race.deadline = performance.now() + course.seconds * 1000
  await Promise.all(loops.map((loop) => database.run(loop)))
  const elapsed = stop()
  return { operations: race.done, elapsed, latencies: Float64Array.from(race.latencies).toSorted() }
}

function* lane<P extends object>(
  database: Database<P>,
  course: Course,
  race: Race,
  operation: Operation<P>,
  random: Random.Random
): Loop<P, void> {
  const { operationsMax, turnEvery = 0 } = course
  const every = course.timeAll === true || course.lanes > 1 ? 1 : timeEvery
  while (!race.over && race.next < operationsMax) {
    const index = race.next++
    if (turnEvery > 0 && index % turnEvery === 0) yield database.turn()
    const timed = index % every === 0
    const begun = timed ? performance.now() : 0
    const pending = operation.begin(index, random)
    if (pending !== undefined) {
      const settled = yield pending
      operation.end?.(settled)
    }
    if (timed) {
      const ended = performance.now()
      race.latencies.push((ended - begun) * 1000)
      if (ended > race.deadline) race.over = true
    }
    race.done++
  }
}
