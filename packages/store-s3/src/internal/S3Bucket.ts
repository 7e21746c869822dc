/**
 * The operations of a store as requests to one bucket.
 *
 * A request is a description (operation and path, for its errors and its span)
 * and one attempt: the SDK's promise, tied to the fiber by the abort signal, and
 * the check of its answer. `persist` puts the store's policy around an attempt:
 * permit, log, retry. So a bad answer is retried as a lost one is.
 */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client
} from "@aws-sdk/client-s3"
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import type * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as HttpRange from "./HttpRange.ts"
import * as ListPage from "./ListPage.ts"
import * as PutId from "./PutId.ts"
import * as S3Failure from "./S3Failure.ts"

/** The bucket, the way to it, and the policy. The client's owner closes it. */
export interface Settings {
  readonly client: S3Client
  readonly bucket: string
  readonly root: string
  readonly permits: Semaphore.Semaphore
  readonly retry: Schedule.Schedule<unknown, ObjectStore.ObjectStoreError>
}

/** A store on a bucket. */
export const make = (settings: Settings): ObjectStore.ObjectStore["Service"] => {
  const bucket = new S3Bucket(settings)
  return {
    get: (path) => bucket.get(path),
    getRange: (path, range) => bucket.getRange(path, range),
    head: (path) => bucket.head({ operation: "head", path }),
    put: (path, body) => bucket.put({ operation: "put", path }, body),
    putIfAbsent: (path, body, { putId }) => bucket.putIfAbsent(path, body, putId),
    delete: (path) => bucket.delete(path),
    list: ({ prefix, startAfter }) => bucket.list({ root: settings.root, prefix, startAfter })
  }
}

type Outcome<A> = Effect.Effect<A, ObjectStore.ObjectStoreError>

/** How the SDK names an object. */
interface Target {
  readonly Bucket: string
  readonly Key: string
}

type Condition = Pick<PutObjectCommandInput, "IfNoneMatch" | "Metadata">

class S3Bucket {
  private readonly client: S3Client
  private readonly settings: Settings

  constructor(settings: Settings) {
    this.client = settings.client
    this.settings = settings
  }

  get(path: string): Outcome<Uint8Array> {
    const request = { operation: "get", path } as const
    return this.onObject(request, (target) =>
      attempt(request, (options) => this.client.send(new GetObjectCommand(target), options).then(collect)).pipe(
        Effect.map(({ bytes }) => bytes)
      )
    )
  }

  getRange(path: string, range: ObjectStore.ByteRange): Outcome<Uint8Array> {
    const request = { operation: "getRange", path } as const
    const problem = ObjectStore.invalidRange(range)
    if (problem !== undefined) return Effect.fail(S3Failure.invalid(request, problem))
    return this.onObject(request, (target) => {
      const command = () => new GetObjectCommand({ ...target, Range: HttpRange.header(range) })
      return attempt(request, (options) => this.client.send(command(), options).then(collect)).pipe(
        Effect.flatMap((answer) => Effect.fromResult(HttpRange.select(request, range, answer)))
      )
    })
  }

  head(request: S3Failure.Request): Outcome<ObjectStore.ObjectMeta> {
    return this.onObject(request, (target) =>
      attempt(request, (options) => this.client.send(new HeadObjectCommand(target), options)).pipe(
        Effect.flatMap(({ ContentLength: size, LastModified: lastModified, Metadata: metadata }) =>
          size === undefined || lastModified === undefined
            ? Effect.fail(S3Failure.malformed(request, "the answer lacks the object's size or time"))
            : Effect.succeed({
                path: request.path,
                size,
                lastModified: lastModified.getTime(),
                putId: PutId.fromMetadata(metadata)
              })
        )
      )
    )
  }

  put(request: S3Failure.Request, body: ObjectStore.Body, condition: () => Condition = () => ({})): Outcome<void> {
    return this.onObject(request, (target) => {
      const command = () => new PutObjectCommand({ ...target, ...condition(), Body: bufferOf(body) })
      return Effect.asVoid(attempt(request, (options) => this.client.send(command(), options)))
    })
  }

