/**
 * An object store in memory: the contract of `ObjectStore` written as a program.
 *
 * A {@link State} is the bucket. It holds the objects and counts the requests, and
 * any number of stores may stand on it: databases that share a state share a
 * bucket, as two processes would, and a state outlives the databases on it.
 *
 * A request is one synchronous step, so it happens whole or not at all and
 * concurrent ones have an order. Time comes from `Clock` alone: under `TestClock`
 * nothing here waits or differs from run to run. Bodies are copied in and out;
 * what a state holds never changes.
 *
 * Where the contract leaves a store free, this one gives the least: listings carry
 * no put ids and do not show what was created since they began.
 *
 * Nothing is kept when the process ends, and nothing limits the memory used.
 *
 * **Example** (Two databases, one bucket)
 *
 * ```ts
 * import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
 * import * as Effect from "effect/Effect"
 *
 * const bucket = MemoryObjectStore.makeState()
 * const writer = MemoryObjectStore.fromState(bucket)
 * const reader = MemoryObjectStore.fromState(bucket)
 *
 * const program = Effect.gen(function* () {
 *   yield* writer.put("a/1", new Uint8Array([1, 2, 3]))
 *   const bytes = yield* reader.get("a/1")
 *   return [bytes.length, bucket.requests.put.bytes] as const // [3, 3]
 * })
 * ```
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/**
 * An object as it is kept. Never changed, only replaced.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface StoredObject {
  readonly bytes: Uint8Array
  /** By `Clock`, milliseconds since the Unix epoch. */
  readonly lastModified: number
  readonly putId: string | undefined
}

/**
 * Requests of one kind since the state was made or its counters were reset:
 * how many, failed ones included, and the bytes of bodies that went up or down.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface RequestCount {
  readonly count: number
  readonly bytes: number
}

/**
 * The operations that are counted. A listing counts once a page of
 * {@link LIST_PAGE_MAX} objects, as a remote store would bill it.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Operation = Exclude<ObjectStore.Operation, "open">

/**
 * A bucket: its objects by path, in order of creation, and its request counters.
 * Both are live and to be read only; {@link copyState} gives a picture of a moment.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface State {
  readonly objects: ReadonlyMap<string, StoredObject>
  readonly requests: { readonly [K in Operation]: RequestCount }
}

/**
 * The most objects in one page of a listing.
 *
 * @stability unstable
 * @category constants
 * @since 0.1.0
 */
export const LIST_PAGE_MAX = 1000

/**
 * An empty bucket.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const makeState = (): State => new Bucket()

/**
 * A bucket of its own with what `state` holds now and counters at zero: what a
 * crash at this moment would leave behind.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const copyState = (state: State): State => {
  const copy = new Bucket()
  for (const [path, object] of state.objects) copy.objects.set(path, object)
  return copy
}

/**
 * Sets all request counters of a state to zero.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const resetRequests = (state: State): void => {
  for (const counter of Object.values(own(state).requests)) {
    counter.count = 0
    counter.bytes = 0
  }
}

/**
 * A store on a bucket. Any number may stand on one.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const fromState = (state: State): ObjectStore.ObjectStore["Service"] => {
  const bucket = own(state)
  return {
    get: (path) => step("get", path, () => bucket.get(path)),
    getRange: (path, range) => step("getRange", path, () => bucket.getRange(path, range)),
    head: (path) => step("head", path, () => bucket.head(path)),
    put: (path, body) => step("put", path, (clock) => bucket.put(path, body, clock)),
    putIfAbsent: (path, body, { putId }) =>
      step("putIfAbsent", path, (clock) => bucket.putIfAbsent(path, body, putId, clock)),
    delete: (path) => step("delete", path, () => bucket.delete(path)),
    list: ({ prefix, startAfter }) =>
      Stream.suspend(() => {
        let names: ReadonlyArray<string> | undefined
        return Stream.paginate(0, (from) =>
          Effect.sync(() => bucket.list((names ??= bucket.names(prefix, startAfter)), from))
        )
      })
  }
}

/**
 * A store on a bucket of its own.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<ObjectStore.ObjectStore["Service"]> = Effect.sync(() => fromState(makeState()))

/**
 * Provides a store on a bucket of its own.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<ObjectStore.ObjectStore> = Layer.effect(ObjectStore.ObjectStore, make)

/**
 * Provides a store on the bucket given.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerState = (state: State): Layer.Layer<ObjectStore.ObjectStore> =>
  Layer.sync(ObjectStore.ObjectStore, () => fromState(state))

/** One request against the bucket, checked and answered in one synchronous step. */
type Answer<A> = A | ObjectStore.ObjectStoreError

const step = <A>(
  operation: Operation,
  path: string,
  run: (clock: Clock.Clock) => Answer<A>
): Effect.Effect<A, ObjectStore.ObjectStoreError> =>
  Clock.clockWith((clock) => {
    const problem = ObjectStore.invalidPath(path)
    const answer = problem === undefined ? run(clock) : invalid(operation, path, problem)
    return ObjectStore.isObjectStoreError(answer) ? Effect.fail(answer) : Effect.succeed(answer)
  })

