import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { execFileSync } from "node:child_process"
import NodeFs from "node:fs"
import NodePath from "node:path"
import * as FileObjectStore from "../src/FileObjectStore.ts"

const body = new Uint8Array([1, 2, 3])
const DAY = 24 * 60 * 60

type Done = (error: NodeJS.ErrnoException | null, count: number) => void

/** A folder that goes with the test, and a store at `root` in it. */
const setUp = Effect.fnUntraced(function* (options?: { readonly fsync?: boolean }) {
  const outside = yield* Effect.acquireRelease(
    Effect.sync(() => NodeFs.mkdtempSync(NodePath.join(NodeFs.realpathSync("/tmp"), "store-fs-"))),
    (folder) => Effect.sync(() => NodeFs.rmSync(folder, { recursive: true }))
  )
  const root = NodePath.join(outside, "root")
  const open = Effect.provide(FileObjectStore.make({ root, ...options }), NodeServices.layer)
  return { outside, root, open, store: yield* open, at: (...names: Array<string>) => NodePath.join(root, ...names) }
})

const paths = (store: ObjectStore.ObjectStore["Service"], prefix = "") =>
  Effect.map(Stream.runCollect(store.list({ prefix })), (metas) => metas.map(({ path }) => path))

const reasonOf = <A>(effect: Effect.Effect<A, ObjectStore.ObjectStoreError>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason._tag)

const create = (store: ObjectStore.ObjectStore["Service"], path: string, putId = "1") =>
  store.putIfAbsent(path, body, { putId })

/** Every file and folder below, as names relative to it. */
const filesBelow = (folder: string): ReadonlyArray<string> =>
  NodeFs.readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()

afterEach(() => {
  vi.restoreAllMocks()
})