  putIfAbsent(path: string, body: ObjectStore.Body, putId: string): Outcome<void> {
    const request = { operation: "putIfAbsent", path } as const
    return this.put(request, body, () => ({ IfNoneMatch: "*", Metadata: PutId.toMetadata(putId) })).pipe(
      Effect.catchReason("ObjectStoreError", "AlreadyExists", (_, refusal) =>
        Effect.flatMap(this.isOurs(path, putId), (ours) => (ours ? Effect.void : Effect.fail(refusal)))
      )
    )
  }

  /** Whether the object that is there was created with this put id. One that is gone again was not. */
  private isOurs(path: string, putId: string): Outcome<boolean> {
    return this.head({ operation: "head", path }).pipe(
      Effect.map((meta) => meta.putId === putId),
      Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.succeed(false))
    )
  }

  delete(path: string): Outcome<void> {
    const request = { operation: "delete", path } as const
    return this.onObject(request, (target) =>
      attempt(request, (options) => this.client.send(new DeleteObjectCommand(target), options))
    ).pipe(
      Effect.asVoid,
      // S3 succeeds here; some servers do not.
      Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.void)
    )
  }

  list(query: ListPage.Query): Stream.Stream<ObjectStore.ObjectMeta, ObjectStore.ObjectStoreError> {
    const request = { operation: "list", path: query.prefix } as const
    const parameters = { Bucket: this.settings.bucket, ...ListPage.parameters(query) }
    const page = (position: ListPage.Position | undefined): Outcome<ListPage.Page> => {
      const command = () => new ListObjectsV2Command({ ...parameters, ContinuationToken: position?.token })
      return this.persist(
        request,
        attempt(request, (options) => this.client.send(command(), options)).pipe(
          Effect.flatMap((answer) => Effect.fromResult(ListPage.decode(request, query, position, answer)))
        )
      )
    }
    return Stream.paginate(undefined, page)
  }

  /** A request about the object of one path, refused when no object may have that path. */
  private onObject<A>(request: S3Failure.Request, one: (target: Target) => Outcome<A>): Outcome<A> {
    const problem = ObjectStore.invalidPath(request.path)
    if (problem !== undefined) return Effect.fail(S3Failure.invalid(request, problem))
    return this.persist(request, one({ Bucket: this.settings.bucket, Key: this.settings.root + request.path }))
  }

  /** Attempts under the store's policy. A permit is held while one runs, not while the next is waited for. */
  private persist<A>(request: S3Failure.Request, one: Outcome<A>): Outcome<A> {
    return one.pipe(
      this.settings.permits.withPermit,
      Effect.tapError((error) => (error.isRetryable ? Effect.logDebug(error.message) : Effect.void)),
      Effect.retry({ schedule: this.settings.retry, while: (error) => error.isRetryable }),
      Effect.withSpan(`S3ObjectStore.${request.operation}`, { attributes: { path: request.path } })
    )
  }
}

const attempt = <A>(
  request: S3Failure.Request,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<A>
): Outcome<A> =>
  Effect.tryPromise({
    try: (abortSignal) => send({ abortSignal }),
    catch: (cause) => S3Failure.fromCause(request, cause)
  })

/** Takes a body off the wire. The promise ends with the body, so that an abort reaches half a body too. */
const collect = ({ Body, ContentRange }: GetObjectCommandOutput): Promise<HttpRange.Answer> =>
  (Body?.transformToByteArray() ?? Promise.resolve(new Uint8Array(0))).then((bytes) => ({
    bytes,
    contentRange: ContentRange
  }))

/** A body as the one buffer that a request sends, which is a copy only if it came in parts. */
const bufferOf = (body: ObjectStore.Body): Buffer =>
  body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : Buffer.concat(body)
