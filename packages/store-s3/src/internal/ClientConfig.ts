/**
 * The options of a store, checked and put into the SDK's words.
 *
 * What the SDK would do by itself and must not: retry (one policy, the store's,
 * decides), add checksums that compatible servers refuse, and ask for a
 * "100 Continue" before larger bodies, for which it gives up its kept connections
 * and makes a new one each time.
 *
 * Nothing here reads the environment. What the options leave open, credentials
 * above all, the SDK looks up when the first request needs it.
 */
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import { invalidPath } from "@effect-slatedb/core/ObjectStore"
import type { S3ClientConfig } from "@aws-sdk/client-s3"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Credentials, Options } from "./Options.ts"
import * as S3Failure from "./S3Failure.ts"

/** Options with every default decided. */
export interface Resolved {
  readonly bucket: string
  /** What stands before every path: empty, or a prefix that ends in a slash. */
  readonly root: string
  readonly requestsMax: number
  readonly client: S3ClientConfig
}

const CONNECT_TIMEOUT_MILLIS = 5000

/** Checks options and decides what they leave open. */
export const resolve = (options: Options): Result.Result<Resolved, ObjectStore.ObjectStoreError> => {
  const requestsMax = options.requestsMax ?? 64
  const requestTimeout = Duration.toMillis(options.requestTimeout ?? "30 seconds")
  const prefix = (options.prefix ?? "").replace(/^\/+|\/+$/g, "")
  const problem =
    (options.bucket === "" ? "bucket is empty" : undefined) ??
    (prefix === "" ? undefined : invalidPrefix(prefix)) ??
    (Number.isSafeInteger(requestsMax) && requestsMax >= 1
      ? undefined
      : `requestsMax must be an integer of at least 1: requestsMax=${requestsMax}`) ??
    (requestTimeout > 0 ? undefined : `requestTimeout must be above zero: requestTimeout=${requestTimeout}ms`) ??
    (options.endpoint === undefined ? undefined : invalidEndpoint(options.endpoint))
  if (problem !== undefined) return Result.fail(S3Failure.invalid({ operation: "open", path: options.bucket }, problem))
  return Result.succeed({
    bucket: options.bucket,
    root: prefix === "" ? "" : `${prefix}/`,
    requestsMax,
    client: clientConfig(options, requestTimeout)
  })
}

const invalidPrefix = (prefix: string): string | undefined => {
  const problem = invalidPath(prefix)
  return problem === undefined ? undefined : `prefix may not be used: prefix=${prefix} problem=${problem}`
}

const invalidEndpoint = (endpoint: string): string | undefined =>
  /^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")
    ? undefined
    : `endpoint must be a URL that begins with http:// or https://: endpoint=${endpoint}`

const clientConfig = (options: Options, requestTimeout: number): S3ClientConfig => {
  // Permits bound the requests. A bound on sockets would make a request that has its permit wait for another's.
  const agent = { keepAlive: true, maxSockets: Infinity }
  const region = options.region ?? (options.endpoint === undefined ? undefined : "us-east-1")
  return {
    maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    expectContinueHeader: false,
    forcePathStyle: options.forcePathStyle ?? options.endpoint !== undefined,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MILLIS,
      socketTimeout: requestTimeout,
      httpAgent: agent,
      httpsAgent: agent
    },
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(options.credentials === undefined ? {} : { credentials: identity(options.credentials) })
  }
}

const identity = ({ accessKeyId, secretAccessKey, sessionToken }: Credentials) => ({
  accessKeyId,
  secretAccessKey: reveal(secretAccessKey),
  ...(sessionToken === undefined ? {} : { sessionToken: reveal(sessionToken) })
})

const reveal = (secret: string | Redacted.Redacted): string =>
  Redacted.isRedacted(secret) ? Redacted.value(secret) : secret