class Bucket implements State {
  readonly objects = new Map<string, StoredObject>()
  readonly requests = {
    get: { count: 0, bytes: 0 },
    getRange: { count: 0, bytes: 0 },
    head: { count: 0, bytes: 0 },
    put: { count: 0, bytes: 0 },
    putIfAbsent: { count: 0, bytes: 0 },
    delete: { count: 0, bytes: 0 },
    list: { count: 0, bytes: 0 }
  }

  get(path: string): Answer<Uint8Array> {
    this.requests.get.count++
    const object = this.objects.get(path)
    if (object === undefined) return notFound("get", path)
    this.requests.get.bytes += object.bytes.length
    return object.bytes.slice()
  }

  getRange(path: string, range: ObjectStore.ByteRange): Answer<Uint8Array> {
    this.requests.getRange.count++
    const problem = ObjectStore.invalidRange(range)
    if (problem !== undefined) return invalid("getRange", path, problem)
    const object = this.objects.get(path)
    if (object === undefined) return notFound("getRange", path)
    const bounds = ObjectStore.resolveRange(range, object.bytes.length)
    if (bounds === undefined) {
      return invalid("getRange", path, `range begins at or beyond the end: size=${object.bytes.length}`)
    }
    this.requests.getRange.bytes += bounds.end - bounds.start
    return object.bytes.slice(bounds.start, bounds.end)
  }

  head(path: string): Answer<ObjectStore.ObjectMeta> {
    this.requests.head.count++
    const object = this.objects.get(path)
    return object === undefined ? notFound("head", path) : metaOf(path, object, object.putId)
  }

  put(path: string, body: ObjectStore.Body, clock: Clock.Clock): void {
    this.requests.put.count++
    this.requests.put.bytes += this.store(path, body, undefined, clock)
  }

  putIfAbsent(path: string, body: ObjectStore.Body, putId: string, clock: Clock.Clock): Answer<void> {
    this.requests.putIfAbsent.count++
    const existing = this.objects.get(path)
    if (existing === undefined) {
      this.requests.putIfAbsent.bytes += this.store(path, body, putId, clock)
      return
    }
    // A refused create has sent its body all the same.
    this.requests.putIfAbsent.bytes += ObjectStore.byteLength(body)
    if (existing.putId === putId) return
    return ObjectStore.fail(new ObjectStore.AlreadyExists({ operation: "putIfAbsent", path }))
  }

  delete(path: string): void {
    this.requests.delete.count++
    this.objects.delete(path)
  }

  /** What a listing that begins now will walk, in its order. */
  names(prefix: string, startAfter: string | undefined): ReadonlyArray<string> {
    const names: Array<string> = []
    for (const path of this.objects.keys()) {
      if (!path.startsWith(prefix)) continue
      if (startAfter !== undefined && ObjectStore.comparePaths(path, startAfter) <= 0) continue
      names.push(path)
    }
    return names.toSorted(ObjectStore.comparePaths)
  }

  /** The page of a listing that begins at `from`, and where the next one begins. */
  list(
    names: ReadonlyArray<string>,
    from: number
  ): readonly [ReadonlyArray<ObjectStore.ObjectMeta>, Option.Option<number>] {
    this.requests.list.count++
    const next = from + LIST_PAGE_MAX
    const page: Array<ObjectStore.ObjectMeta> = []
    for (const path of names.slice(from, next)) {
      const object = this.objects.get(path)
      if (object !== undefined) page.push(metaOf(path, object, undefined))
    }
    return [page, next < names.length ? Option.some(next) : Option.none()]
  }

  private store(path: string, body: ObjectStore.Body, putId: string | undefined, clock: Clock.Clock): number {
    const bytes = copy(body)
    this.objects.set(path, { bytes, lastModified: clock.currentTimeMillisUnsafe(), putId })
    return bytes.length
  }
}

/** The bucket behind a state. There is one class of states, and this module makes them all. */
const own = (state: State): Bucket => {
  if (state instanceof Bucket) return state
  throw new Error("a state must come from MemoryObjectStore.makeState or copyState")
}

const copy = (body: ObjectStore.Body): Uint8Array => {
  // Not `slice`: that of a Node.js Buffer shares its memory.
  if (body instanceof Uint8Array) return new Uint8Array(body)
  const bytes = new Uint8Array(ObjectStore.byteLength(body))
  let offset = 0
  for (const part of body) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

const metaOf = (path: string, object: StoredObject, putId: string | undefined): ObjectStore.ObjectMeta => ({
  path,
  size: object.bytes.length,
  lastModified: object.lastModified,
  putId
})

const notFound = (operation: Operation, path: string): ObjectStore.ObjectStoreError =>
  ObjectStore.fail(new ObjectStore.NotFound({ operation, path }))

const invalid = (operation: Operation, path: string, detail: string): ObjectStore.ObjectStoreError =>
  ObjectStore.fail(new ObjectStore.Invalid({ operation, path, detail }))
