/**
 * The link from sequence numbers to wall time, kept in the manifest: at most one
 * point a minute, so that "the database as it was at noon" can be found within a
 * minute. Nothing else depends on it.
 *
 * Its size is bounded: when it is full, every second point goes, so that the past
 * is covered as far back as before, at half the resolution.
 */
import type { Sequence } from "./Sequence.ts"

/** The k-th point: what was committed at `seconds[k]` (Unix time) had sequence numbers up to `sequences[k]`. */
export interface SequenceTracker {
  readonly sequences: ReadonlyArray<Sequence>
  readonly seconds: ReadonlyArray<number>
}

export const empty: SequenceTracker = { sequences: [], seconds: [] }

/** Least seconds between two points. */
export const intervalSeconds = 60

export const pointsMax = 8192

/**
 * Records a commit, if it is due.
 *
 * Appending what is there already changes nothing, so an edit of a manifest may
 * be applied twice. A clock that went back records nothing until it has caught up.
 */
export const append = (tracker: SequenceTracker, sequence: Sequence, seconds: number): SequenceTracker => {
  const lastSequence = tracker.sequences.at(-1)
  const lastSeconds = tracker.seconds.at(-1)
  if (lastSequence !== undefined && sequence <= lastSequence) return tracker
  if (lastSeconds !== undefined && seconds - lastSeconds < intervalSeconds) return tracker
  const sequences = [...tracker.sequences, sequence]
  const times = [...tracker.seconds, seconds]
  if (sequences.length <= pointsMax) return { sequences, seconds: times }
  return { sequences: everySecond(sequences), seconds: everySecond(times) }
}

const everySecond = (values: ReadonlyArray<number>): ReadonlyArray<number> => values.filter((_, i) => i % 2 === 0)
