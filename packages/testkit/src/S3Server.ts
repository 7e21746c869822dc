/**
 * The real S3 server that tests and drills run against.
 *
 * `find` gives the shared one: the server that the environment names, else the
 * one that `scripts/s3-server.sh` starts or finds running. Whoever asks becomes its
 * owner, and when the last owner's process has ended the server removes itself: no
 * test stops it, so that test files and processes can share it. Buckets keep them
 * apart.
 *
 * `scoped` gives a server of one's own, which may be killed and started again,
 * and is gone with its scope.
 *
 * Environment:
 *
 * - `SLATEDB_TEST_S3_ENDPOINT`, `SLATEDB_TEST_S3_ACCESS_KEY_ID`,
 *   `SLATEDB_TEST_S3_SECRET_ACCESS_KEY`: a server that is there already.
 * - `SLATEDB_REQUIRE_S3=1`: tests must not be skipped for want of a server.
 *
 * @stability unstable
 * @since 0.1.0
 */
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { isMainThread } from "node:worker_threads"

/**
 * How to reach a server.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface S3Server {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/**
 * A server that one test has for itself.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface OwnServer extends S3Server {
  /** Ends every process of the server at once, as a crash would; the data stays. */
  readonly kill: Effect.Effect<void, S3ServerError>
  /** Starts it on the data that is there; answers when it serves. */
  readonly start: Effect.Effect<void, S3ServerError>
}

/**
 * There is no server, and why. `notInstalled` when a server could be had by
 * installing it.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class S3ServerError extends Data.TaggedError("S3ServerError")<{
  readonly message: string
  readonly notInstalled: boolean
}> {}

/**
 * Whether tests must fail rather than be skipped where there is no server.
 *
 * @stability unstable
 * @category getters
 * @since 0.1.0
 */
export const isRequired = (): boolean => process.env["SLATEDB_REQUIRE_S3"] === "1"

/**
 * The shared server, started if need be.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const find: Effect.Effect<S3Server, S3ServerError> = Effect.suspend(() => {
  const server = fromEnvironment(process.env)
  return server === undefined ? start({}) : Effect.as(reachable(server), server)
})

/**
 * Succeeds where {@link scoped} can start a server.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const installed: Effect.Effect<void, S3ServerError> = Effect.suspend(() =>
  Effect.asVoid(script("installed", {}))
)

/**
 * A server of one's own, removed with the scope.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const scoped: Effect.Effect<OwnServer, S3ServerError, Scope.Scope> = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "effect-slatedb-s3-own-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
  )
  const place = { S3_SERVER_DIR: join(folder, "server"), S3_SERVER_PORT: String(yield* freePort) }
  // Before the start, so that a start which is cut short leaves nothing running either.
  yield* Effect.addFinalizer(() => Effect.orDie(script("purge", place)))
  const server = yield* start(place)
  return { ...server, kill: Effect.asVoid(script("kill", place)), start: Effect.asVoid(start(place)) }
})

/**
 * Makes a bucket with a name of its own.
 *
 * @stability unstable
 * @category operations
 * @since 0.1.0
 */
export const makeBucket = (server: S3Server): Effect.Effect<string, S3ServerError> =>
  Effect.gen(function* () {
    const bucket = `test-${(yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)).toString(36)}`
    const client = new S3Client({ ...server, forcePathStyle: true })
    yield* Effect.tryPromise({
      try: () => client.send(new CreateBucketCommand({ Bucket: bucket })),
      catch: (cause) => new S3ServerError({ message: `no bucket could be made: ${String(cause)}`, notInstalled: false })
    }).pipe(Effect.ensuring(Effect.sync(() => client.destroy())))
    return bucket
  })

const fromEnvironment = (environment: Readonly<Record<string, string | undefined>>): S3Server | undefined => {
  const endpoint = environment["SLATEDB_TEST_S3_ENDPOINT"]
  if (endpoint === undefined || endpoint === "") return undefined
  return {
    endpoint,
    region: "us-east-1",
    credentials: {
      accessKeyId: environment["SLATEDB_TEST_S3_ACCESS_KEY_ID"] ?? "slatedb",
      secretAccessKey: environment["SLATEDB_TEST_S3_SECRET_ACCESS_KEY"] ?? "slatedb-secret"
    }
  }
}

const reachable = ({ endpoint }: S3Server): Effect.Effect<void, S3ServerError> =>
  Effect.tryPromise({
    try: (signal) => fetch(endpoint, { signal }).then((response) => response.body?.cancel()),
    catch: () =>
      new S3ServerError({
        message: `no S3 server answers at SLATEDB_TEST_S3_ENDPOINT=${endpoint}: start it, or unset the variable`,
        notInstalled: false
      })
  })

type Place = Readonly<Record<string, string>>

const start = (place: Place): Effect.Effect<S3Server, S3ServerError> =>
  Effect.flatMap(script("start", place), (output) => {
    const variables = output.matchAll(/^export (\w+)=(.*)$/gm)
    const server = fromEnvironment(Object.fromEntries(Array.from(variables, ([, name, value]) => [name, value])))
    return server === undefined
      ? Effect.fail(new S3ServerError({ message: `s3-server.sh printed no endpoint: ${output}`, notInstalled: false }))
      : Effect.succeed(server)
  })

const SCRIPT = fileURLToPath(new URL("../../../scripts/s3-server.sh", import.meta.url))
const NOT_INSTALLED = 3

const script = (command: string, place: Place): Effect.Effect<string, S3ServerError> =>
  Effect.callback((resume) => {
    const environment = { ...process.env, ...place, S3_SERVER_OWNER: String(ownerId()) }
    const child = execFile("bash", [SCRIPT, command], { env: environment }, (error, stdout, stderr) => {
      if (error === null) return resume(Effect.succeed(stdout))
      const message = stderr.trim().replace(/^s3-server: /, "") || String(error)
      resume(Effect.fail(new S3ServerError({ message, notInstalled: error.code === NOT_INSTALLED })))
    })
    return Effect.sync(() => child.kill())
  })

/** The process that outlives all users of the server: that of the test run, of which a test file's is a child. */
const ownerId = (): number => (process.env["VITEST"] !== undefined && isMainThread ? process.ppid : process.pid)

/** A port of which the next one is free as well. Below those that systems give to outgoing connections. */
const freePort: Effect.Effect<number> = Effect.gen(function* () {
  for (;;) {
    const port = yield* Random.nextIntBetween(20_000, 30_000)
    if ((yield* isFree(port)) && (yield* isFree(port + 1))) return port
  }
})

const isFree = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const server = createServer()
    server.once("error", () => resume(Effect.succeed(false)))
    server.listen(port, "127.0.0.1", () => server.close(() => resume(Effect.succeed(true))))
  })
