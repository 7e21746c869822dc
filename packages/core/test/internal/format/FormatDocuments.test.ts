import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as BoundaryCodec from "../../../src/internal/format/BoundaryCodec.ts"
import * as CompactionsCodec from "../../../src/internal/format/CompactionsCodec.ts"
import * as ManifestCodec from "../../../src/internal/format/ManifestCodec.ts"
import * as SequenceTrackerCodec from "../../../src/internal/format/SequenceTrackerCodec.ts"
import * as Manifest from "../../../src/internal/model/Manifest.ts"
import * as ManifestInvariants from "../../../src/internal/model/ManifestInvariants.ts"
import * as Ulid from "../../../src/internal/model/Ulid.ts"
import * as DocumentedHex from "./DocumentedHex.ts"
import * as FixtureStore from "./FixtureStore.ts"
import * as Hostile from "./Hostile.ts"

describe("docs/format/manifest.md", () => {
  it("shows the first manifest of the official engine", () => {
    const bytes = DocumentedHex.bytes("manifest.md", "first-manifest")
    assert.deepStrictEqual(bytes, FixtureStore.bytes("basic", "db/manifest/00000000000000000001.manifest"))
    assert.deepStrictEqual(Result.getOrThrow(ManifestCodec.decode(bytes)), Manifest.empty)
  })

  it("shows a manifest with one table, and says what is in it", () => {
    const bytes = DocumentedHex.bytes("manifest.md", "one-table")
    assert.deepStrictEqual(bytes, FixtureStore.bytes("basic", "db/manifest/00000000000000000003.manifest"))
    assert.deepStrictEqual(Result.getOrThrow(ManifestCodec.decode(bytes)), {
      ...Manifest.empty,
      writerEpoch: 1,
      replayAfterWalId: 3,
      walIdLastSeen: 3,
      lastL0ClockTick: 1795392386341,
      lastL0Sequence: 8,
      recentSnapshotMinSequence: 8,
      sequenceTracker: { sequences: [1], seconds: [1795392386] },
      l0: [
        {
          id: "01M82VKD976JAVBX9ZGHPHK1MD",
          viewId: "01M82VKD976JAVBX9ZGHPHK1MD",
          formatVersion: 2,
          visibleRange: undefined,
          info: {
            firstEntry: new TextEncoder().encode("a"),
            lastEntry: new TextEncoder().encode("t"),
            indexOffset: 189,
            indexLength: 52,
            filterOffset: 189,
            filterLength: 0,
            filterFormat: "legacy",
            statsOffset: 241,
            statsLength: 108,
            compression: "none",
            kind: "compacted"
          }
        }
      ]
    })
  })

  it("shows a tracker", () => {
    const bytes = DocumentedHex.bytes("manifest.md", "tracker")
    const tracker = { sequences: [1, 2, 3], seconds: [0, 60, 120] }
    assert.deepStrictEqual(SequenceTrackerCodec.decode(bytes), Result.succeed(tracker))
    assert.deepStrictEqual(SequenceTrackerCodec.encode(tracker), bytes)
  })

  it("lists the fields of which a flipped bit can pass unnoticed, all and only", () => {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    const unnoticed = new Set<string>()
    for (const name of FixtureStore.cases) {
      for (const path of FixtureStore.paths(name, ".manifest")) {
        const bytes = FixtureStore.bytes(name, path)
        const honest = Result.getOrThrow(ManifestCodec.decode(bytes))
        for (const hostile of Hostile.flips(bytes)) {
          const flipped = ManifestCodec.decode(hostile)
          if (Result.isFailure(flipped) || flipped.success.readOnlyReason !== undefined) continue
          if (ManifestInvariants.check(flipped.success).length > 0) continue
          for (const field of differences(honest, flipped.success, "")) unnoticed.add(field)
        }
      }
    }
    Error.stackTraceLimit = stackTraceLimit
    const section = DocumentedHex.text("manifest.md").split("## What nothing in the manifest can check")[1] ?? ""
    const fields = section.split("\n").flatMap((line) => (line.startsWith("| `") ? [line.split("|")[1] ?? ""] : []))
    const listed = fields.flatMap((cell) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, field]) => field ?? ""))
    assert.deepStrictEqual(listed.toSorted(), Array.from(unnoticed).toSorted())
  })
})

/** The fields in which two values differ; of lists, whether their lengths do, or else which fields of elements. */
const differences = (left: unknown, right: unknown, field: string): ReadonlyArray<string> => {
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    return Buffer.compare(left, right) === 0 ? [] : [field]
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    if (left.length !== right.length) return [typeof (left[0] ?? right[0]) === "object" ? `${field}.length` : field]
    return left.flatMap((item, i) => differences(item, right[i], field))
  }
  if (isFields(left) && isFields(right)) {
    return Object.keys(left).flatMap((key) =>
      differences(left[key], right[key], field === "" ? key : `${field}.${key}`)
    )
  }
  return Object.is(left, right) ? [] : [field]
}

const isFields = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

describe("docs/format/compactions.md", () => {
  it("shows a submitted job of the official engine", () => {
    const bytes = DocumentedHex.bytes("compactions.md", "submitted")
    assert.deepStrictEqual(bytes, FixtureStore.bytes("compacted", "db/compactions/00000000000000000004.compactions"))
    assert.deepStrictEqual(Result.getOrThrow(CompactionsCodec.decode(bytes)), {
      compactorEpoch: 1,
      readOnlyReason: undefined,
      compactions: [
        {
          id: "01M82VKESZPCQ08QADFXX6RAF6",
          spec: {
            _tag: "Tiered",
            l0ViewIds: ["01M82VKEPNSB1S5X5YT721GC85", "01M82VKE8YD3SB2V6HY5VD75M6"],
            runIds: [],
            destination: undefined,
            segment: new Uint8Array(0)
          },
          status: "submitted",
          outputs: []
        }
      ]
    })
  })
})

describe("docs/format/layout.md", () => {
  it("shows a ULID", () => {
    const bytes = DocumentedHex.bytes("layout.md", "ulid")
    const view = new DataView(bytes.buffer)
    const ulid = Ulid.fromHalves(view.getBigUint64(0), view.getBigUint64(8))
    assert.strictEqual(ulid, "01M82VKE8YD3SB2V6HY5VD75M6")
    assert.strictEqual(Ulid.timeMillis(ulid), 1795392387358)
    assert.include(DocumentedHex.text("layout.md"), `is \`${ulid}\``)
  })

  it("shows a boundary", () => {
    const bytes = DocumentedHex.bytes("layout.md", "boundary")
    assert.deepStrictEqual(BoundaryCodec.decode(bytes), Result.succeed(41))
    assert.deepStrictEqual(BoundaryCodec.encode(41), bytes)
  })
})

describe("the blocks of bytes in the documents", () => {
  it("are all read by a test above", () => {
    assert.deepStrictEqual(
      ["layout.md", "manifest.md", "compactions.md"].map((document) => DocumentedHex.names(document)),
      [["ulid", "boundary"], ["tracker", "first-manifest", "one-table"], ["submitted"]]
    )
  })
})
