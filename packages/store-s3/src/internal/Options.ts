/**
 * How to reach a bucket: re-exported by the public `S3ObjectStore` module.
 */
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import type * as Schedule from "effect/Schedule"

/**
 * The keys of an account.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string | Redacted.Redacted
  readonly sessionToken?: string | Redacted.Redacted | undefined
}

/**
 * Which bucket, how to reach it, and how hard to try.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** It must exist. */
  readonly bucket: string
  /** A folder of the bucket to keep everything in; slashes around it do not matter. Default: none. */
  readonly prefix?: string | undefined
  /** The URL of an S3-compatible server. Default: Amazon's for the region. */
  readonly endpoint?: string | undefined
  /** Default: `us-east-1` with an `endpoint`, else what `AWS_REGION` or the AWS profile says. */
  readonly region?: string | undefined
  /** Puts the bucket into the path of URLs instead of the host name. Default: true with an `endpoint`. */
  readonly forcePathStyle?: boolean | undefined
  /** Default: the SDK's chain (environment, profile, container, instance), asked at the first request. */
  readonly credentials?: Credentials | undefined
  /** The most requests, and connections, at a time; further ones wait. Default 64. */
  readonly requestsMax?: number | undefined
  /**
   * How long one try may go without a byte moving in either direction. It does not limit the whole transfer, so a
   * large object gets through a slow link. Default 30 seconds.
   */
  readonly requestTimeout?: Duration.Input | undefined
  /** When to try again after a retryable failure, and when to give up. Default {@link defaultRetry}. */
  readonly retry?: Schedule.Schedule<unknown, ObjectStore.ObjectStoreError> | undefined
}
