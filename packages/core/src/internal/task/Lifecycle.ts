/**
 * Whether the database is open, and if not, why: the first reason wins.
 *
 *     open ──> closing ──> closed(clean)
 *       └─────────┴──────> closed(fenced | failed)
 *
 * A task that cannot go on says so here. Everybody who waits for anything has
 * left a listener, which runs in the same synchronous step, so no caller is left
 * hanging and nothing is acknowledged afterwards.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as DbError from "../../DbError.ts"

type State =
  | { readonly _tag: "Open" }
  | { readonly _tag: "Closing" }
  | { readonly _tag: "Closed"; readonly reason: DbError.Closed }

export class Lifecycle {
  #state: State = { _tag: "Open" }
  readonly #listeners = new Set<(error: DbError.DbError) => void>()
  readonly #ended = Latch.makeUnsafe(false)
  /** Requests of tasks that failed and were tried again. */
  retries = 0
  lastRetry: string | undefined

  get isOpen(): boolean {
    return this.#state._tag === "Open"
  }

  get state(): "open" | "closing" | "closed" {
    return this.#state._tag === "Open" ? "open" : this.#state._tag === "Closing" ? "closing" : "closed"
  }

  get reason(): DbError.Closed | undefined {
    return this.#state._tag === "Closed" ? this.#state.reason : undefined
  }

  /** What calls fail with once the database is not open any more. */
  get error(): DbError.DbError {
    return DbError.fail(this.reason ?? new DbError.Closed({ kind: "clean", detail: "the database is closing" }))
  }

  /** Runs once, when the database closes, for whatever reason. Returns how to take it back. */
  onClosed(listener: (error: DbError.DbError) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Ends when the database has closed, for whatever reason. */
  get closed(): Effect.Effect<void> {
    return this.#ended.await
  }

  /** Takes no new calls; what is under way goes on. */
  beginClosing(): void {
    if (this.#state._tag === "Open") this.#state = { _tag: "Closing" }
  }

  close(reason: DbError.Closed): void {
    if (this.#state._tag === "Closed") return
    this.#state = { _tag: "Closed", reason }
    const error = DbError.fail(reason)
    for (const listener of this.#listeners) listener(error)
    this.#listeners.clear()
    this.#ended.openUnsafe()
  }

  fence(detail: string): void {
    this.close(new DbError.Closed({ kind: "fenced", detail }))
  }

  /** A task ended with this cause. Its own `Closed` error passes through; all else is a failure. */
  failCause(task: string, cause: Cause.Cause<unknown>): void {
    const error = Cause.squash(cause)
    this.close(
      DbError.isDbError(error) && error.reason._tag === "Closed"
        ? error.reason
        : new DbError.Closed({
            kind: "failed",
            detail: `task=${task} cause=${error instanceof Error ? error.message : String(error)}`,
            cause
          })
    )
  }

  noteRetry(task: string, error: DbError.DbError): Effect.Effect<void> {
    this.retries++
    this.lastRetry = `task=${task} ${error.message}`
    return Effect.logWarning(`effect-slatedb: will try again: ${this.lastRetry}`)
  }
}
