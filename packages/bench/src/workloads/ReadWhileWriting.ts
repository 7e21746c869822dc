/**
 * Random reads by the lanes while one more lane overwrites without pause. Counts
 * the reads, and checks that each finds its key.
 *
 * Reader and writer let the event loop turn once in 16 operations: an engine that
 * answers at once would otherwise serve the first of them for ever. The time of
 * that turn is in the throughput of both, and not in the latencies.
 *
 * With a rate of writes all engines flush and compact the same; without, one that takes
 * more writes has more to do beside its reads.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Database } from "../Engine.ts"
import * as Key from "../Key.ts"
import * as Lanes from "../Lanes.ts"
import type { Loop } from "../Loop.ts"
import * as Random from "../Random.ts"
import * as Values from "../Values.ts"
import type { Workload } from "../Workload.ts"

const turnEvery = 16

interface Writer {
  stopped: boolean
  writes: number
}

export const readwhilewriting: Workload = {
  name: "readwhilewriting",
  dominatedBy: "the two turns of the event loop in 32 operations, then what readrandom and overwrite are made of",
  database: "loaded",
  run: async (database, parameters) => {
    const { entries, valueBytes, writesPerSecond } = parameters
    const writer: Writer = { stopped: false, writes: 0 }
    const overwrite = overwriting(database, entries, Values.make(valueBytes, 0.5))
    const writing =
      writesPerSecond === undefined
        ? database.run(withoutPause(database, writer, overwrite))
        : atRate(database, writer, overwrite, writesPerSecond)

    let missed = 0
    const check = (value: Uint8Array | undefined): void => {
      if (value?.length !== valueBytes) missed++
    }
    const course = { ...parameters, operationsMax: Infinity, turnEvery }
    const run = await Lanes.run(database, course, () => ({
      begin: (_, random) => {
        const answer = database.get(Key.make(random() % entries))
        if (answer !== undefined && !(answer instanceof Uint8Array)) return answer
        check(answer)
        return undefined
      },
      end: (settled) => check(database.found(settled))
    }))
    const written = Math.round((writer.writes / run.elapsed.nanoseconds) * 1e9)
    writer.stopped = true
    await writing
    if (missed > 0) throw new Error(`readwhilewriting: wrong answers: wrong=${missed} of=${run.operations}`)
    return { ...run, bytes: run.operations * valueBytes, extra: { writesPerSecond: written } }
  }
}

type Overwrite<P extends object> = () => P | undefined

const overwriting = <P extends object>(database: Database<P>, entries: number, value: Values.Values): Overwrite<P> => {
  const random = Random.make(99)
  return () => database.put(Key.make(random() % entries), value(random), false)
}

function* withoutPause<P extends object>(
  database: Database<P>,
  writer: Writer,
  overwrite: Overwrite<P>
): Loop<P, void> {
  while (!writer.stopped) {
    const pending = overwrite()
    if (pending !== undefined) yield pending
    if (++writer.writes % turnEvery === 0) yield database.turn()
  }
}

/** Does what is due, and sleeps until something is again. */
const atRate = async <P extends object>(
  database: Database<P>,
  writer: Writer,
  overwrite: Overwrite<P>,
  writesPerSecond: number
): Promise<void> => {
  const start = performance.now()
  while (!writer.stopped) {
    await database.run(untilDue(writer, overwrite, dueAt(performance.now() - start, writesPerSecond)))
    await sleep(1)
  }
}

function* untilDue<P extends object>(writer: Writer, overwrite: Overwrite<P>, due: number): Loop<P, void> {
  while (writer.writes < due && !writer.stopped) {
    const pending = overwrite()
    if (pending !== undefined) yield pending
    writer.writes++
  }
}

/** How many writes are to have begun after so long. */
export const dueAt = (millis: number, perSecond: number): number => Math.ceil((millis / 1e3) * perSecond)
