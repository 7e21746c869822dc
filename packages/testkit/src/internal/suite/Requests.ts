/**
 * What may be asked: odd names that are allowed, and paths that are not.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Fixture from "./Fixture.ts"

const ODD_NAMES: ReadonlyArray<string> = [
  ..."!\"#$%&'()*+,-:;<=>?@[\\]^_`{|}~ ".split(""),
  "a b",
  "a%20b",
  "%2F",
  "100%",
  "a+b",
  "a#1",
  "#1",
  "a?b=c&d",
  "...",
  ".hidden",
  "..a",
  "a..",
  "a.",
  " a ",
  "a.tmp",
  "C:",
  "é",
  "e\u0301",
  "日本語",
  "\u{1f600}"
]

const INVALID_PATHS: ReadonlyArray<string> = [
  "",
  "/",
  "/a",
  "a/",
  "a//b",
  ".",
  "..",
  "./a",
  "../a",
  "a/./b",
  "a/../../b",
  "a/..",
  "a\u0000b",
  "a\nb",
  "a\u007f",
  "a\ud800",
  "\udc00a",
  "x/".repeat(600) + "x"
]

export const tests = (it: Fixture.It): void => {
  it.effect("odd names are names: stored, found, listed and deleted as they are", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const asFile = ODD_NAMES.map((name) => `${folder}file/${name}`)
      const asFolder = ODD_NAMES.map((name) => `${folder}folder/${name}/x`)
      const paths = [...asFile, ...asFolder].toSorted(ObjectStore.comparePaths)
      for (const [i, path] of paths.entries()) {
        yield* store.putIfAbsent(path, Fixture.sample(10, i), { putId: path })
      }
      assert.deepStrictEqual(yield* Fixture.listPaths(store, folder), paths)
      for (const [i, path] of paths.entries()) {
        Fixture.assertBytes(yield* store.get(path), Fixture.sample(10, i), path)
        assert.strictEqual((yield* store.head(path)).path, path)
        assert.include(yield* Fixture.listPaths(store, path), path)
        yield* store.delete(path)
      }
      assert.deepStrictEqual(yield* Fixture.listPaths(store, folder), [])
    })
  )

  it.effect("invalid paths are refused by every operation", () =>
    Effect.gen(function* () {
      const { store } = yield* Fixture.setUp
      const body = Fixture.sample(1, 1)
      for (const path of INVALID_PATHS) {
        yield* Fixture.assertFails(store.get(path), "Invalid", "get", path)
        yield* Fixture.assertFails(store.getRange(path, { offset: 0 }), "Invalid", "getRange", path)
        yield* Fixture.assertFails(store.head(path), "Invalid", "head", path)
        yield* Fixture.assertFails(store.put(path, body), "Invalid", "put", path)
        yield* Fixture.assertFails(store.putIfAbsent(path, body, { putId: "1" }), "Invalid", "putIfAbsent", path)
        yield* Fixture.assertFails(store.delete(path), "Invalid", "delete", path)
      }
    })
  )

  it.effect("a path of 1,024 bytes is the longest", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const path = (folder + "segment-of-sixteen/".repeat(100)).slice(0, 1023) + "x"
      yield* store.put(path, Fixture.sample(3, 1))
      Fixture.assertBytes(yield* store.get(path), Fixture.sample(3, 1), "the object with the longest path")
      assert.deepStrictEqual(yield* Fixture.listPaths(store, folder), [path])
      yield* Fixture.assertFails(store.put(`${path}x`, Fixture.sample(3, 1)), "Invalid", "put", `${path}x`)
    })
  )
}
