/**
 * When compaction is over: no engine tells, so its counters are watched until they
 * have stood still for a while.
 *
 * Engines count under SlateDB's names: `compactor.running_compactions` and
 * `compactor.bytes_compacted`.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Counters } from "./Engine.ts"

/** What the counters say of compaction. */
export interface Progress {
  readonly running: number
  readonly bytes: number
}

export interface Patience {
  /** How long they are to stand still: longer than the compactor sleeps, else its next look is not waited for. */
  readonly quietMillis: number
  /** How long to wait at most; then it is left as it is. */
  readonly waitMillisMax: number
}

const pollMillis = 100

/** For work between measurements. */
export const short: Patience = { quietMillis: 1600, waitMillisMax: 240_000 }

/** Longer than SlateDB's compactor sleeps by default, which is 5 s. */
export const sure: Patience = { quietMillis: 6000, waitMillisMax: 900_000 }

export const progress = (counters: Counters): Progress => ({
  running: counters["compactor.running_compactions"] ?? 0,
  bytes: counters["compactor.bytes_compacted"] ?? 0
})

/** Waits until nothing is compacted any more; ends with how long that was so already. */
export const quiet = async (counters: () => Counters, { quietMillis, waitMillisMax }: Patience): Promise<number> => {
  const start = performance.now()
  let before = progress(counters()).bytes
  let busy = start
  for (;;) {
    await sleep(pollMillis)
    const { bytes, running } = progress(counters())
    const now = performance.now()
    if (running > 0 || bytes !== before) busy = now
    before = bytes
    if (now - busy >= quietMillis || now - start >= waitMillisMax) return now - busy
  }
}
