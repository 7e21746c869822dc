/**
 * What is stored is what is read: whole objects, their sizes and times, and whose
 * the bytes are before and after.
 */
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Fixture from "./Fixture.ts"

export interface Options {
  readonly objectBytesMax: number
  readonly clockSkewMaxMillis: number
}

const SIZES: ReadonlyArray<number> = [0, 1, 2, 255, 4095, 4096, 65_537, 262_144, 1_048_577]

export const tests = (it: Fixture.It, options: Options): void => {
  roundTrips(it, options)
  replacing(it)
  ownership(it)

  it.effect("head and list tell size and modification time", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const path = `${folder}a`
      for (const size of [3, 5]) {
        const before = yield* Clock.currentTimeMillis
        yield* store.put(path, new Uint8Array(size))
        const after = yield* Clock.currentTimeMillis
        for (const meta of [yield* store.head(path), ...(yield* Stream.runCollect(store.list({ prefix: folder })))]) {
          assert.strictEqual(meta.path, path)
          assert.strictEqual(meta.size, size)
          assertBetween(meta.lastModified, before - options.clockSkewMaxMillis, after + options.clockSkewMaxMillis)
        }
      }
    })
  )

  it.effect("a deleted object is gone; deleting again or what never was succeeds", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const path = `${folder}sub/a`
      yield* store.put(path, Fixture.sample(10, 1))
      yield* store.put(`${folder}sub/b`, Fixture.sample(10, 2))
      for (let i = 0; i < 2; i++) {
        yield* store.delete(path)
        yield* Fixture.assertFails(store.get(path), "NotFound", "get", path)
        yield* Fixture.assertFails(store.head(path), "NotFound", "head", path)
        assert.deepStrictEqual(yield* Fixture.listPaths(store, folder), [`${folder}sub/b`])
      }
      yield* store.delete(`${folder}never/was`)
      Fixture.assertBytes(yield* store.get(`${folder}sub/b`), Fixture.sample(10, 2), "the neighbour")
    })
  )

  it.effect("what is not there is NotFound, also where only a longer path is", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      yield* store.put(`${folder}a/b`, Fixture.sample(1, 1))
      for (const path of [`${folder}missing`, `${folder}missing/too`, `${folder}a`, `${folder}a/`.slice(0, -1)]) {
        yield* Fixture.assertFails(store.get(path), "NotFound", "get", path)
        yield* Fixture.assertFails(store.getRange(path, { offset: 0 }), "NotFound", "getRange", path)
        yield* Fixture.assertFails(store.head(path), "NotFound", "head", path)
      }
    })
  )
}

const assertBetween = (lastModified: number, from: number, to: number): void =>
  assert.isTrue(lastModified >= from && lastModified <= to, `lastModified=${lastModified} from=${from} to=${to}`)

const roundTrips = (it: Fixture.It, { objectBytesMax }: Options): void => {
  it.effect("objects of all sizes come back as they were stored", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      for (const size of [...SIZES.filter((size) => size < objectBytesMax), objectBytesMax]) {
        const body = Fixture.sample(size, size)
        yield* store.put(`${folder}put/${size}`, body)
        yield* store.putIfAbsent(`${folder}created/${size}`, body, { putId: `${folder}${size}` })
        for (const path of [`${folder}put/${size}`, `${folder}created/${size}`]) {
          Fixture.assertBytes(yield* store.get(path), body, path)
          assert.strictEqual((yield* store.head(path)).size, size)
        }
      }
    })
  )

  it.effect("the parts of a body are stored one after another", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const whole = Fixture.sample(200_000, 7)
      const cuts: ReadonlyArray<ReadonlyArray<number>> = [[], [0], [100], [0, 0, 65_536, 65_537, 65_537, 200_000]]
      for (const [i, cut] of cuts.entries()) {
        // Views into one array, some of them empty: a store must mind offset and length of each.
        const parts = [0, ...cut].map((start, k) => whole.subarray(start, cut[k] ?? whole.length))
        yield* store.put(`${folder}put/${i}`, parts)
        yield* store.putIfAbsent(`${folder}created/${i}`, parts, { putId: `${folder}${i}` })
        Fixture.assertBytes(yield* store.get(`${folder}put/${i}`), whole, `put of ${parts.length} parts`)
        Fixture.assertBytes(yield* store.get(`${folder}created/${i}`), whole, `create of ${parts.length} parts`)
      }
      for (const [i, none] of [[], [new Uint8Array(0)]].entries()) {
        yield* store.put(`${folder}none/${i}`, none)
        assert.strictEqual((yield* store.get(`${folder}none/${i}`)).length, 0)
      }
      // More parts than one system call takes.
      const crumbs = Array.from({ length: 5000 }, (_, i) => whole.subarray(i * 40, (i + 1) * 40))
      yield* store.put(`${folder}crumbs`, crumbs)
      Fixture.assertBytes(yield* store.get(`${folder}crumbs`), whole, "put of 5,000 parts")
    })
  )
}

