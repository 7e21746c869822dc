import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as CompactionsCodec from "../../../src/internal/format/CompactionsCodec.ts"
import * as FlatBufferCompiler from "../../../src/internal/format/FlatBufferCompiler.ts"
import { slot, U64 } from "../../../src/internal/format/FlatBufferSchema.ts"
import type * as Compactions from "../../../src/internal/model/Compactions.ts"
import * as FixtureStore from "./FixtureStore.ts"
import * as Hostile from "./Hostile.ts"

const Ids = Schema.Array(Schema.String)

const Expected = Schema.Struct({
  bytes: Schema.Int,
  compactor_epoch: Schema.Int,
  compactions: Schema.Array(Schema.Tuple([Schema.String, Schema.String, Ids, Schema.Array(Schema.Int), Ids]))
})

/** A register in the words of the independent parser. */
const describeRegister = (bytes: Uint8Array, register: Compactions.Compactions): typeof Expected.Type => ({
  bytes: bytes.length,
  compactor_epoch: register.compactorEpoch,
  compactions: register.compactions.map(({ id, outputs, spec, status }) => [
    id,
    status.slice(0, 1).toUpperCase() + status.slice(1),
    spec.l0ViewIds,
    spec.runIds,
    outputs.map((table) => table.id)
  ])
})

const files = FixtureStore.cases.flatMap((name) =>
  FixtureStore.paths(name, ".compactions").map((path) => [name, path] as const)
)

const decode = (bytes: Uint8Array): Compactions.Compactions => Result.getOrThrow(CompactionsCodec.decode(bytes))

describe("the compactions files of the official engine", () => {
  it("are there", () => assert.strictEqual(files.length, 15))

  it.each(files)("are read, and stay what they are when written by us: %s %s", (name, path) => {
    const bytes = FixtureStore.bytes(name, path)
    const register = decode(bytes)
    assert.deepStrictEqual(describeRegister(bytes, register), FixtureStore.expected(name, path, Expected))
    assert.strictEqual(register.readOnlyReason, undefined)
    assert.deepStrictEqual(decode(CompactionsCodec.encode(register)), register)
  })

  it("are refused or read, never more, when cut off or with a bit flipped", () => {
    for (const [name, path] of files) Hostile.endures(FixtureStore.bytes(name, path), CompactionsCodec.decode)
  })
})

const table = FlatBufferCompiler.compile("compactions", CompactionsCodec.CompactionsTable)

type Table = typeof CompactionsCodec.CompactionsTable.Type
type Job = Table["compactions"][number]

const file = (version: number, jobs: ReadonlyArray<Job>): Uint8Array => {
  const bytes = table.encode({ compactorEpoch: 3, compactions: jobs }, 2)
  bytes[1] = version
  return bytes
}

const tiered: Extract<Job["spec"], { readonly _tag: "Tiered" }> = {
  _tag: "Tiered",
  tableIds: [],
  runIds: [4, 2],
  l0ViewIds: ["01M82VKFGZ4K829J70KGGRDAME"],
  segment: undefined,
  destination: 2
}

const finished: Job = {
  id: "01M82VKFK9KXG4JXSDP2TJFJVN",
  spec: tiered,
  status: "completed",
  outputs: [],
  worker: { id: "worker-1", lastHeartbeatMillis: 1795392386341 },
  context: {
    _tag: "TieredContext",
    retentionMinSequence: 9,
    subcompactions: [{ range: { start: { _tag: "Unbounded" }, end: { _tag: "Unbounded" } }, outputs: [] }]
  }
}

