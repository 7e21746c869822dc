/**
 * An object store in a bucket of Amazon S3, or of a server that speaks its
 * protocol and knows `If-None-Match: *` on a put (Ceph, MinIO, R2, Tigris and
 * others do; a database finds out at its first open).
 *
 * A path is kept under the key `prefix/path`, which S3 limits to 1,024 bytes; a longer
 * one is `Invalid`. The life of a request: it waits for
 * one of `requestsMax` permits, goes out over a kept connection, and its failure
 * becomes a reason. While the reason is retryable and the `retry` schedule goes on,
 * it gives its permit back, waits and tries again. The SDK's own retries are off,
 * so that this is the only policy. Interruption aborts the request on the wire.
 *
 * **Ambiguous creates.** `putIfAbsent` sends its put id as the object's metadata
 * `slatedbputid`. When a create is refused because the object is there, the object
 * is looked at: with our id it is an earlier try of ours whose answer was lost, and
 * the create succeeds. An object that has gone again by then counts as somebody
 * else's (`AlreadyExists`): numbers that were taken once are not taken again, even
 * if the collector has removed the object since.
 *
 * **Ranges** are asked for exactly and checked against what comes back. A server
 * that ignores them costs the transfer of whole objects, but gives no wrong bytes.
 *
 * Bodies go up in one request each, at most 5 GiB: S3's limit for a put. Multipart
 * uploads are not used, because servers ignore conditions on them.
 *
 * **Example** (A store on a local server)
 *
 * ```ts
 * import * as S3ObjectStore from "@effect-slatedb/store-s3/S3ObjectStore"
 * import * as Redacted from "effect/Redacted"
 *
 * const store = S3ObjectStore.layer({
 *   bucket: "databases",
 *   prefix: "orders",
 *   endpoint: "http://127.0.0.1:9160",
 *   credentials: { accessKeyId: "slatedb", secretAccessKey: Redacted.make("slatedb-secret") }
 * })
 * ```
 *
 * @stability unstable
 * @since 0.1.0
 */
import { S3Client } from "@aws-sdk/client-s3"
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Config from "effect/Config"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as ClientConfig from "./internal/ClientConfig.ts"
import type { Options } from "./internal/Options.ts"
import * as S3Bucket from "./internal/S3Bucket.ts"

export type { Credentials, Options } from "./internal/Options.ts"

/**
 * Up to seven further tries, after 100 ms, then twice as long each time up to a
 * second, each wait varied by a fifth: a little under five seconds in all.
 *
 * @stability unstable
 * @category constants
 * @since 0.1.0
 */
export const defaultRetry: Schedule.Schedule<Duration.Duration> = Schedule.min([
  Schedule.exponential("100 millis"),
  Schedule.spaced("1 second")
]).pipe(Schedule.jittered, Schedule.upTo({ times: 7 }))

/**
 * Opens a store; its connections close with the scope.
 *
 * **Details**
 *
 * Makes no request: a bucket that does not exist, or credentials that are wrong,
 * show at the first operation. Fails with `Invalid` for options that cannot be right.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make: (
  options: Options
) => Effect.Effect<ObjectStore.ObjectStore["Service"], ObjectStore.ObjectStoreError, Scope.Scope> = Effect.fnUntraced(
  function* (options) {
    const config = yield* Effect.fromResult(ClientConfig.resolve(options))
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => new S3Client(config.client)),
      (client) => Effect.sync(() => client.destroy())
    )
    return S3Bucket.make({
      client,
      bucket: config.bucket,
      root: config.root,
      permits: yield* Semaphore.make(config.requestsMax),
      retry: options.retry ?? defaultRetry
    })
  }
)

/**
 * Provides a store.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<ObjectStore.ObjectStore, ObjectStore.ObjectStoreError> =>
  Layer.effect(ObjectStore.ObjectStore, make(options))

/**
 * Provides a store with options read from configuration.
 *
 * **Example** (Bucket and keys from the environment)
 *
 * ```ts
 * import * as S3ObjectStore from "@effect-slatedb/store-s3/S3ObjectStore"
 * import * as Config from "effect/Config"
 *
 * const store = S3ObjectStore.layerConfig({
 *   bucket: Config.String("BUCKET"),
 *   credentials: {
 *     accessKeyId: Config.String("ACCESS_KEY_ID"),
 *     secretAccessKey: Config.Redacted("SECRET_ACCESS_KEY")
 *   }
 * })
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<Options>
): Layer.Layer<ObjectStore.ObjectStore, ObjectStore.ObjectStoreError | Config.ConfigError> =>
  Layer.effect(ObjectStore.ObjectStore, Effect.flatMap(Config.unwrap(config), make))
