/** A store that counts what it is asked, as a bill would. */
import type { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import * as ObjectStore_ from "@effect-slatedb/core/ObjectStore"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

export const kinds = ["create", "replace", "list", "read", "read a part", "look at", "delete"] as const
export type Kind = (typeof kinds)[number]

export interface Count {
  requests: number
  /** Of bodies, up or down. */
  bytes: number
}

export type Counts = { readonly [K in Kind]: Count }

export const noRequests = (): Counts => ({
  create: { requests: 0, bytes: 0 },
  replace: { requests: 0, bytes: 0 },
  list: { requests: 0, bytes: 0 },
  read: { requests: 0, bytes: 0 },
  "read a part": { requests: 0, bytes: 0 },
  "look at": { requests: 0, bytes: 0 },
  delete: { requests: 0, bytes: 0 }
})

/** S3 lists up to so many objects with one request. */
const listPage = 1000

export const make = (store: ObjectStore["Service"], counts: Counts): ObjectStore["Service"] => {
  const counted = <A, E>(kind: Kind, bytesUp: number, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      counts[kind].requests++
      counts[kind].bytes += bytesUp
      return effect
    })
  const read = <E>(kind: Kind, effect: Effect.Effect<Uint8Array, E>): Effect.Effect<Uint8Array, E> =>
    Effect.tap(counted(kind, 0, effect), (bytes) =>
      Effect.sync(() => {
        counts[kind].bytes += bytes.length
      })
    )
  return {
    get: (path) => read("read", store.get(path)),
    getRange: (path, range) => read("read a part", store.getRange(path, range)),
    head: (path) => counted("look at", 0, store.head(path)),
    put: (path, body) => counted("replace", ObjectStore_.byteLength(body), store.put(path, body)),
    putIfAbsent: (path, body, options) =>
      counted("create", ObjectStore_.byteLength(body), store.putIfAbsent(path, body, options)),
    delete: (path) => counted("delete", 0, store.delete(path)),
    list: (options) =>
      Stream.suspend(() => {
        let listed = 0
        counts.list.requests++
        return Stream.tap(store.list(options), () =>
          Effect.sync(() => {
            if (listed++ === listPage) {
              listed = 1
              counts.list.requests++
            }
          })
        )
      })
  }
}
