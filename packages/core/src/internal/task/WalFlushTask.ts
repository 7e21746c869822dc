/**
 * ADR 3's first task: WAL contents to the object store, then into the memtable.
 *
 *     append ──> open generation and active WAL        one synchronous step, no mailbox
 *       tick, size, flush or an eager waiter ──> freeze ──> upload ──> durable ──> answer
 *
 * A row is encoded for its WAL object when it is appended, so that freezing costs
 * the same however much was written; what is left, the index, is written in slices. All writers of one WAL wait for
 * one Deferred.
 *
 * While an object is on its way no tick freezes another: a store slower than the
 * interval gets fewer and larger objects, not a queue of them.
 *
 * The tick keeps the phase it got at open. It is armed by the first append after
 * a freeze, so that a database at rest has no timer.
 *
 * Without a WAL the same task owns the rows; they are durable when their memtable
 * is in level 0, and only size, `flush` and close freeze it.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as DbError from "../../DbError.ts"
import type { Settings } from "../../Settings.ts"
import type { SsTableWriter } from "../format/SsTableWriter.ts"
import type { BatchRow } from "../lsm/BatchRows.ts"
import * as WalFlushStep from "../lsm/WalFlushStep.ts"
import type { Kind } from "../model/RowEntry.ts"
import type { UlidSource } from "../store/UlidSource.ts"
import type { TurnMeter } from "../store/TurnMeter.ts"
import type { WalStore } from "../store/WalStore.ts"
import type { Lifecycle } from "./Lifecycle.ts"
import * as Retrying from "./Retrying.ts"
import type { StateCell } from "./StateCell.ts"
import * as Task from "./Task.ts"
import { type Wal, WalBuffer } from "./WalBuffer.ts"

type Message =
  | { readonly _tag: "Tick" }
  | { readonly _tag: "SizeReached" }
  | { readonly _tag: "Awaited" }
  /** Memory is full: what is open must be on its way, too. */
  | { readonly _tag: "Pressure" }
  | { readonly _tag: "Flush"; readonly seal: boolean; readonly reply: Task.Reply<void> }
  | { readonly _tag: "Step"; readonly message: () => WalFlushStep.Message<Wal> }

/** What the roof may do with the buffer. */
export interface WalFlushTask {
  /** Gives one row the next sequence number and publishes it, in one synchronous step. Bytes are copied. */
  readonly append: (key: Uint8Array, value: Uint8Array, kind: Kind, expireTime: number) => void
  /** The same for a batch: rows of distinct keys, in key order, at least one. */
  readonly appendBatch: (rows: ReadonlyArray<BatchRow>) => void
  /** The time that a row appended now is dated by; never goes back. */
  readonly now: () => number
  /** Waits until everything appended so far is durable. */
  readonly awaitDurable: () => Effect.Effect<void, DbError.DbError>
  /** Freezes what is there, and waits until it is stored; with `seal`, the memtable is frozen as well. */
  readonly flush: (seal: boolean) => Effect.Effect<void, DbError.DbError>
  readonly pressure: () => void
  /** Answers those who wait for level 0, when there is no WAL. */
  readonly manifestAdopted: () => void
  /** Bytes of WAL objects that are not stored yet. */
  readonly bufferedBytes: () => number
  readonly nextWalId: () => number
}

/** Objects from so many bytes on are completed in slices. */
const slicedBytesMin = 1024 * 1024
/** Blocks whose entries of the index are written in a step, and steps of a slice. */
const blocksPerStep = 512
const stepsPerSlice = 8

