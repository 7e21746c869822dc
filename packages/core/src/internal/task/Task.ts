/**
 * The one event loop: a fiber that takes messages from a bounded mailbox and
 * handles them one after another.
 *
 *     ask, tell, ticks ──> [ mailbox ] ──> handle ──> commands, forks, replies
 *                                             │
 *                        forked work reports by message
 *
 * - Ticks are messages like any other; a full mailbox skips them, and a tick that
 *   still waits there stands for those that follow it.
 * - Forked work lives in the task's scope and reports by message, so a handler
 *   need not wait on the store.
 * - A handler that fails or dies ends the database (`Lifecycle`), and everybody
 *   who waits for a reply, also behind a full mailbox, fails with the reason.
 * - An interrupted `ask` does not un-send: no answer is not "no".
 * - When the database has closed, loop and ticks end: a fenced writer polls nothing.
 * - The scope's end interrupts the loop and all that it forked. What must happen
 *   before is asked for by message (`Flush`), not by the end of the mailbox.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as DbError from "../../DbError.ts"
import type { Lifecycle } from "./Lifecycle.ts"

/** Where a handler leaves its answer. */
export type Reply<A> = Deferred.Deferred<A, DbError.DbError>

export interface Task<M> {
  /** Sends a message and waits for its reply, or for the end of the database. */
  readonly ask: <A>(message: (reply: Reply<A>) => M) => Effect.Effect<A, DbError.DbError>
  /** Sends a message, waiting for room in the mailbox: for forked work that reports. */
  readonly send: (message: M) => Effect.Effect<void>
  /** Leaves a message without waiting; `false` when the mailbox is full or the task has ended. */
  readonly tell: (message: M) => boolean
  /** Forks work that lives as long as the task; a failure of it ends the database. */
  readonly fork: (work: Effect.Effect<void, DbError.DbError>) => Effect.Effect<void>
}

/** Offers a message to the task's mailbox each time the schedule recurs. */
export interface Ticks<M> {
  readonly schedule: Schedule.Schedule<unknown>
  /** What to do at a tick; `undefined`: nothing. */
  readonly message: () => M | undefined
  /** Awaited after each tick, before the schedule is asked for the next one. */
  readonly armed?: Effect.Effect<void> | undefined
}

export const make = Effect.fnUntraced(function* <M>(options: {
  readonly name: string
  readonly lifecycle: Lifecycle
  readonly mailboxCapacity: number
  /** What a failure of a handler means: the end of the database, the default, or a pause and another try. */
  readonly onFailure?: "close" | "restart" | undefined
  readonly ticks?: Ticks<M> | undefined
  readonly handle: (message: M, task: Task<M>) => Effect.Effect<void, DbError.DbError>
}): Effect.fn.Return<Task<M>, never, Scope.Scope> {
  const { lifecycle, name } = options
  const scope = yield* Effect.scope
  const mailbox = yield* Queue.bounded<M>(options.mailboxCapacity)
  const supervised = <E>(work: Effect.Effect<void, E>) =>
    work.pipe(
      // Also when it was interrupted: a database that closes has its reason by then, so nobody else may do that.
      Effect.onExit((exit) =>
        Exit.isFailure(exit) ? Effect.sync(() => lifecycle.failCause(name, exit.cause)) : Effect.void
      ),
      // What ended the database is told to everybody who waits; the fiber itself has no parent that would listen.
      Effect.catchCause(() => Effect.void)
    )

  const task: Task<M> = {
    send: (message) => Effect.asVoid(Queue.offer(mailbox, message)),
    tell: (message) => Queue.offerUnsafe(mailbox, message),
    ask: (message) =>
      Effect.suspend(() => (lifecycle.reason === undefined ? awaitReply(message) : Effect.fail(lifecycle.error))),
    fork: (work) => Effect.asVoid(Effect.forkIn(supervised(work), scope, { startImmediately: true }))
  }

  const awaitReply = <A>(message: (reply: Reply<A>) => M): Effect.Effect<A, DbError.DbError> => {
    const reply: Reply<A> = Deferred.makeUnsafe()
    const forget = lifecycle.onClosed((error) => Deferred.doneUnsafe(reply, Effect.fail(error)))
    const answer = Deferred.await(reply)
    return Effect.raceFirst(Queue.offer(mailbox, message(reply)), answer).pipe(
      Effect.andThen(answer),
      Effect.ensuring(Effect.sync(forget))
    )
  }

  let waitingTick: M | undefined
  const tick = (message: M | undefined) => {
    if (message !== undefined && waitingTick === undefined && task.tell(message)) waitingTick = message
  }

  yield* Queue.take(mailbox).pipe(
    Effect.flatMap((message) => {
      if (message === waitingTick) waitingTick = undefined
      return options.handle(message, task)
    }),
    Effect.forever,
    options.onFailure === "restart" ? restarted(name) : supervised,
    Effect.raceFirst(lifecycle.closed),
    Effect.forkIn(scope, { startImmediately: true })
  )
  if (options.ticks !== undefined) yield* startTicks(options.ticks, tick, lifecycle, scope)
  return task
})

/** Defects, too; the message that caused it is gone. */
const restarted = (name: string) => (loop: Effect.Effect<never, DbError.DbError>) =>
  loop.pipe(
    Effect.sandbox,
    Effect.tapError((cause) => Effect.logError(`effect-slatedb: ${name} failed and starts again`, cause)),
    Effect.retry(restartBackoff),
    Effect.catchCause(() => Effect.void)
  )

const restartBackoff = Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("1 minute")]).pipe(
  Schedule.jittered
)

const startTicks = <M>(
  ticks: Ticks<M>,
  tick: (message: M | undefined) => void,
  lifecycle: Lifecycle,
  scope: Scope.Scope
) =>
  Effect.sync(() => tick(ticks.message())).pipe(
    Effect.andThen(ticks.armed ?? Effect.void),
    Effect.repeat(ticks.schedule),
    Effect.raceFirst(lifecycle.closed),
    Effect.forkIn(scope, { startImmediately: true })
  )
