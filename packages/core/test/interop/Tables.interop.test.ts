/**
 * The official engine reads tables that are written here: each WAL object of a
 * fixture database, each fence, and each uncompressed table, is put in the place of
 * its own, and what it then scans is compared with what it scanned before.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import * as SsTableReader from "../../src/internal/format/SsTableReader.ts"
import * as FixtureStore from "../internal/format/FixtureStore.ts"
import { bytesOf, codecs, write } from "../internal/format/TableRows.ts"
import * as OfficialEngine from "./OfficialEngine.ts"

/** Written by the official engine, and how large its blocks are there. */
const cases = Object.entries({
  basic: 4_096,
  walonly: 4_096,
  versions: 4_096,
  fenced: 4_096,
  l0s: 1_024,
  compacted: 1_024,
  snappy: 1_024,
  zlib: 1_024,
  lz4: 1_024,
  zstd: 1_024
}).map(([name, blockSizeBytes]) => ({ name, blockSizeBytes }))

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "tables-"))),
  (folder) => Effect.sync(() => NodeFs.rmSync(folder, { recursive: true, force: true }))
)

/** The same table, by this writer; a fence where there are no rows. */
const rewritten = (bytes: Uint8Array, blockSizeBytes: number): Uint8Array => {
  const { index, info } = Result.getOrThrow(SsTableReader.open(bytes, codecs))
  if (index.blockCount === 0) return SsTableReader.fence()
  const table = write(Result.getOrThrow(SsTableReader.decodeTable(bytes, codecs)), {
    kind: info.kind,
    blockSizeBytes,
    minFilterKeys: info.filterLength === 0 ? Infinity : 1,
    codecName: info.compression,
    codec: codecs.codecs[info.compression]
  })
  return bytesOf(table)
}

/** What it scans; each row is also looked up, by filter and index. */
const rowsIn = (folder: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const db = yield* OfficialEngine.open(folder)
      const rows = yield* OfficialEngine.scan(db)
      for (const { key, value } of rows) {
        assert.deepStrictEqual(yield* Effect.tryPromise(() => db.get(key)), value)
      }
      return rows.map(({ key, seq, value }) => ({ key, seq, value }))
    })
  )

describe("the official engine", () => {
  it.live.each(cases)("reads the tables of '$name' that were written here", ({ blockSizeBytes, name }) =>
    Effect.gen(function* () {
      const [untouched, folder] = [yield* temporaryFolder, yield* temporaryFolder]
      for (const target of [untouched, folder]) {
        NodeFs.cpSync(fileURLToPath(FixtureStore.storeUrl(name)), target, { recursive: true })
      }
      let replaced = 0
      for (const path of FixtureStore.paths(name, ".sst")) {
        const bytes = FixtureStore.bytes(name, path)
        const { index, info } = Result.getOrThrow(SsTableReader.open(bytes, codecs))
        // The manifest says where a table's index is, and another compressor moves it.
        if (info.kind === "compacted" && info.compression !== "none" && index.blockCount > 0) continue
        NodeFs.writeFileSync(NodePath.join(folder, path), rewritten(bytes, blockSizeBytes))
        replaced++
      }
      assert.isAbove(replaced, 0)
      const rows = yield* rowsIn(folder)
      assert.isAbove(rows.length, 0)
      assert.deepStrictEqual(rows, yield* rowsIn(untouched))
    })
  )
})
