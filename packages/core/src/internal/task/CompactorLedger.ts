/**
 * What a compactor runs, what became of it, and who waits for which of it.
 *
 * Plans are kept here for as long as their jobs are active, as version 1 of the
 * compactions file does not hold their destinations.
 */
import * as Deferred from "effect/Deferred"
import * as Exit from "effect/Exit"
import type * as DbError from "../../DbError.ts"
import type { Job } from "../lsm/CompactionStep.ts"
import type { CompactionPlan } from "../model/CompactionPlan.ts"
import type { Reply } from "./Task.ts"

/**
 * A job that a compactor is carrying out.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  /** A ULID. */
  readonly id: string
  readonly plan: CompactionPlan
  /** Bytes of the tables that it merges. */
  readonly sourceBytes: number
  /** How many of them are merged. */
  readonly mergedBytes: number
}

/** What a compactor is doing, and what it did since it started. */
export interface Report {
  readonly running: ReadonlyArray<Progress>
  readonly completed: number
  readonly failed: number
  /** Bytes of the tables that its completed jobs wrote. */
  readonly bytesCompacted: number
  /** Conditions that need attention, in plain words. */
  readonly warnings: ReadonlyArray<string>
}

/** Of a database without a compactor. */
export const none: Report = { running: [], completed: 0, failed: 0, bytesCompacted: 0, warnings: [] }

/** How a job, or the wait for all, ended. */
type End = Exit.Exit<void, DbError.DbError>

/** What failed is tried again soon: at first after a second, in the end once a minute. */
const pauseMillisMax = 60_000

export class CompactorLedger {
  readonly running = new Map<string, { -readonly [Field in keyof Progress]: Progress[Field] }>()
  readonly plans = new Map<string, CompactionPlan>()
  /** Nothing is begun before this time, milliseconds. */
  pausedUntil = 0
  readonly #askers = new Map<string, Reply<void>>()
  #idleWaiters: ReadonlyArray<Reply<void>> = []
  #completed = 0
  #failed = 0
  #bytesCompacted = 0
  #failuresInARow = 0
  #failedJob: string | undefined
  /** Why the compactor does less than it should, apart from jobs that failed. */
  #trouble: string | undefined

  /** Somebody asks for a plan, and waits for its end. */
  asked(id: string, plan: CompactionPlan, reply: Reply<void>): void {
    this.plans.set(id, plan)
    this.#askers.set(id, reply)
    this.pausedUntil = 0
  }

  /** Somebody waits until there is nothing to do. */
  awaited(reply: Reply<void>): void {
    this.#idleWaiters = [...this.#idleWaiters, reply]
    this.pausedUntil = 0
  }

  /** A job begins. Its progress is written to what this answers with. */
  began({ id, plan }: Job, sourceBytes: number): { mergedBytes: number } {
    const progress = { id, plan, sourceBytes, mergedBytes: 0 }
    this.running.set(id, progress)
    this.plans.set(id, plan)
    return progress
  }

  completed(id: string, writtenBytes: number): void {
    this.#completed++
    this.#bytesCompacted += writtenBytes
    this.#failuresInARow = 0
    this.#failedJob = undefined
    this.#settle(id, Exit.void)
  }

  /** A job is over without a result. Answers with how to say so. */
  failed(id: string, end: End, detail: string, nowMillis: number): string {
    this.#failed++
    this.#settle(id, end)
    return this.postponed(id, end, detail, nowMillis)
  }

  /** A job ended and stays active. */
  postponed(id: string, end: End, detail: string, nowMillis: number): string {
    this.pausedUntil = nowMillis + Math.min(1000 * 2 ** this.#failuresInARow, pauseMillisMax)
    this.#failuresInARow++
    this.#failedJob = `a compaction failed: id=${id} ${detail}`
    this.endWait(end)
    return this.#failedJob
  }

  /** Nobody's wait for the end of all work goes on. */
  endWait(end: End): void {
    for (const reply of this.#idleWaiters) Deferred.doneUnsafe(reply, end)
    this.#idleWaiters = []
  }

  /** Nobody waits for anything any more. */
  endAll(end: End): void {
    this.endWait(end)
    for (const id of Array.from(this.#askers.keys())) this.#settle(id, end)
  }

  /** Answers with whether that is news. */
  note(trouble: string | undefined): boolean {
    const isNews = trouble !== this.#trouble
    this.#trouble = trouble
    return isNews
  }

  get report(): Report {
    return {
      running: Array.from(this.running.values(), (progress) => ({ ...progress })),
      completed: this.#completed,
      failed: this.#failed,
      bytesCompacted: this.#bytesCompacted,
      warnings: [this.#trouble, this.#failedJob].filter((warning) => warning !== undefined)
    }
  }

  #settle(id: string, end: End): void {
    this.plans.delete(id)
    const reply = this.#askers.get(id)
    this.#askers.delete(id)
    if (reply !== undefined) Deferred.doneUnsafe(reply, end)
  }
}
