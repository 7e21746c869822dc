/**
 * A URL shortener: an application's service on top of a database.
 *
 * The application asks for a `Db` and never names a store, so that its tests run
 * on memory, under a clock of their own, and its users on whatever they have.
 *
 *     link/<code>          the URL
 *     host/<host>/<code>   the same, so that the links of a host lie together
 *     visits/<code>        how often the link was followed
 *
 * Codes are numbers in base 36, six digits, so that they sort as they were given.
 * The last one is not kept anywhere: it is the last key that begins with `link/`.
 */
import * as Db from "@effect-slatedb/core/Db"
import type * as DbError from "@effect-slatedb/core/DbError"
import * as KeyRange from "@effect-slatedb/core/KeyRange"
import * as MergeOperator from "@effect-slatedb/core/MergeOperator"
import type { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as WriteBatch from "@effect-slatedb/core/WriteBatch"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Visits from "./Visits.ts"

export class NotAUrl extends Data.TaggedError("NotAUrl")<{ readonly text: string }> {
  override get message(): string {
    return `not a URL: ${this.text}`
  }
}

export class UnknownCode extends Data.TaggedError("UnknownCode")<{ readonly code: string }> {
  override get message(): string {
    return `no link has this code: ${this.code}`
  }
}

export interface Link {
  readonly code: string
  readonly url: string
}

export class ShortLinks extends Context.Service<
  ShortLinks,
  {
    /** Gives a URL a code. Whoever was told a code can print it on paper: it is durable. */
    readonly shorten: (url: string) => Effect.Effect<string, NotAUrl | DbError.DbError>
    /** The URL of a code. Counts the visit, but does not wait until it is stored. */
    readonly follow: (code: string) => Effect.Effect<string, UnknownCode | DbError.DbError>
    /** How often a code was followed; a crash may lose the visits of its last 100 ms. */
    readonly visits: (code: string) => Effect.Effect<bigint, DbError.DbError>
    /** The links to a host, oldest first. */
    readonly ofHost: (host: string) => Stream.Stream<Link, DbError.DbError>
  }
>()("examples/ShortLinks") {}

export const make = Effect.gen(function* () {
  const db = yield* Db.Db
  // Only one process can have the database open for writing, so a plain variable is enough to count.
  let lastNumber = yield* readLastNumber(db)

  const shorten = Effect.fn("ShortLinks.shorten")(function* (url: string) {
    if (!URL.canParse(url)) return yield* new NotAUrl({ text: url })
    const code = toCode(++lastNumber)
    // A link without its place under the host, or the other way round, exists at no moment.
    yield* db.write(
      pipe(
        WriteBatch.empty,
        WriteBatch.put(`link/${code}`, url),
        WriteBatch.put(`host/${new URL(url).host}/${code}`, url)
      )
    )
    return code
  })

  const follow = Effect.fn("ShortLinks.follow")(function* (code: string) {
    const url = yield* db
      .get(`link/${code}`)
      .pipe(Effect.catchTag("KeyNotFound", () => Effect.fail(new UnknownCode({ code }))))
    // A visitor should not wait for the store, and a lost visit harms nobody.
    yield* db.merge(`visits/${code}`, Visits.one, { awaitDurable: false })
    return text(url)
  })

  return ShortLinks.of({
    shorten,
    follow,
    // Visits that are counted are shown: here it does not matter whether a crash can take them back.
    visits: (code) =>
      Effect.map(
        db.getOption(`visits/${code}`, { readLevel: "uncommitted" }),
        Option.match({ onNone: () => 0n, onSome: Visits.decode })
      ),
    ofHost: (host) =>
      db
        .scan(KeyRange.prefix(`host/${host}/`))
        .pipe(Stream.map(({ key, value }) => ({ code: text(key).slice(-codeLength), url: text(value) })))
  })
})

/** The application on a database of its own; the store is still open. */
export const layer: Layer.Layer<ShortLinks, DbError.DbError, ObjectStore> = Layer.effect(ShortLinks, make).pipe(
  Layer.provide(Db.layer({ path: "short-links" })),
  Layer.provide(MergeOperator.layer(Visits.add))
)

const codeLength = 6

const toCode = (number: number): string => number.toString(36).padStart(codeLength, "0")

const readLastNumber = (db: Db.Db["Service"]): Effect.Effect<number, DbError.DbError> =>
  db.scan(KeyRange.prefix("link/"), { order: "descending", limit: 1 }).pipe(
    Stream.runHead,
    Effect.map(
      Option.match({
        onNone: () => 0,
        onSome: ({ key }) => Number.parseInt(text(key).slice(-codeLength), 36)
      })
    )
  )

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
