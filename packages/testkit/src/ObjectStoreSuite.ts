/**
 * The contract of `ObjectStore` as tests: every sentence of it that can be seen
 * from outside. Whoever writes a store calls {@link suite} in a test file.
 *
 * The store is built once for the whole suite and used through the service alone.
 * Every test works in a folder of its own with a random name, so a suite can run
 * on a bucket that holds other things, and leaves its objects there. The tests run
 * on the real clock: stores do real I/O.
 *
 * **Example** (Testing a store)
 *
 * ```ts
 * import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
 * import * as ObjectStoreSuite from "@effect-slatedb/testkit/ObjectStoreSuite"
 *
 * ObjectStoreSuite.suite("MemoryObjectStore", MemoryObjectStore.layer)
 * ```
 *
 * @stability unstable
 * @since 0.1.0
 */
import type { ObjectStore } from "@effect-slatedb/core/ObjectStore"
import { layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import type * as Layer from "effect/Layer"
import * as Contents from "./internal/suite/Contents.ts"
import * as Creates from "./internal/suite/Creates.ts"
import * as Listings from "./internal/suite/Listings.ts"
import * as Ranges from "./internal/suite/Ranges.ts"
import * as Requests from "./internal/suite/Requests.ts"

/**
 * What a store may do in its own way.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Whether it keeps put ids beside the objects, so that `head` tells them. Default `true`. */
  readonly keepsPutIds?: boolean | undefined
  /** How far its clock and the granularity of its times may be off. Default 5 seconds. */
  readonly clockSkewMax?: Duration.Input | undefined
  /** The largest object that the suite stores, bytes. Default 8 MiB and a byte. */
  readonly objectBytesMax?: number | undefined
}

/**
 * Declares the tests of the contract for the store that `store` provides.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const suite = <E>(name: string, store: Layer.Layer<ObjectStore, E>, options?: Options): void => {
  const { keepsPutIds = true, clockSkewMax = "5 seconds", objectBytesMax = 8 * 1024 * 1024 + 1 } = options ?? {}
  layer(store, { excludeTestServices: true })(`${name} keeps the contract of ObjectStore`, (it) => {
    Contents.tests(it, { objectBytesMax, clockSkewMaxMillis: Duration.toMillis(clockSkewMax) })
    Ranges.tests(it)
    Creates.tests(it, { keepsPutIds })
    Listings.tests(it)
    Requests.tests(it)
  })
}