describe("layout", () => {
  it.effect("keeps the parts of a body one after another, whatever their sizes", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp()
      const K = 1024
      const shapes = [
        [],
        [0],
        [1, 0, 2],
        [10 * K, 20 * K, 30 * K, 10 * K],
        [64 * K, 1, 64 * K, 64 * K - 1, 1, 1],
        [5, 65 * K, 7, 100 * K, 64 * K, 9],
        [16 * K, 32 * K, 64 * K, 128 * K, 256 * K, 512 * K, 3],
        [3, 1024 * K + 1, 60 * K, 60 * K, 2500 * K, 1]
      ]
      for (const [n, sizes] of shapes.entries()) {
        const parts = sizes.map((size, part) =>
          Uint8Array.from({ length: size }, (_, i) => part * 31 + i * 7 + (i >> 8))
        )
        yield* store.put(`shape/${n}`, parts)
        assert.isTrue(Buffer.concat(parts).equals(yield* store.get(`shape/${n}`)), sizes.join())
      }
    })
  )

  it.live("a plain path is the file; other characters are percent-encoded as the official engine does", () =>
    Effect.gen(function* () {
      const { at, store } = yield* setUp()
      yield* store.put("db/wal/00000000000000000001.sst", body)
      yield* store.put("my db~1/a#1", body)
      yield* store.put("é/{x}", body)
      for (const file of ["db/wal/00000000000000000001.sst", "my db%7E1/a%231", "%C3%A9/%7Bx%7D"]) {
        assert.deepStrictEqual(new Uint8Array(NodeFs.readFileSync(at(file))), body, file)
      }
    })
  )

  it.live("a missing root is an empty store, made by the first write, whatever is missing above it", () =>
    Effect.gen(function* () {
      const { outside } = yield* setUp()
      const root = NodePath.join(outside, "not", "there", "yet")
      const store = yield* Effect.provide(FileObjectStore.make({ root }), NodeServices.layer)
      assert.deepStrictEqual(yield* paths(store), [])
      assert.strictEqual(yield* reasonOf(store.get("a")), "NotFound")
      yield* store.delete("a/b")
      assert.isFalse(NodeFs.existsSync(NodePath.join(outside, "not")))
      yield* store.put("a/b", body)
      assert.deepStrictEqual(yield* paths(store), ["a/b"])
    })
  )

  it.live("a root that is a file is refused at once; one that is a link to a directory is fine", () =>
    Effect.gen(function* () {
      const { outside } = yield* setUp()
      const make = (name: string) =>
        Effect.provide(FileObjectStore.make({ root: NodePath.join(outside, name) }), NodeServices.layer)
      NodeFs.writeFileSync(NodePath.join(outside, "file"), "")
      NodeFs.mkdirSync(NodePath.join(outside, "directory"))
      NodeFs.symlinkSync("directory", NodePath.join(outside, "link"))
      const refused = yield* Effect.flip(make("file"))
      assert.strictEqual(refused.reason._tag, "Invalid")
      assert.strictEqual(refused.reason.operation, "open")
      const store = yield* make("link")
      yield* store.put("a/b", body)
      assert.isTrue(NodeFs.existsSync(NodePath.join(outside, "directory/a/b")))
    })
  )

  it.live("stores on one directory see each other's writes, replacements and deletes at once", () =>
    Effect.gen(function* () {
      const { open, store } = yield* setUp()
      const other = yield* open
      yield* store.put("a", body)
      yield* other.getRange("a", { offset: 0 })
      yield* store.put("a", new Uint8Array(5000))
      assert.strictEqual((yield* other.getRange("a", { offset: 0 })).length, 5000)
      yield* store.delete("a")
      assert.strictEqual(yield* reasonOf(other.getRange("a", { offset: 0 })), "NotFound")
    })
  )

  it.live("folders that vanish are made again", () =>
    Effect.gen(function* () {
      const { at, root, store } = yield* setUp()
      yield* store.put("a/b/c", body)
      NodeFs.rmSync(at("a"), { recursive: true })
      assert.strictEqual(yield* reasonOf(store.get("a/b/c")), "NotFound")
      yield* store.put("a/b/c", body)
      NodeFs.rmSync(root, { recursive: true })
      yield* create(store, "a/b/c")
      assert.deepStrictEqual(yield* paths(store), ["a/b/c"])
    })
  )
})

describe("a listing of a folder", () => {
  it.live("reads that folder, not those above, which may be of many databases", () =>
    Effect.gen(function* () {
      const { at, root } = yield* setUp()
      const read: Array<string> = []
      const fileSystem = Effect.map(FileSystem.FileSystem, (real) => ({
        ...real,
        readDirectoryEntries: (path: string) => {
          read.push(path)
          return real.readDirectoryEntries(path)
        }
      }))
      const store = yield* FileObjectStore.make({ root }).pipe(
        Effect.provideServiceEffect(FileSystem.FileSystem, fileSystem),
        Effect.provide(NodeServices.layer)
      )
      for (const path of ["a~b/wal/1", "a~b/wal/2", "a~b/manifest/1", "other/wal/1"]) yield* store.put(path, body)
      assert.deepStrictEqual(yield* paths(store, "a~b/wal/"), ["a~b/wal/1", "a~b/wal/2"])
      assert.deepStrictEqual(read.splice(0), [at("a%7Eb/wal")])
      assert.deepStrictEqual(yield* paths(store, "a~b/m"), ["a~b/manifest/1"])
      assert.deepStrictEqual(read, [at("a%7Eb"), at("a%7Eb/manifest")])
    })
  )

  it.live("is empty where no folder can be: below an object, under a name too long, out of the root", () =>
    Effect.gen(function* () {
      const { outside, store } = yield* setUp()
      yield* store.put("a/object", body)
      NodeFs.writeFileSync(NodePath.join(outside, "secret"), "secret")
      const long = "x".repeat(300)
      for (const prefix of [
        "a/object/",
        "a/object/b/",
        `${long}/`,
        `${long}/b/`,
        "../",
        "a/../",
        "./",
        "/",
        "a//",
        "b/"
      ]) {
        assert.deepStrictEqual(yield* paths(store, prefix), [], prefix)
      }
    })
  )
})