export const make = Effect.fnUntraced(function* (options: {
  readonly lifecycle: Lifecycle
  readonly cell: StateCell
  readonly settings: Settings
  readonly wals: WalStore
  readonly ulids: UlidSource
  readonly newWriter: () => SsTableWriter
  readonly turns: TurnMeter
  readonly isLeaseFresh: () => boolean
  readonly refreshManifest: Effect.Effect<void, DbError.DbError>
  readonly nextWalId: number
  /** WAL objects that the open generation will cover: those that were replayed into it, and the fence. */
  readonly replayedWals: number
  readonly lastCreateTime: number
  /** Rows became durable, and a sealed generation may be ready for its table. */
  readonly onSealedDurable: () => void
  /** Memory was released. */
  readonly onReleased: () => void
}): Effect.fn.Return<WalFlushTask, never, Scope.Scope> {
  const { cell, lifecycle, settings } = options
  const clock = yield* Clock.Clock
  const retrying = Retrying.make(lifecycle, "WalFlushTask")
  const armed = Latch.makeUnsafe(false)
  const buffer = new WalBuffer(options, clock)
  let state: WalFlushStep.State<Wal> = WalFlushStep.initial
  let isAwaitedTold = false
  let isSizeTold = false
  /** A tick passed while an upload was under way: what it would have frozen goes with the next object. */
  let isTickDue = false

  /** Completes the object: a small one at once, as it costs less than to look at the clock. */
  const finish = (writer: SsTableWriter) =>
    writer.sizeBytes < slicedBytesMin
      ? Effect.sync(() => writer.finish())
      : Effect.map(
          options.turns.slices("WAL end", stepsPerSlice, () => writer.prepare(blocksPerStep)),
          () => writer.finish()
        )

  const upload = (frozen: WalFlushStep.FrozenWal<Wal>, task: Task.Task<Message>) => {
    const putId = options.ulids.next()
    return finish(frozen.wal.writer).pipe(
      Effect.flatMap(({ body }) => retrying(options.wals.create(frozen.id, body, putId))),
      Effect.flatMap((created) => {
        if (!created) {
          return Effect.sync(() => lifecycle.fence(`another writer's object is in the place of WAL ${frozen.id}`))
        }
        frozen.wal.writer.release()
        return task.send({
          _tag: "Step",
          message: () => ({ _tag: "Uploaded", id: frozen.id, isLeaseFresh: options.isLeaseFresh() })
        })
      })
    )
  }

  const acknowledge = (wal: Wal) => {
    cell.wal.durable(wal.lastSequence)
    Deferred.doneUnsafe(wal.durable, Effect.void)
    options.onReleased()
    if (cell.state.sealed.length > 0) options.onSealedDurable()
  }

  /** Acknowledges at once; what has to be asked of the store is forked by the effect. */
  const run = (command: WalFlushStep.Command<Wal>, task: Task.Task<Message>): Effect.Effect<void> => {
    switch (command._tag) {
      case "Acknowledge":
        acknowledge(command.frozen.wal)
        return Effect.void
      case "Upload":
        return task.fork(upload(command.frozen, task))
      case "ReadManifest":
        return task.fork(
          Effect.andThen(
            options.refreshManifest,
            task.send({ _tag: "Step", message: () => ({ _tag: "LeaseRead", isLeaseFresh: options.isLeaseFresh() }) })
          )
        )
    }
  }

  /**
   * Takes the step at once, before its effect runs: from the buffer to the queue, and from the queue to its
   * acknowledgement, a WAL goes in one synchronous step, and is never where the end of the database would not find it.
   */
  const apply = (
    message: WalFlushStep.Message<Wal>,
    task: Task.Task<Message>
  ): Effect.Effect<void, DbError.DbError> => {
    const stepped = WalFlushStep.step(state, message)
    state = stepped.state
    const forks = stepped.commands.map((command) => run(command, task))
    return Effect.andThen(
      Effect.all(forks, { discard: true }),
      Effect.suspend(() => {
        const isAwaited = settings.walFlush === "eager" && buffer.active?.isAwaited === true
        const isDue = state.queue.length === 0 && buffer.active !== undefined && (isTickDue || isAwaited)
        return isDue ? freeze(false, task) : Effect.void
      })
    )
  }

  const freeze = (seal: boolean, task: Task.Task<Message>): Effect.Effect<void, DbError.DbError> =>
    Effect.suspend(() => {
      armed.closeUnsafe()
      isTickDue = false
      const frozen = buffer.freeze(seal)
      if (cell.state.sealed.length > 0) options.onSealedDurable()
      return frozen === undefined ? Effect.void : apply({ _tag: "Frozen", frozen }, task)
    })

  /** Waits for the newest WAL object, which is stored last. */
  const answerWhenStored = (reply: Task.Reply<void>, task: Task.Task<Message>) =>
    Effect.suspend(() => {
      const newest = state.queue[state.queue.length - 1]
      if (newest !== undefined) return task.fork(Deferred.into(Deferred.await(newest.wal.durable), reply))
      Deferred.doneUnsafe(reply, Effect.void)
      return Effect.void
    })

  const handle = (message: Message, task: Task.Task<Message>): Effect.Effect<void, DbError.DbError> => {
    switch (message._tag) {
      case "Tick":
        isTickDue = state.queue.length > 0
        return isTickDue ? Effect.void : freeze(false, task)
      case "Awaited":
        isAwaitedTold = false
        return state.queue.length === 0 ? freeze(false, task) : Effect.void
      case "SizeReached":
        isSizeTold = false
        return freeze(!settings.walEnabled, task)
      case "Pressure":
        return cell.state.sealed.length === 0 ? freeze(true, task) : Effect.void
      case "Flush":
        return Effect.andThen(freeze(message.seal, task), answerWhenStored(message.reply, task))
      case "Step":
        return apply(message.message(), task)
    }
  }

  const task = yield* Task.make<Message>({
    name: "WalFlushTask",
    lifecycle,
    mailboxCapacity: 256,
    ticks:
      settings.walEnabled && settings.walFlush !== "manual"
        ? {
            schedule: windowsSince(clock.currentTimeMillisUnsafe(), settings.flushInterval),
            message: () => (buffer.active === undefined ? undefined : { _tag: "Tick" }),
            armed: armed.await
          }
        : undefined,
    handle
  })

  lifecycle.onClosed((error) => {
    const failure = Effect.fail(error)
    for (const { wal } of state.queue) Deferred.doneUnsafe(wal.durable, failure)
    buffer.fail(failure)
  })

  /** Something threw between two rows, a codec for example: what is there of the batch must stay the last. */
  const tornBy = (defect: unknown): never => {
    lifecycle.failCause("WalFlushTask", Cause.die(defect))
    throw defect
  }

  const afterAppend = () => {
    armed.openUnsafe()
    if (!isSizeTold && buffer.isFull) isSizeTold = task.tell({ _tag: "SizeReached" })
  }

  return {
    append: (key, value, kind, expireTime) => {
      try {
        buffer.begin()
        buffer.add(key, value, kind, expireTime)
        buffer.commit()
      } catch (defect) {
        tornBy(defect)
      }
      afterAppend()
    },
    appendBatch: (rows) => {
      try {
        buffer.begin()
        for (let i = 0; i < rows.length; i++) {
          const row = rows[i] as BatchRow
          buffer.add(row.key, row.value, row.kind, row.expireTime)
        }
        buffer.commit()
      } catch (defect) {
        tornBy(defect)
      }
      afterAppend()
    },
    now: () => buffer.now,
    awaitDurable: () => {
      const durable = buffer.awaited(state.queue[state.queue.length - 1]?.wal)
      if (settings.walFlush === "eager" && settings.walEnabled && !isAwaitedTold && state.queue.length === 0) {
        isAwaitedTold = task.tell({ _tag: "Awaited" })
      }
      return durable === undefined ? Effect.void : Deferred.await(durable)
    },
    flush: (seal) => task.ask((reply: Task.Reply<void>) => ({ _tag: "Flush", seal, reply })),
    pressure: () => task.tell({ _tag: "Pressure" }),
    manifestAdopted: () => buffer.answerCovered(),
    bufferedBytes: () => {
      let sum = buffer.active?.writer.sizeBytes ?? 0
      for (const { wal } of state.queue) sum += wal.writer.sizeBytes
      return sum
    },
    nextWalId: () => buffer.nextWalId
  }
})

/** Recurs at the ends of windows that began at `start`. Those of `Schedule.windowed` begin when it is first asked. */
const windowsSince = (start: number, window: Duration.Duration): Schedule.Schedule<number> => {
  const millis = Duration.toMillis(window)
  return Schedule.fromStepWithMetadata(
    Effect.succeed(({ attempt, now }) =>
      // A clock that was set back lengthens one window, by less than a second one. With one that counts fractions, the
      // rest of a window may be too short for time to go on by it: hence at least a millisecond.
      Effect.sync(() => [attempt, Duration.millis(Math.max(1, millis - ((now - start) % millis)))])
    )
  )
}
