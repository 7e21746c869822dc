/**
 * An object store that counts: requests and bytes by operation and kind of object,
 * whichever store stands behind it. Listings count once a page.
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Counters } from "./Engine.ts"
import * as ObjectKind from "./ObjectKind.ts"

export interface Counted {
  readonly layer: Layer.Layer<ObjectStore.ObjectStore, ObjectStore.ObjectStoreError>
  /** `"get wal"` counts requests, `"get wal bytes"` what went up or down. */
  readonly counters: () => Counters
}

/** Counts the requests to the store that a layer provides. */
export const make = (layer: Layer.Layer<ObjectStore.ObjectStore, ObjectStore.ObjectStoreError>): Counted => {
  const counts: Record<string, number> = {}
  const note = (operation: string, path: string, bytes: number): void => {
    const name = `${operation} ${ObjectKind.of(path)}`
    counts[name] = (counts[name] ?? 0) + 1
    if (bytes > 0) counts[`${name} bytes`] = (counts[`${name} bytes`] ?? 0) + bytes
  }
  return {
    layer: Layer.effect(
      ObjectStore.ObjectStore,
      Effect.gen(function* () {
        return counting(yield* ObjectStore.ObjectStore, note)
      })
    ).pipe(Layer.provide(layer)),
    counters: () => ({ ...counts })
  }
}

const counting = (
  store: ObjectStore.ObjectStore["Service"],
  note: (operation: string, path: string, bytes: number) => void
): ObjectStore.ObjectStore["Service"] => {
  const read = (operation: string, path: string) => (self: Effect.Effect<Uint8Array, ObjectStore.ObjectStoreError>) =>
    Effect.onExit(self, (exit) =>
      Effect.sync(() => note(operation, path, exit._tag === "Success" ? exit.value.length : 0))
    )
  const counted =
    (operation: string, path: string, bytes = 0) =>
    <A>(self: Effect.Effect<A, ObjectStore.ObjectStoreError>) =>
      Effect.suspend(() => {
        note(operation, path, bytes)
        return self
      })
  return {
    get: (path) => read("get", path)(store.get(path)),
    getRange: (path, range) => read("getRange", path)(store.getRange(path, range)),
    head: (path) => counted("head", path)(store.head(path)),
    put: (path, body) => counted("put", path, ObjectStore.byteLength(body))(store.put(path, body)),
    putIfAbsent: (path, body, options) =>
      counted("putIfAbsent", path, ObjectStore.byteLength(body))(store.putIfAbsent(path, body, options)),
    delete: (path) => counted("delete", path)(store.delete(path)),
    list: (options) =>
      Stream.mapArray(store.list(options), (page) => {
        note("list", options.prefix, 0)
        return page
      })
  }
}