const replacing = (it: Fixture.It): void => {
  it.effect("put replaces, also by something shorter, and the put id goes", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const path = `${folder}a`
      yield* store.putIfAbsent(path, Fixture.sample(1000, 1), { putId: `${folder}1` })
      for (const size of [2000, 10, 0]) {
        yield* store.put(path, Fixture.sample(size, size))
        Fixture.assertBytes(yield* store.get(path), Fixture.sample(size, size), `size=${size}`)
        assert.strictEqual((yield* store.head(path)).size, size)
      }
      assert.isUndefined((yield* store.head(path)).putId)
    })
  )

  it.effect("a reader meets the old object or the new one, never parts of both", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const path = `${folder}a`
      yield* store.put(path, version(0))
      const write = Effect.forEach(
        Array.from({ length: 40 }, (_, i) => i),
        (i) => store.put(path, version(i)),
        {
          discard: true
        }
      )
      const read = Effect.gen(function* () {
        for (let i = 0; i < 40; i++) {
          const bytes = yield* store.get(path)
          Fixture.assertBytes(bytes, version((bytes[0] as number) - 1), "one version")
          const range = yield* store.getRange(path, { offset: 0, length: 20_000 })
          assert.isTrue(range.every((byte) => byte === range[0]))
        }
      })
      yield* Effect.all([write, read, read], { concurrency: "unbounded", discard: true })
    })
  )
}

/** Every version consists of its own number, ten thousand times as often as the number says. */
const version = (i: number): Uint8Array => new Uint8Array(10_000 * (1 + (i % 7))).fill(1 + (i % 7))

const ownership = (it: Fixture.It): void => {
  it.effect("bytes that were read are the caller's: changing them changes nothing else", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const path = `${folder}a`
      const body = Fixture.sample(5000, 1)
      yield* store.put(path, body)
      const other = yield* store.get(path)
      const otherRange = yield* store.getRange(path, { offset: 10, length: 20 })
      for (const bytes of [
        yield* store.get(path),
        yield* store.getRange(path, { offset: 10, length: 20 }),
        yield* store.getRange(path, { suffix: 4000 })
      ]) {
        bytes.fill(0xee)
      }
      Fixture.assertBytes(other, body, "bytes read before")
      Fixture.assertBytes(otherRange, body.slice(10, 30), "a range read before")
      Fixture.assertBytes(yield* store.get(path), body, "bytes read after")
      Fixture.assertBytes(yield* store.getRange(path, { offset: 0 }), body, "a range read after")
    })
  )

  it.effect("a body is the caller's again when its put has ended", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const body = Fixture.sample(300_000, 1)
      const parts = [body.slice(0, 1000), body.slice(1000)]
      const whole = body.slice()
      yield* store.put(`${folder}a`, whole)
      whole.fill(0xee)
      yield* store.putIfAbsent(`${folder}b`, parts, { putId: `${folder}b` })
      for (const part of parts) part.fill(0xee)
      const view = new View(body)
      yield* store.put(`${folder}c`, view)
      view.fill(0xee)
      Fixture.assertBytes(yield* store.get(`${folder}a`), body, "put")
      Fixture.assertBytes(yield* store.get(`${folder}b`), body, "create")
      Fixture.assertBytes(yield* store.get(`${folder}c`), body, "put of bytes whose slices share their memory")
    })
  )
}

/** Like a Buffer of Node.js, whose `slice` copies nothing. */
class View extends Uint8Array {
  override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
    return this.subarray(start, end)
  }
}
