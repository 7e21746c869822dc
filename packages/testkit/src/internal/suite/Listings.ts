/**
 * Listings: every object once, in the byte order of UTF-8 paths, from any point.
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Fixture from "./Fixture.ts"

const EMPTY = new Uint8Array(0)

export const tests = (it: Fixture.It): void => {
  paging(it)
  order(it)
  prefixes(it)
  changes(it)
}

const fill = (store: ObjectStore.ObjectStore["Service"], paths: ReadonlyArray<string>) =>
  Effect.forEach(paths, (path) => store.put(path, EMPTY), { concurrency: 16, discard: true })

const paging = (it: Fixture.It): void => {
  it.effect("1,200 objects are listed once each, in order, from any start, as often as asked", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const paths = Array.from({ length: 1200 }, (_, i) => `${folder}wal/${String(i).padStart(20, "0")}.sst`)
      yield* fill(store, paths.toReversed())
      yield* fill(store, [`${folder}vol/1`, `${folder}wam/1`])
      const prefix = `${folder}wal/`

      const listing = store.list({ prefix })
      for (let run = 0; run < 2; run++) {
        const listed = yield* Stream.runCollect(listing)
        assert.deepStrictEqual(
          listed.map(({ path }) => path),
          paths
        )
      }
      for (const at of [0, 1, 500, 998, 999, 1000, 1198, 1199]) {
        assert.deepStrictEqual(yield* Fixture.listPaths(store, prefix, paths[at]), paths.slice(at + 1), `at=${at}`)
      }
      const first = yield* Stream.runHead(listing)
      assert.deepStrictEqual(
        Option.map(first, ({ path }) => path),
        Option.some(paths[0])
      )
      assert.strictEqual((yield* Fixture.listPaths(store, folder)).length, 1202)
    })
  )
}

const order = (it: Fixture.It): void => {
  it.effect("the order is that of UTF-8 bytes, across folders and beyond U+FFFF", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      // In order: the slash sorts after `-` and `.`, before digits; U+E000 before U+1F600, which in UTF-16 is after.
      const paths = [
        "B",
        "d!/z",
        "d-x",
        "d.x",
        "d.x.y",
        "d/a",
        "d/a-/b",
        "d/a.b",
        "d/a0",
        "d/e/f/g",
        "d0",
        "da/a",
        "e",
        "é",
        "\ue000",
        "\ufffd/x",
        "\u{1f600}",
        "\u{1f601}/x"
      ].map((name) => folder + name)
      yield* fill(store, paths.toSorted().toReversed())
      assert.deepStrictEqual(yield* Fixture.listPaths(store, folder), paths)
      for (const [i, path] of paths.entries()) {
        assert.deepStrictEqual(yield* Fixture.listPaths(store, folder, path), paths.slice(i + 1), path)
      }
    })
  )
}

const prefixes = (it: Fixture.It): void => {
  it.effect("a prefix is plain text, not a folder; a start need not exist", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const names = ["ab", "abc", "abd/e", "abd/f/g", "abe", "b/a"]
      yield* fill(
        store,
        names.map((name) => folder + name)
      )
      const listed = Effect.fnUntraced(function* (prefix: string, startAfter?: string) {
        const start = startAfter === undefined ? undefined : folder + startAfter
        const paths = yield* Fixture.listPaths(store, folder + prefix, start)
        return paths.map((path) => path.slice(folder.length))
      })
      assert.deepStrictEqual(yield* listed(""), names)
      assert.deepStrictEqual(yield* listed("ab"), ["ab", "abc", "abd/e", "abd/f/g", "abe"])
      assert.deepStrictEqual(yield* listed("abd"), ["abd/e", "abd/f/g"])
      assert.deepStrictEqual(yield* listed("abd/"), ["abd/e", "abd/f/g"])
      assert.deepStrictEqual(yield* listed("abd/f"), ["abd/f/g"])
      assert.deepStrictEqual(yield* listed("abd/f/g"), ["abd/f/g"])
      assert.deepStrictEqual(yield* listed("abd/f/g/"), [])
      assert.deepStrictEqual(yield* listed("x"), [])
      assert.deepStrictEqual(yield* listed("x/y/z"), [])
      assert.deepStrictEqual(yield* listed("", "ab"), ["abc", "abd/e", "abd/f/g", "abe", "b/a"])
      assert.deepStrictEqual(yield* listed("", "abcd"), ["abd/e", "abd/f/g", "abe", "b/a"])
      assert.deepStrictEqual(yield* listed("", "abd/eee"), ["abd/f/g", "abe", "b/a"])
      assert.deepStrictEqual(yield* listed("", "abd/f"), ["abd/f/g", "abe", "b/a"])
      assert.deepStrictEqual(yield* listed("abd", "abd/f/g"), [])
      assert.deepStrictEqual(yield* listed("abd", "a"), ["abd/e", "abd/f/g"])
      assert.deepStrictEqual(yield* listed("abd", "c"), [])
      assert.deepStrictEqual(yield* Fixture.listPaths(store, `${folder}b`, ""), [`${folder}b/a`])
    })
  )

  it.effect("a prefix that no path begins with lists nothing", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      yield* fill(store, [`${folder}a`])
      const up = "../".repeat(folder.split("/").length + 1)
      for (const prefix of ["/", "../", "./", "//", `/${folder}`, `${folder}/`, `${folder}../`, `${folder}${up}`]) {
        assert.deepStrictEqual(yield* Fixture.listPaths(store, prefix), [], prefix)
      }
    })
  )
}

const changes = (it: Fixture.It): void => {
  it.effect("what is there before and after a listing is in it once, whatever comes and goes meanwhile", () =>
    Effect.gen(function* () {
      const { folder, store } = yield* Fixture.setUp
      const lasting = Array.from({ length: 100 }, (_, i) => `${folder}${String(i).padStart(3, "0")}/lasting`)
      const passing = lasting.map((path) => path.replace("lasting", "passing"))
      yield* fill(store, [...lasting, ...passing.filter((_, i) => i % 2 === 0)])
      const change = Effect.forEach(passing, (path, i) => (i % 2 === 0 ? store.delete(path) : store.put(path, EMPTY)), {
        concurrency: 4,
        discard: true
      })
      const [listed] = yield* Effect.all([Fixture.listPaths(store, folder), change], { concurrency: "unbounded" })
      assert.deepStrictEqual(
        listed.filter((path) => path.endsWith("lasting")),
        lasting
      )
      assert.strictEqual(new Set(listed).size, listed.length)
      assert.deepStrictEqual(listed, listed.toSorted(ObjectStore.comparePaths))
    })
  )
}