describe("what is not an object", () => {
  it.live("temporary files of both engines, foreign names and special files are not listed", () =>
    Effect.gen(function* () {
      const { at, store } = yield* setUp()
      yield* store.put("db/wal/1.sst", body)
      for (const name of [
        "2.sst#1",
        "2.sst#4711",
        "#12",
        "lower%2fcase",
        "bad%zz",
        "needless%41",
        "%",
        "a#b",
        "%2E%2E"
      ]) {
        NodeFs.writeFileSync(at("db/wal", name), "stray")
      }
      NodeFs.mkdirSync(at("db/empty"))
      NodeFs.mkdirSync(at("db/bad%zz"))
      NodeFs.writeFileSync(at("db/bad%zz/x"), "stray")
      execFileSync("mkfifo", [at("db/wal/pipe")])
      assert.deepStrictEqual(yield* paths(store), ["db/wal/1.sst"])
      // Nobody writes into the pipe: a read must refuse it and not wait.
      assert.strictEqual(yield* reasonOf(store.get("db/wal/pipe")), "Invalid")
      assert.strictEqual(yield* reasonOf(store.head("db/wal/pipe")), "Invalid")
    })
  )

  it.live("an object and a folder of one name exclude each other", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp()
      yield* store.put("a/b", body)
      for (const path of ["a", "a/b/c", "a/b/c/d"]) {
        assert.strictEqual(yield* reasonOf(store.put(path, body)), "Invalid", path)
        assert.strictEqual(yield* reasonOf(create(store, path)), "Invalid", path)
        assert.strictEqual(yield* reasonOf(store.get(path)), "NotFound", path)
        assert.strictEqual(yield* reasonOf(store.head(path)), "NotFound", path)
        yield* store.delete(path)
      }
      assert.deepStrictEqual(yield* paths(store), ["a/b"])
    })
  )

  it.live("a segment too long for a file name is Invalid", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp()
      for (const path of ["x".repeat(300), "é".repeat(100), `${"x".repeat(300)}/a`]) {
        assert.strictEqual(yield* reasonOf(store.put(path, body)), "Invalid")
        assert.strictEqual(yield* reasonOf(create(store, path)), "Invalid")
        assert.strictEqual(yield* reasonOf(store.get(path)), "Invalid")
      }
    })
  )

  it.live("temporary files a day old go when a writer comes into their folder; younger ones and objects stay", () =>
    Effect.gen(function* () {
      const { at, open, store } = yield* setUp()
      yield* store.put("a/old", body)
      NodeFs.writeFileSync(at("a/x#1"), "stray")
      NodeFs.writeFileSync(at("a/y#2"), "being written")
      const now = NodeFs.statSync(at("a/x#1")).mtimeMs / 1000
      for (const name of ["a/x#1", "a/old"]) NodeFs.utimesSync(at(name), now, now - DAY - 60)
      NodeFs.utimesSync(at("a/y#2"), now, now - DAY + 60)
      const next = yield* open
      yield* paths(next)
      assert.include(filesBelow(at("a")), "x#1")
      yield* next.put("a/new", body)
      assert.deepStrictEqual(filesBelow(at("a")), ["new", "old", "y#2"])
    })
  )
})

