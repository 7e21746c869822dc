import * as FileObjectStore from "@effect-slatedb/store-fs/FileObjectStore"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as SlateDb from "@slatedb/uniffi"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import NodeFs from "node:fs"
import NodePath from "node:path"
import { fileURLToPath } from "node:url"

const fixture = fileURLToPath(new URL("../../core/test/fixtures/stores/walonly", import.meta.url))

const copyOfFixture = Effect.acquireRelease(
  Effect.sync(() => {
    const root = NodeFs.mkdtempSync(NodePath.join(NodeFs.realpathSync("/tmp"), "interop-"))
    NodeFs.cpSync(fixture, root, { recursive: true })
    return root
  }),
  (root) => Effect.sync(() => NodeFs.rmSync(root, { recursive: true }))
)

const open = (root: string) =>
  Effect.acquireRelease(
    Effect.tryPromise(() => new SlateDb.DbBuilder("db", SlateDb.ObjectStore.resolve(`file://${root}`)).build()),
    (db) => Effect.promise(() => db.shutdown())
  )

/** What is left when a writer dies: half an object, under the name it would have got. */
const leaveStrays = (root: string, mark: string): void => {
  for (const name of [
    "manifest/00000000000000000009.manifest",
    "compactions/00000000000000000009.compactions",
    "wal/00000000000000000002.sst",
    "wal/00000000000000000009.sst",
    "compacted/01M82VKD976JAVBX9ZGHPHK1MD.sst"
  ]) {
    const file = NodePath.join(root, "db", name + mark)
    NodeFs.mkdirSync(NodePath.dirname(file), { recursive: true })
    NodeFs.writeFileSync(file, "half an obj")
  }
}

describe("temporary files", () => {
  it.live("of this engine do not trouble the official one, and those of both are not listed", () =>
    Effect.gen(function* () {
      const root = yield* copyOfFixture
      leaveStrays(root, "#274877906944000017")
      leaveStrays(root, "#1")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const db = yield* open(root)
          const value = yield* Effect.tryPromise(() => db.get(new TextEncoder().encode("key/00002")))
          assert.deepStrictEqual(value && new TextDecoder().decode(value), "v2")
          yield* Effect.tryPromise(() => db.put(new TextEncoder().encode("new"), new TextEncoder().encode("row")))
        })
      )
      const store = yield* Effect.provide(FileObjectStore.make({ root }), NodeServices.layer)
      const objects = yield* Stream.runCollect(store.list({ prefix: "db/" }))
      assert.isTrue(objects.some(({ path }) => path === "db/wal/00000000000000000006.sst"))
      assert.deepStrictEqual(
        objects.filter(({ path, size }) => path.includes("#") || path.includes("%") || size === "half an obj".length),
        []
      )
    })
  )

  it.live("would trouble it under any other name", () =>
    Effect.gen(function* () {
      const root = yield* copyOfFixture
      leaveStrays(root, "")
      assert.isTrue((yield* Effect.exit(Effect.scoped(open(root))))._tag === "Failure")
    })
  )
})
