/**
 * ADR 3's third task: asks the compaction policy, at regular intervals, what to
 * merge, has it merged, and puts the result into the manifest.
 *
 *     Poll ──> read both registers ──> resume, choose ──> jobs into the file ──> fork
 *                                                                                 │
 *     OutputsWritten <── each output, before the next ────────────────────────────┤
 *     JobDone <───────────────────────────────────────────────────────────────────┘
 *        └──> manifest ──> job completed in the file ──> Poll
 *
 * The compactions file is written by this task alone, one write at a time. So a
 * process may die between any two requests: the next compactor goes on behind the
 * last output that is in the file, or finds in the manifest that the job was done.
 *
 * It stands apart from the write path: a job that fails is marked so, a task that
 * fails is started again after a pause, and the database goes on. One that finds a
 * successor stops for good. At the end of its scope running jobs are interrupted and
 * stay in the file.
 *
 * Without anything to do a database's compactor writes nothing; where no compactor
 * ever was, it asks the store for nothing either (ADR 32).
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { CompactionPolicy } from "../../CompactionPolicy.ts"
import * as DbError from "../../DbError.ts"
import { sourcesOf } from "../lsm/CompactionPlan.ts"
import * as CompactionStep from "../lsm/CompactionStep.ts"
import type { CompactionPlan, CompactionState } from "../model/CompactionPlan.ts"
import { isActive } from "../model/Compactions.ts"
import type { Manifest } from "../model/Manifest.ts"
import { sizeBytes, type SsTable } from "../model/SsTable.ts"
import type { Versioned } from "../store/SequencedObject.ts"
import type { UlidSource } from "../store/UlidSource.ts"
import type * as CompactionExecutor from "./CompactionExecutor.ts"
import { CompactorLedger, type Report } from "./CompactorLedger.ts"
import { type CompactorRole, isFenced } from "./CompactorRole.ts"
import type { Lifecycle } from "./Lifecycle.ts"
import { Rest } from "./Rest.ts"
import * as Task from "./Task.ts"

export interface CompactorTask {
  readonly report: () => Report
  /** The epoch under which it compacts; none while it had nothing to do. */
  readonly epoch: () => number | undefined
  /** Looks for work now, and not at the next poll. */
  readonly poll: () => void
  /** Waits until the policy plans nothing and no job is active; fails as soon as a job does. */
  readonly untilIdle: Effect.Effect<void, DbError.DbError>
  /** Carries a plan out, and waits for its end. */
  readonly compact: (plan: CompactionPlan) => Effect.Effect<void, DbError.DbError>
}

type Message =
  | { readonly _tag: "Poll" }
  | { readonly _tag: "UntilIdle"; readonly reply: Task.Reply<void> }
  | { readonly _tag: "Compact"; readonly plan: CompactionPlan; readonly reply: Task.Reply<void> }
  | {
      readonly _tag: "OutputsWritten"
      readonly id: string
      readonly outputs: ReadonlyArray<SsTable>
      readonly reply: Task.Reply<void>
    }
  | {
      readonly _tag: "JobDone"
      readonly job: CompactionStep.Job
      /** Without outputs, not even an empty list: it was stopped. */
      readonly exit: Exit.Exit<ReadonlyArray<SsTable> | void, DbError.DbError>
    }

/** A minute, with the default interval. */
const pollsAtRest = 12