describe("no way out of the root", () => {
  const everyRefused = Effect.fnUntraced(function* (store: ObjectStore.ObjectStore["Service"], path: string) {
    for (const request of [
      store.get(path),
      store.getRange(path, { offset: 0 }),
      store.head(path),
      store.put(path, body),
      create(store, path),
      store.delete(path)
    ]) {
      assert.strictEqual(yield* reasonOf(Effect.asVoid(request)), "Invalid", path)
    }
  })

  it.live("links below the root are not followed, be they absolute, relative, dangling or circular", () =>
    Effect.gen(function* () {
      const { at, outside, store } = yield* setUp()
      yield* store.put("inside/a", body)
      NodeFs.mkdirSync(NodePath.join(outside, "secret"))
      NodeFs.writeFileSync(NodePath.join(outside, "secret/a"), "secret")
      NodeFs.symlinkSync(NodePath.join(outside, "secret"), at("absolute"))
      NodeFs.symlinkSync("../../secret", at("inside/relative"))
      NodeFs.symlinkSync("../missing", at("dangling"))
      NodeFs.symlinkSync(".", at("circular"))
      for (const folder of ["absolute", "inside/relative", "dangling", "circular"]) {
        yield* everyRefused(store, `${folder}/a`)
        yield* everyRefused(store, `${folder}/new/b`)
      }
      assert.deepStrictEqual(yield* paths(store), ["inside/a"])
      assert.deepStrictEqual(yield* paths(store, "absolute/"), [])
      assert.deepStrictEqual(yield* paths(store, "circular/inside/"), [])
      assert.deepStrictEqual(filesBelow(NodePath.join(outside, "secret")), ["a"])
      assert.strictEqual(NodeFs.readFileSync(NodePath.join(outside, "secret/a"), "utf8"), "secret")
    })
  )

  it.live("an object that is a link is not read; put and delete change the link, not what it leads to", () =>
    Effect.gen(function* () {
      const { at, outside, store } = yield* setUp()
      yield* store.put("a", body)
      const target = NodePath.join(outside, "secret")
      NodeFs.writeFileSync(target, "secret")
      for (const name of ["b", "c"]) NodeFs.symlinkSync(target, at(name))
      assert.strictEqual(yield* reasonOf(store.get("b")), "Invalid")
      assert.strictEqual(yield* reasonOf(store.head("b")), "Invalid")
      assert.strictEqual(yield* reasonOf(create(store, "b")), "AlreadyExists")
      assert.deepStrictEqual(yield* paths(store), ["a"])
      yield* store.put("b", body)
      yield* store.delete("c")
      assert.deepStrictEqual(yield* paths(store), ["a", "b"])
      assert.strictEqual(NodeFs.readFileSync(target, "utf8"), "secret")
    })
  )
})

