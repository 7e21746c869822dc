/**
 * What was asked of a store, in the order it was asked.
 *
 * The trace is bounded: a long simulation loses its oldest requests, never its
 * counters.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import type * as Fault from "../Fault.ts"

/**
 * One request that was made. A listing is one request, begun when its stream is
 * first pulled and ended with it.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Request {
  /** Its place in the order of all requests of this wrapper, from 0. */
  readonly index: number
  readonly operation: Fault.Operation
  /** For `list`: the prefix. */
  readonly path: string
  /** Bytes of the body, sent or received. */
  readonly bytes: number
  /** By `Clock`, milliseconds since the Unix epoch. */
  readonly startedAt: number
  readonly endedAt: number | undefined
  /** How it ended for the caller. */
  readonly outcome: "pending" | "success" | "interrupted" | "defect" | ObjectStore.Reason["_tag"]
  /** Whether the store carried it out, whatever the caller was told. */
  readonly landed: boolean
}

/**
 * Requests of one kind: how many, the bytes of their bodies, and how many did not
 * end in success.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface RequestCount {
  readonly count: number
  readonly bytes: number
  readonly failed: number
}

/** A request that is being traced. */
export type Entry = { -readonly [K in keyof Request]: Request[K] }

export class RequestTrace {
  private entries: Array<Entry> = []
  private begun = 0
  private readonly counts = emptyCounts()
  private readonly entriesMax: number

  constructor(entriesMax: number) {
    this.entriesMax = entriesMax
  }

  begin(operation: Fault.Operation, path: string, now: number): Entry {
    const entry: Entry = {
      index: this.begun++,
      operation,
      path,
      bytes: 0,
      startedAt: now,
      endedAt: undefined,
      outcome: "pending",
      landed: false
    }
    // Cut in halves, so that a full trace costs a copy every so often and not at each request.
    if (this.entries.length >= this.entriesMax * 2) this.entries = this.entries.slice(-this.entriesMax)
    this.entries.push(entry)
    this.counts[operation].count++
    return entry
  }

  bytes(entry: Entry, bytes: number): void {
    entry.bytes += bytes
    this.counts[entry.operation].bytes += bytes
  }

  end(entry: Entry, exit: Exit.Exit<unknown, ObjectStore.ObjectStoreError>, now: number): void {
    entry.endedAt = now
    entry.outcome = outcomeOf(exit)
    if (Exit.isFailure(exit)) this.counts[entry.operation].failed++
  }

  snapshot(): ReadonlyArray<Request> {
    return this.entries.slice(-this.entriesMax).map((entry) => ({ ...entry }))
  }

  countsSnapshot(): { readonly [K in Fault.Operation]: RequestCount } {
    return structuredClone(this.counts)
  }

  reset(): void {
    this.entries = []
    Object.assign(this.counts, emptyCounts())
  }
}

const emptyCounts = () => ({
  get: { count: 0, bytes: 0, failed: 0 },
  getRange: { count: 0, bytes: 0, failed: 0 },
  head: { count: 0, bytes: 0, failed: 0 },
  put: { count: 0, bytes: 0, failed: 0 },
  putIfAbsent: { count: 0, bytes: 0, failed: 0 },
  delete: { count: 0, bytes: 0, failed: 0 },
  list: { count: 0, bytes: 0, failed: 0 }
})

const outcomeOf = (exit: Exit.Exit<unknown, ObjectStore.ObjectStoreError>): Request["outcome"] => {
  if (Exit.isSuccess(exit)) return "success"
  const failure = exit.cause.reasons.find(Cause.isFailReason)
  if (failure !== undefined) return failure.error.reason._tag
  return Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "defect"
}
