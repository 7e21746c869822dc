/**
 * What was asked of a store, in the order it was asked.
 *
 * The trace is bounded: a long simulation loses its oldest requests, never its
 * counters.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import type { Operation } from "../Fault.ts"
import type { Request, RequestCount } from "../FaultyObjectStore.ts"

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

  begin(operation: Operation, path: string, now: number): Entry {
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

  countsSnapshot(): { readonly [K in Operation]: RequestCount } {
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