describe("writes", () => {
  /** Which of these happened, in order. */
  const record = () => {
    const calls: Array<string> = []
    const names = new Map<number, string>()
    const { closeSync, fsync, linkSync, openSync, renameSync } = NodeFs
    vi.spyOn(NodeFs, "openSync").mockImplementation((path, ...rest) => {
      const fd = openSync(path, ...rest)
      names.set(fd, String(path).replace(/#\d+$/, "#"))
      return fd
    })
    vi.spyOn(NodeFs, "closeSync").mockImplementation((fd) => {
      names.delete(fd)
      closeSync(fd)
    })
    vi.spyOn(NodeFs, "fsync").mockImplementation((fd, done) => {
      calls.push(`fsync ${names.get(fd)}`)
      fsync(fd, done)
    })
    vi.spyOn(NodeFs, "linkSync").mockImplementation((from, to) => {
      calls.push(`link ${String(to)}`)
      linkSync(from, to)
    })
    vi.spyOn(NodeFs, "renameSync").mockImplementation((from, to) => {
      calls.push(`rename ${String(to)}`)
      renameSync(from, to)
    })
    return { calls, openDescriptors: () => names.size }
  }

  it.live("bytes are on the disk before the name is given, and the name before the answer", () =>
    Effect.gen(function* () {
      const { at, outside, root, store } = yield* setUp()
      const { calls, openDescriptors } = record()
      yield* create(store, "a/b/x")
      // The folders above were made, so their entries come first.
      const folders = [outside, root, at("a")].map((folder) => `fsync ${folder}`)
      assert.deepStrictEqual(calls.splice(0), [
        ...folders,
        `fsync ${at("a/b/x#")}`,
        `link ${at("a/b/x")}`,
        `fsync ${at("a/b")}`
      ])
      yield* store.put("a/b/x", body)
      assert.deepStrictEqual(calls.splice(0), [`fsync ${at("a/b/x#")}`, `rename ${at("a/b/x")}`, `fsync ${at("a/b")}`])
      assert.strictEqual(openDescriptors(), 0)
    })
  )

  it.live("with fsync off nothing is synced", () =>
    Effect.gen(function* () {
      const { at, store } = yield* setUp({ fsync: false })
      const { calls } = record()
      yield* create(store, "a/x")
      yield* store.put("a/x", body)
      assert.deepStrictEqual(calls, [`link ${at("a/x")}`, `rename ${at("a/x")}`])
    })
  )

  it.live("a folder that another store made is synced by the first write of this one too", () =>
    Effect.gen(function* () {
      const { at, open, root, store } = yield* setUp()
      yield* store.put("a/b/x", body)
      const other = yield* open
      const { calls } = record()
      yield* other.put("a/b/y", body)
      assert.deepStrictEqual(calls.slice(0, 2), [`fsync ${root}`, `fsync ${at("a")}`])
    })
  )

  it.live("leave no temporary file, whether they succeed, are refused, fail or are interrupted", () =>
    Effect.gen(function* () {
      const { at, store } = yield* setUp()
      const { openDescriptors } = record()
      yield* create(store, "a/x")
      yield* Effect.flip(create(store, "a/x", "2"))
      yield* store.put("a/x", body)
      const fiber = yield* Effect.forkChild(store.put("a/big", new Uint8Array(8_000_000)), { startImmediately: true })
      assert.strictEqual(filesBelow(at("a")).length, 2)
      yield* Fiber.interrupt(fiber)
      const spy = vi.spyOn(NodeFs, "writeSync").mockImplementation(() => {
        throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" })
      })
      const full = yield* Effect.flip(create(store, "a/y"))
      assert.strictEqual(full.reason._tag, "Unavailable")
      assert.isTrue(full.isRetryable)
      assert.match(full.message, /ENOSPC/)
      spy.mockRestore()
      assert.deepStrictEqual(filesBelow(at("a")), ["x"])
      assert.strictEqual(openDescriptors(), 0)
      yield* create(store, "a/y")
    })
  )

  it.live("what cannot be synced is not given a name", () =>
    Effect.gen(function* () {
      const { at, store } = yield* setUp()
      yield* store.put("a/x", body)
      vi.spyOn(NodeFs, "fsync").mockImplementationOnce((_fd, done) =>
        done(Object.assign(new Error("EIO: i/o error"), { code: "EIO" }))
      )
      assert.strictEqual(yield* reasonOf(create(store, "a/y")), "Unavailable")
      assert.deepStrictEqual(filesBelow(at("a")), ["x"])
    })
  )

  it.live("a create that failed after it was named may be repeated with its id, by nobody else", () =>
    Effect.gen(function* () {
      const { open, store } = yield* setUp()
      yield* store.put("a/x", body)
      const { fsync } = NodeFs
      vi.spyOn(NodeFs, "fsync")
        .mockImplementationOnce(fsync)
        .mockImplementationOnce((_fd, done) => done(Object.assign(new Error("EIO: i/o error"), { code: "EIO" })))
      assert.strictEqual(yield* reasonOf(create(store, "a/y", "mine")), "Unavailable")
      assert.strictEqual(yield* reasonOf(create(store, "a/y", "other")), "AlreadyExists")
      assert.strictEqual(yield* reasonOf(create(yield* open, "a/y", "mine")), "AlreadyExists")
      vi.restoreAllMocks()
      const { calls } = record()
      yield* create(store, "a/y", "mine")
      assert.strictEqual(calls.length, 1, "the folder is synced before the create is acknowledged")
    })
  )

  it.live("a file that was touched, or took the place of the one created, is not taken for it", () =>
    Effect.gen(function* () {
      const { at, store } = yield* setUp()
      yield* create(store, "a")
      yield* create(store, "a")
      NodeFs.utimesSync(at("a"), 1000, 1000)
      assert.strictEqual(yield* reasonOf(create(store, "a")), "AlreadyExists")
    })
  )

  it.live("a temporary file that is swept under a writer that slept fails the write, to be repeated", () =>
    Effect.gen(function* () {
      const { at, store } = yield* setUp()
      const { linkSync } = NodeFs
      vi.spyOn(NodeFs, "linkSync").mockImplementationOnce((from, to) => {
        NodeFs.rmSync(from)
        linkSync(from, to)
      })
      assert.strictEqual(yield* reasonOf(create(store, "a")), "Unavailable")
      yield* create(store, "a")
      assert.deepStrictEqual(new Uint8Array(NodeFs.readFileSync(at("a"))), body)
    })
  )

  it.live("a temporary name that is taken is passed over", () =>
    Effect.gen(function* () {
      const { at, store } = yield* setUp()
      const { openSync } = NodeFs
      const taken: Array<string> = []
      vi.spyOn(NodeFs, "openSync").mockImplementation((path, ...rest) => {
        if (String(path).includes("#") && taken.length < 3) {
          taken.push(String(path))
          NodeFs.writeFileSync(String(path), "somebody else's")
        }
        return openSync(path, ...rest)
      })
      yield* create(store, "a/x")
      for (const file of taken) assert.strictEqual(NodeFs.readFileSync(file, "utf8"), "somebody else's")
      assert.deepStrictEqual(new Uint8Array(NodeFs.readFileSync(at("a/x"))), body)
    })
  )
})

describe("errors", () => {
  const cases: ReadonlyArray<
    readonly [code: string, reading: ObjectStore.Reason["_tag"], writing: ObjectStore.Reason["_tag"]]
  > = [
    ["EACCES", "Denied", "Denied"],
    ["EPERM", "Denied", "Denied"],
    ["EROFS", "Denied", "Denied"],
    ["ENOTDIR", "NotFound", "Invalid"],
    ["EISDIR", "NotFound", "Invalid"],
    ["ENAMETOOLONG", "Invalid", "Invalid"],
    ["ELOOP", "Invalid", "Invalid"],
    ["ENOTSUP", "Unsupported", "Unsupported"],
    ["EIO", "Unavailable", "Unavailable"],
    ["ENOSPC", "Unavailable", "Unavailable"],
    ["EMFILE", "Unavailable", "Unavailable"],
    ["ESTALE", "Unavailable", "Unavailable"]
  ]

  it.live("of the operating system are told in the words of the contract, with what it said", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp()
      yield* store.put("a", body)
      for (const [code, reading, writing] of cases) {
        vi.spyOn(NodeFs, "openSync").mockImplementation(() => {
          throw Object.assign(new Error(`${code}: so it is`), { code })
        })
        const read = yield* Effect.flip(store.get("a"))
        assert.strictEqual(read.reason._tag, reading, code)
        assert.strictEqual(read.isRetryable, reading === "Unavailable")
        assert.strictEqual(read.reason.path, "a")
        assert.match(read.message, new RegExp(`${code}: so it is`))
        assert.strictEqual(yield* reasonOf(store.put("a", body)), writing, code)
        assert.strictEqual(yield* reasonOf(create(store, "b")), writing, code)
        vi.restoreAllMocks()
      }
    })
  )

  it.live("of folders that cannot be made or read come from the file system service, in the same words", () =>
    Effect.gen(function* () {
      const { at, root } = yield* setUp()
      NodeFs.mkdirSync(at("a"), { recursive: true })
      const refuse = (method: string, code: string) => () =>
        Effect.fail(
          PlatformError.systemError({
            _tag: "Unknown",
            module: "FileSystem",
            method,
            cause: Object.assign(new Error(`${code}: so it is`), { code })
          })
        )
      const fileSystem = Effect.map(FileSystem.FileSystem, (real) => ({
        ...real,
        makeDirectory: refuse("makeDirectory", "EACCES"),
        readDirectoryEntries: refuse("readDirectoryEntries", "EIO")
      }))
      const store = yield* FileObjectStore.make({ root }).pipe(
        Effect.provideServiceEffect(FileSystem.FileSystem, fileSystem),
        Effect.provide(NodeServices.layer)
      )
      assert.strictEqual(yield* reasonOf(store.put("new/b", body)), "Denied")
      const error = yield* Effect.flip(paths(store, "a"))
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.strictEqual(error.reason.operation, "list")
      assert.strictEqual(error.reason.path, "a")
      assert.match(error.message, /EIO: so it is/)
    })
  )

  it.live("a file system without hard links lacks what a create needs, and says so", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp()
      vi.spyOn(NodeFs, "linkSync").mockImplementation(() => {
        throw Object.assign(new Error("EPERM: operation not permitted"), { code: "EPERM" })
      })
      const error = yield* Effect.flip(create(store, "a"))
      assert.strictEqual(error.reason._tag, "Unsupported")
      assert.match(error.message, /hard links/)
      assert.deepStrictEqual(yield* paths(store), [])
    })
  )

  it.live("a folder that the system refuses to unlink with EPERM is nothing to delete; a file is Denied", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp()
      yield* store.put("a/b", body)
      vi.spyOn(NodeFs, "unlinkSync").mockImplementation(() => {
        throw Object.assign(new Error("EPERM: operation not permitted"), { code: "EPERM" })
      })
      yield* store.delete("a")
      assert.strictEqual(yield* reasonOf(store.delete("a/b")), "Denied")
    })
  )

  it.live("a file that ends before its size is Unavailable, not a short answer", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp()
      yield* store.put("a", body)
      vi.spyOn(NodeFs, "readSync").mockReturnValueOnce(1).mockReturnValueOnce(0)
      assert.strictEqual(yield* reasonOf(store.get("a")), "Unavailable")
    })
  )

  it.live("short reads and writes of the system are gone on with", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp()
      const { read, readSync, write, writeSync } = NodeFs
      const half = (length: number) => Math.ceil(length / 2)
      const long = new Uint8Array(1_000_000).map((_, i) => i * 7)
      const short = long.subarray(0, 1000)
      const writeHalfSync = (fd: number, bytes: Uint8Array, at: number) =>
        writeSync(fd, bytes, at, half(bytes.length - at))
      const readHalfSync = (fd: number, bytes: Uint8Array, at: number, length: number, position: number) =>
        readSync(fd, bytes, at, half(length), position)
      const writeHalf = (fd: number, bytes: Uint8Array, done: Done) =>
        write(fd, bytes.subarray(0, half(bytes.length)), done)
      const readHalf = (fd: number, bytes: Uint8Array, at: number, length: number, position: number, done: Done) =>
        read(fd, bytes, at, half(length), position, done)
      vi.spyOn(NodeFs, "writeSync").mockImplementation(writeHalfSync as typeof writeSync)
      vi.spyOn(NodeFs, "readSync").mockImplementation(readHalfSync as typeof readSync)
      vi.spyOn(NodeFs, "write").mockImplementation(writeHalf as typeof write)
      vi.spyOn(NodeFs, "read").mockImplementation(readHalf as typeof read)
      for (const bytes of [short, long]) {
        yield* store.put("a", [bytes, bytes])
        assert.deepStrictEqual(yield* store.get("a"), new Uint8Array([...bytes, ...bytes]))
      }
    })
  )
})