describe("a compactions file", () => {
  const writable = Arbitrary.schema(CompactionsCodec.Compactions).pipe(
    Arbitrary.map((register): Compactions.Compactions => ({
      compactorEpoch: register.compactorEpoch,
      readOnlyReason: undefined,
      compactions: register.compactions
        .filter((job) => job.status !== "compacted" && job.status !== "scheduled")
        .map((job) => ({
          ...job,
          spec: { ...job.spec, _tag: "Tiered", destination: undefined, segment: new Uint8Array(0) },
          outputs: job.outputs.map((output) => ({ ...output, viewId: output.id }))
        }))
    }))
  )

  it.prop("is read as it was written", [writable], ([register]) => {
    assert.deepStrictEqual(decode(CompactionsCodec.encode(register)), register)
    const bytes = Schema.encodeSync(CompactionsCodec.schema)(register)
    assert.deepStrictEqual(Schema.decodeSync(CompactionsCodec.schema)(bytes), register)
  })

  it("of an unknown version is refused, by its number and those that are known", () => {
    const error = Result.getOrThrow(Result.flip(CompactionsCodec.decode(file(3, []))))
    assert.strictEqual(error.message, "unsupported compactions version: offset=0 expected=1 or 2 found=3")
  })

  it("of an old writer names the tables of level 0 in another slot", () => {
    const tableIds = ["01M82VKFGZ4K829J70KGGRDAME"]
    const old: Job = {
      ...finished,
      spec: { _tag: "Tiered", tableIds, runIds: [], l0ViewIds: undefined, segment: undefined, destination: 0 }
    }
    assert.deepStrictEqual(decode(file(1, [old])).compactions[0]?.spec.l0ViewIds, tableIds)
  })

  it("of version 2 says its destination, and may be rewritten when all jobs are finished", () => {
    const register = decode(file(2, [finished]))
    assert.strictEqual(register.readOnlyReason, undefined)
    const spec: Compactions.TieredSpec = {
      _tag: "Tiered",
      l0ViewIds: ["01M82VKFGZ4K829J70KGGRDAME"],
      runIds: [4, 2],
      destination: 2,
      segment: new Uint8Array(0)
    }
    assert.deepStrictEqual(register.compactions[0]?.spec, spec)
    const rewritten = decode(CompactionsCodec.encode(register)).compactions[0]?.spec
    assert.deepStrictEqual(rewritten, { ...spec, destination: undefined })
  })

  const drain: Extract<Job["spec"], { readonly _tag: "DrainSegment" }> = {
    _tag: "DrainSegment",
    segment: Uint8Array.of(1),
    l0ViewIds: [],
    runIds: [1]
  }
  const segment: Job["spec"] = { ...tiered, segment: Uint8Array.of(1) }

  it.each<readonly [string, 1 | 2, Partial<Job>, RegExp]>([
    ["an active job", 2, { status: "running" }, /active compaction of a newer engine/],
    ["a submitted job", 2, { status: "submitted" }, /active compaction of a newer engine/],
    ["a job for a worker", 1, { status: "scheduled" }, /for other workers/],
    ["a job of a worker", 2, { status: "compacted" }, /for other workers/],
    ["a finished drain of a segment", 2, { spec: drain }, /compaction of a segment/],
    ["a drain of no segment", 2, { spec: { ...drain, segment: new Uint8Array(0) } }, /compaction of a segment/],
    ["a finished job of a segment", 2, { spec: segment }, /compaction of a segment/]
  ])("with %s is read and not written (version %d)", (_, version, changed, reason) => {
    const register = decode(file(version, [{ ...finished, ...changed }]))
    assert.match(register.readOnlyReason ?? "", reason)
    assert.throws(() => CompactionsCodec.encode(register), /would lose something/)
  })

  it("in a newer table, with a slot that we do not know, is read and not written", () => {
    const newer = FlatBufferCompiler.compile(
      "compactions",
      Schema.Struct({ ...CompactionsCodec.CompactionsTable.fields, future: slot(2, U64) })
    )
    const bytes = newer.encode({ compactorEpoch: 3, compactions: [], future: 1 }, 2)
    bytes[1] = 1
    const { readOnlyReason } = decode(bytes)
    assert.strictEqual(readOnlyReason, "it holds what only a newer engine knows: compactions slot=2")
  })

  it("with a status that nobody gave a meaning is refused", () => {
    const bytes = file(1, [{ ...finished, status: "scheduled", worker: undefined, context: undefined }])
    const at = bytes.indexOf(5)
    const newer = bytes.slice()
    newer[at] = 9
    const error = Result.getOrThrow(Result.flip(CompactionsCodec.decode(newer)))
    assert.strictEqual(error.kind, "unsupported")
    assert.strictEqual(error.part, "compactions.compactions.status")
    assert.strictEqual(error.offset, at)
    assert.strictEqual(error.found, "9")
  })

  it("of version 2 is refused or read, never more, when cut off or with a bit flipped", () => {
    Hostile.endures(file(2, [finished, { ...finished, spec: drain }]), CompactionsCodec.decode)
  })
})