export const make = Effect.fnUntraced(function* (options: {
  readonly lifecycle: Lifecycle
  readonly role: CompactorRole
  readonly policy: CompactionPolicy
  readonly settings: {
    readonly compactorPollInterval: Duration.Duration
    readonly maxConcurrentCompactions: number
  }
  readonly ulids: UlidSource
  readonly run: (work: CompactionExecutor.Work) => Effect.Effect<ReadonlyArray<SsTable>, DbError.DbError>
  /** The manifest as its keeper in this process has it, for one that claims its role late. */
  readonly known?: (() => Versioned<Manifest>) | undefined
  /** A result is in the manifest. */
  readonly onCommitted: Effect.Effect<void>
  readonly onFenced: (reason: DbError.DbError) => void
}): Effect.fn.Return<CompactorTask, never, Scope.Scope> {
  const { lifecycle, policy, role, settings, ulids } = options
  const clock = yield* Clock.Clock
  const jobsMax = settings.maxConcurrentCompactions
  const ledger = new CompactorLedger()
  const rest = new Rest(pollsAtRest * Duration.toMillis(settings.compactorPollInterval))
  const stopped = Latch.makeUnsafe(false)
  let fencedBy: DbError.DbError | undefined

  /** Stops for good: somebody else compacts. */
  const stop = (error: DbError.DbError) => {
    if (fencedBy !== undefined) return Effect.void
    fencedBy = error
    stopped.openUnsafe()
    ledger.running.clear()
    ledger.note(`the compactor stopped: ${error.message}`)
    ledger.endAll(Exit.fail(error))
    options.onFenced(error)
    return Effect.logWarning(`effect-slatedb: Compactor stops: ${error.message}`)
  }

  /** The registers hold what this engine must not rewrite: left alone, and looked at again at the next poll. */
  const refuse = (error: DbError.DbError) => {
    ledger.endAll(Exit.fail(error))
    return ledger.note(error.message)
      ? Effect.logWarning(`effect-slatedb: Compactor does nothing: ${error.message}`)
      : Effect.void
  }

  const failed = (id: string, exit: Exit.Exit<never, DbError.DbError>, detail: string) =>
    Effect.logWarning(`effect-slatedb: ${ledger.failed(id, exit, detail, clock.currentTimeMillisUnsafe())}`)

  /** Runs a job; it is in the compactions file by now. */
  const fork = (task: Task.Task<Message>, job: CompactionStep.Job) => {
    const { manifest } = role
    const sources = sourcesOf(job.plan, manifest)
    const progress = ledger.began(job, bytesOf([...sources.l0, ...sources.runs.flatMap((run) => run.tables)]))
    const merge = options.run({
      manifest,
      job,
      onOutputs: (outputs) =>
        task.ask((reply: Task.Reply<void>) => ({ _tag: "OutputsWritten", id: job.id, outputs, reply })),
      onProgress: (bytes) => {
        progress.mergedBytes = bytes
      }
    })
    return task.fork(
      Effect.flatMap(Effect.exit(Effect.raceFirst(merge, stopped.await)), (exit) =>
        task.send({ _tag: "JobDone", job, exit })
      )
    )
  }

  const choose = (active: CompactionState["active"], room: number): ReadonlyArray<CompactionPlan> => {
    const { manifest } = role
    return policy.choose({ manifest, active, room, isAtRest: rest.isAtRest(manifest, clock.currentTimeMillisUnsafe()) })
  }

  /** Whether the role is worth claiming. */
  const hasWork = Effect.suspend(() => {
    const known = options.known?.()
    const seen = known === undefined ? Effect.void : Effect.fromResult(role.see(known))
    return Effect.flatMap(seen, () => {
      const { manifest } = role
      if (ledger.plans.size > 0 || choose([], jobsMax).length > 0) return Effect.succeed(true)
      if (manifest.compactorEpoch === 0) return Effect.succeed(false)
      return Effect.map(role.peek, () => role.compactions.compactions.some(isActive))
    })
  })

  /** Goes on with jobs that nobody runs, and begins those that the policy plans. */
  const begin = Effect.fnUntraced(function* (task: Task.Task<Message>) {
    const { compactions, manifest } = role
    const survey = CompactionStep.survey({
      compactions,
      manifest,
      running: ledger.running,
      plans: ledger.plans,
      jobsMax
    })
    const chosen = survey.room === 0 ? [] : choose(survey.active, survey.room)
    const { admitted, refused } = CompactionStep.admit(chosen, { ...survey, manifest })
    const planned = admitted.map((plan): CompactionStep.Job => ({ id: ulids.next(), plan, outputs: [] }))
    const jobs = [...survey.jobs, ...planned]
    yield* role.edit(
      CompactionStep.all([
        ...survey.finished.map(({ id, status }) => CompactionStep.finish(id, status)),
        CompactionStep.begin(jobs)
      ])
    )
    ledger.note(
      refused.length === 0 ? undefined : `the compaction policy chose what must not be: ${refused.join("; ")}`
    )
    for (const { detail, id, status } of survey.finished) {
      if (status === "completed") ledger.completed(id, 0)
      else yield* failed(id, Exit.fail(refusedPlan(detail)), detail)
    }
    for (const job of jobs) yield* fork(task, job)
  })

  const look = Effect.fnUntraced(function* (task: Task.Task<Message>) {
    if (role.epoch !== undefined || (yield* hasWork)) {
      if (role.epoch === undefined) yield* role.claim
      yield* role.refresh
      yield* begin(task)
    }
    if (ledger.running.size === 0) ledger.endWait(Exit.void)
  })

  /** Not while closing, and not right after a failure. */
  const poll = (task: Task.Task<Message>) =>
    !lifecycle.isOpen || clock.currentTimeMillisUnsafe() < ledger.pausedUntil ? Effect.void : look(task)

  const ask = Effect.fnUntraced(function* (plan: CompactionPlan, reply: Task.Reply<void>) {
    const id = ulids.next()
    if (role.epoch === undefined) yield* role.claim
    yield* role.edit(CompactionStep.request(id, plan))
    ledger.asked(id, plan, reply)
  })

  /** The manifest first: what is completed in the file is in the manifest. */
  const commit = Effect.fnUntraced(function* (job: CompactionStep.Job, outputs: ReadonlyArray<SsTable>) {
    yield* role.edit(CompactionStep.recordOutputs(job.id, outputs))
    const refusal = yield* role.commit(job, outputs)
    yield* role.edit(CompactionStep.finish(job.id, refusal === undefined ? "completed" : "failed"))
    if (refusal !== undefined) return yield* failed(job.id, Exit.fail(refusedPlan(refusal)), refusal)
    ledger.completed(job.id, bytesOf(outputs))
    yield* options.onCommitted
  })

  /** While the store does not answer, the job stays active and goes on later; all else is its end. */
  const giveUp = Effect.fnUntraced(function* (job: CompactionStep.Job, cause: Cause.Cause<DbError.DbError>) {
    const error = Cause.squash(cause)
    const detail = error instanceof Error ? error.message : String(error)
    const exit = Exit.failCause(cause)
    if (DbError.isDbError(error) && error.isRetryable) {
      ledger.postponed(job.id, exit, detail, clock.currentTimeMillisUnsafe())
    } else {
      yield* role.edit(CompactionStep.finish(job.id, "failed"))
      yield* failed(job.id, exit, detail)
    }
  })

  const handle = (message: Message, task: Task.Task<Message>): Effect.Effect<void, DbError.DbError> => {
    switch (message._tag) {
      case "Poll":
        return poll(task)
      case "UntilIdle":
        ledger.awaited(message.reply)
        return poll(task)
      case "Compact":
        return Effect.andThen(ask(message.plan, message.reply), poll(task))
      case "OutputsWritten":
        return Effect.map(role.edit(CompactionStep.recordOutputs(message.id, message.outputs)), () => {
          Deferred.doneUnsafe(message.reply, Exit.void)
        })
      case "JobDone": {
        const { exit, job } = message
        ledger.running.delete(job.id)
        const end = Exit.isSuccess(exit) ? commit(job, exit.value ?? []) : giveUp(job, exit.cause)
        return Effect.andThen(end, poll(task))
      }
    }
  }

  /** Nobody waits for the answer of a handler that failed. */
  const handled = (message: Message, task: Task.Task<Message>) =>
    Effect.suspend(() => (fencedBy === undefined ? handle(message, task) : Effect.fail(fencedBy))).pipe(
      Effect.onError((cause) =>
        Effect.sync(() => {
          if ("reply" in message) Deferred.doneUnsafe(message.reply, Exit.failCause(cause))
          ledger.endWait(Exit.failCause(cause))
        })
      ),
      Effect.catchIf(isFenced, stop),
      Effect.catchIf(isUnsupported, refuse),
      Effect.onError((cause) =>
        Effect.sync(() => ledger.note(`the compactor failed, and tries again: ${String(Cause.squash(cause))}`))
      )
    )

  const task = yield* Task.make<Message>({
    name: "Compactor",
    lifecycle,
    onFailure: "restart",
    mailboxCapacity: 64,
    ticks: { schedule: Schedule.spaced(settings.compactorPollInterval), message: () => ({ _tag: "Poll" }) },
    handle: handled
  })

  return {
    report: () => ledger.report,
    epoch: () => role.epoch,
    poll: () => {
      task.tell({ _tag: "Poll" })
    },
    untilIdle: task.ask((reply: Task.Reply<void>) => ({ _tag: "UntilIdle", reply })),
    compact: (plan) => task.ask((reply: Task.Reply<void>) => ({ _tag: "Compact", plan, reply }))
  }
})

const bytesOf = (tables: ReadonlyArray<SsTable>): number => tables.reduce((sum, table) => sum + sizeBytes(table), 0)

const isUnsupported = (error: DbError.DbError): boolean => error.reason._tag === "Unsupported"

const refusedPlan = (detail: string): DbError.DbError => DbError.fail(new DbError.Invalid({ field: "plan", detail }))
