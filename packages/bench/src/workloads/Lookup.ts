/**
 * Workloads of random point reads. Every answer is checked: a value of the right
 * length where there is one, nothing where there is none.
 */
import * as Key from "../Key.ts"
import * as Lanes from "../Lanes.ts"
import type { Workload } from "../Workload.ts"

const lookups = (name: string, dominatedBy: string, keyOf: (index: number) => Buffer, present: boolean): Workload => ({
  name,
  dominatedBy,
  database: "loaded",
  run: async (database, parameters) => {
    const expected = present ? parameters.valueBytes : undefined
    let bytes = 0
    let wrong = 0
    const check = (value: Uint8Array | undefined): void => {
      if (value?.length !== expected) wrong++
      else if (value !== undefined) bytes += value.length
    }
    const run = await Lanes.run(database, parameters, () => ({
      begin: (_, random) => {
        const answer = database.get(keyOf(random() % parameters.entries))
        if (answer !== undefined && !(answer instanceof Uint8Array)) return answer
        check(answer)
        return undefined
      },
      end: (settled) => check(database.found(settled))
    }))
    if (wrong > 0) throw new Error(`${name}: wrong answers: wrong=${wrong} of=${run.operations}`)
    return { ...run, bytes }
  }
})

/** Keys that are there. */
export const readrandom = lookups(
  "readrandom",
  "one cached block: its binary search and the copy of the value, the same at any size. The search of the table's index adds a comparison whenever the entries double, and touches memory that processor caches hold less and less of; a filter is asked once per table of level 0",
  Key.make,
  true
)

/** Keys that are not there, but sort among those that are. */
export const readmissing = lookups(
  "readmissing",
  "hashing the key, and one filter per table of level 0; only the hundredth part that a filter lets through searches index and block",
  Key.missing,
  false
)
