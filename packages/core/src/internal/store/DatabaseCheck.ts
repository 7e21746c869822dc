/**
 * Examines a whole database, from outside: one object at a time, each read once
 * and let go of before the next.
 *
 *     manifests, oldest first    laws of each, and of each after the one before
 *     tables                     of the latest manifest and of those that checkpoints pin
 *     WAL objects                all that are there
 *     compactions, boundary      against the latest manifest
 *
 * It writes nothing and may run beside a live writer and a collector: what is
 * gone when its turn comes is a fault only if the latest manifest of that moment
 * still needs it.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Compression } from "../../Compression.ts"
import type * as DbError from "../../DbError.ts"
import type { ObjectStore } from "../../ObjectStore.ts"
import * as BoundaryCodec from "../format/BoundaryCodec.ts"
import * as CompactionsCodec from "../format/CompactionsCodec.ts"
import type { FormatError } from "../format/FormatError.ts"
import * as ManifestCodec from "../format/ManifestCodec.ts"
import { isSameInfo, SsTableCheck } from "../format/SsTableCheck.ts"
import * as Compactions from "../model/Compactions.ts"
import type { Fault } from "../model/Fault.ts"
import * as HistoryCheck from "../model/HistoryCheck.ts"
import * as LogCheck from "../model/LogCheck.ts"
import type { Manifest } from "../model/Manifest.ts"
import type { Part } from "../model/Part.ts"
import * as ManifestInvariants from "../model/ManifestInvariants.ts"
import type { SsTable } from "../model/SsTable.ts"
import type { TableContents } from "../model/TableContents.ts"
import * as TreeCheck from "../model/TreeCheck.ts"
import * as ObjectPaths from "./ObjectPaths.ts"
import * as StoreFailure from "./StoreFailure.ts"

/**
 * One object, examined. A manifest is examined more than once: by itself, and when
 * what it names was seen; the later times come with `bytes` 0, and only if there
 * are faults.
 */
export interface Checked {
  readonly object: string
  readonly kind: "manifest" | "table" | "wal" | "compactions" | "boundary"
  readonly bytes: number
  readonly rows: number
  /** What lies where in a table or WAL object, as far as that could be read. */
  readonly parts: ReadonlyArray<Part>
  readonly faults: ReadonlyArray<Fault>
}

export interface Options {
  readonly store: ObjectStore["Service"]
  readonly paths: ObjectPaths.ObjectPaths
  readonly compression: Compression
}

type Checks = Stream.Stream<Checked, DbError.DbError>

interface Version {
  readonly id: number
  readonly manifest: Manifest
}

/** What one examination has learnt so far. */
interface Examination extends Options {
  /** Manifests whose objects must be there, the latest first. */
  readonly active: Array<Version>
  readonly contents: Map<string, TableContents>
  readonly wals: Array<LogCheck.WalContents>
}

/** Examines the database. Nothing is examined where there is no manifest. */
export const check = (options: Options): Checks =>
  Stream.suspend(() => {
    const examination: Examination = { ...options, active: [], contents: new Map(), wals: [] }
    const part = (checks: (examination: Examination) => Checks): Checks => Stream.suspend(() => checks(examination))
    return part(manifests).pipe(
      Stream.concat(part(tables)),
      Stream.concat(part(trees)),
      Stream.concat(part(log)),
      Stream.concat(part(registers))
    )
  })

const manifests = (examination: Examination): Checks =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { active, paths } = examination
      const latest = yield* latestManifest(examination)
      const pinned = new Set(latest?.manifest?.checkpoints.map((checkpoint) => checkpoint.manifestId))
      const ids = yield* idsOf(examination, paths.manifests)
      let previous: Version | undefined
      return each(ids, (id) =>
        Effect.map(readManifest(examination, id), (read) => {
          if (read === undefined) return []
          const { bytes, faults, manifest } = read
          const before = previous
          previous = manifest === undefined ? undefined : { id, manifest }
          if (previous !== undefined && (pinned.has(id) || id === ids.at(-1))) active.unshift(previous)
          const isNext = manifest !== undefined && before?.id === id - 1
          const history = isNext ? HistoryCheck.check(before.manifest, manifest, id) : []
          return [
            {
              object: paths.manifests.path(id),
              kind: "manifest",
              bytes,
              rows: 0,
              parts: [],
              faults: [...faults, ...history]
            }
          ]
        })
      )
    })
  )

const tables = (examination: Examination): Checks => {
  const namings = new Map<string, ReadonlyArray<Naming>>()
  for (const version of examination.active) {
    const external = new Map(
      version.manifest.externalDbs.flatMap(({ path, tableIds }) => tableIds.map((id) => [id, path] as const))
    )
    for (const table of TreeCheck.tablesOf(version.manifest)) {
      const root = external.get(table.id)
      const path = (root === undefined ? examination.paths : ObjectPaths.make(root)).table(table.id)
      namings.set(path, [...(namings.get(path) ?? []), { version, table }])
    }
  }
  return each([...namings], ([path, named]) => checkTable(examination, path, named))
}

/** A table, and a manifest that names it. */
interface Naming {
  readonly version: Version
  readonly table: SsTable
}

const checkTable = Effect.fnUntraced(function* (
  examination: Examination,
  path: string,
  namings: ReadonlyArray<Naming>
): Effect.fn.Return<ReadonlyArray<Checked>, DbError.DbError> {
  const [first, ...others] = namings
  if (first === undefined) return []
  const bytes = yield* read(examination, path)
  if (bytes === undefined) {
    const isNeeded = yield* isStillNeeded(examination, namings)
    const missing: Fault = { rule: "L3", detail: `a named table is not there: table=${first.table.id}` }
    return isNeeded ? [{ object: path, kind: "table", bytes: 0, rows: 0, parts: [], faults: [missing] }] : []
  }
  const check = new SsTableCheck(bytes, first.table, examination.compression)
  yield* walk(check)
  examination.contents.set(first.table.id, check.contents)
  const contradictions = others
    .filter(
      ({ table }) => table.formatVersion !== first.table.formatVersion || !isSameInfo(table.info, first.table.info)
    )
    .map(({ version }): Fault => ({
      rule: "info",
      detail: `manifests differ in what they say of it: manifest=${version.id} and manifest=${first.version.id}`
    }))
  const faults = [...check.faults, ...contradictions]
  return [{ object: path, kind: "table", bytes: bytes.length, rows: check.contents.rows, parts: check.parts, faults }]
})

/** What active manifests say of all their tables, and of what they pin. */
const trees = (examination: Examination): Checks => {
  const { active, contents } = examination
  const known = new Set(active.map((version) => version.id))
  return again(examination, ({ id, manifest }) => [
    ...TreeCheck.check(manifest, contents),
    ...manifest.checkpoints
      .filter((checkpoint) => id === active[0]?.id && !known.has(checkpoint.manifestId))
      .map((checkpoint) => ({
        rule: "L9",
        detail: `a checkpoint pins a manifest that is not there: checkpoint=${checkpoint.id} manifest=${checkpoint.manifestId}`
      }))
  ])
}

/** Faults of active manifests that show when their objects are known. */
const again = ({ active, paths }: Examination, examine: (version: Version) => ReadonlyArray<Fault>): Checks =>
  Stream.suspend(() =>
    Stream.fromIterable(
      active.flatMap((version): ReadonlyArray<Checked> => {
        const faults = examine(version)
        return faults.length === 0
          ? []
          : [{ object: paths.manifests.path(version.id), kind: "manifest", bytes: 0, rows: 0, parts: [], faults }]
      })
    )
  )

const log = (examination: Examination): Checks => {
  const { active, contents, paths, wals } = examination
  const latest = active[0]
  const stored = Math.max(0, ...[...contents.values()].map((table) => table.lastSequence))
  // What a table that could not be read holds, nobody knows.
  const isTreeRead = active.every(({ manifest }) => TreeCheck.tablesOf(manifest).every(({ id }) => contents.has(id)))
  const lost = new LogCheck.LostRows(stored, latest?.manifest.lastL0Sequence ?? 0)
  const objects = Stream.unwrap(
    Effect.map(idsOf(examination, paths.wals), (ids) => each(ids, (id) => checkWal(examination, id, lost)))
  )
  const border = again(examination, ({ id, manifest }) =>
    id === latest?.id
      ? [...LogCheck.check(manifest, wals), ...(isTreeRead ? lost.faults : [])]
      : LogCheck.checkPinned(manifest, wals)
  )
  return Stream.concat(objects, border)
}

const checkWal = Effect.fnUntraced(function* (
  examination: Examination,
  id: number,
  lost: LogCheck.LostRows
): Effect.fn.Return<ReadonlyArray<Checked>, DbError.DbError> {
  const object = examination.paths.wals.path(id)
  const bytes = yield* read(examination, object)
  // Listed and gone: collected meanwhile. A gap that matters shows in the log as a whole.
  if (bytes === undefined) return []
  const check = new SsTableCheck(bytes, undefined, examination.compression, (row) => lost.see(row))
  yield* walk(check)
  examination.wals.push({ id, contents: check.faults.length === 0 ? check.contents : undefined })
  return [
    { object, kind: "wal", bytes: bytes.length, rows: check.contents.rows, parts: check.parts, faults: check.faults }
  ]
})

const registers = (examination: Examination): Checks =>
  Stream.concat(Stream.fromIterableEffect(compactions(examination)), Stream.fromIterableEffect(boundary(examination)))

/** Outputs of jobs that run are named here before a manifest names them. */
const compactions = Effect.fnUntraced(function* (
  examination: Examination
): Effect.fn.Return<ReadonlyArray<Checked>, DbError.DbError> {
  const { active, paths } = examination
  const id = (yield* idsOf(examination, paths.compactions)).at(-1)
  const manifest = active[0]?.manifest
  if (id === undefined || manifest === undefined) return []
  const object = paths.compactions.path(id)
  const bytes = yield* read(examination, object)
  if (bytes === undefined) return []
  const decoded = CompactionsCodec.decode(bytes)
  const faults: Array<Fault> = []
  if (Result.isFailure(decoded)) faults.push(formatFault(decoded.failure))
  else {
    const { compactorEpoch } = decoded.success
    if (compactorEpoch > manifest.compactorEpoch) {
      faults.push({
        rule: "L10",
        detail: `compactions are ahead of the manifest: compactorEpoch=${compactorEpoch} manifest=${manifest.compactorEpoch}`
      })
    }
    for (const job of decoded.success.compactions.filter(Compactions.isActive)) {
      for (const table of job.outputs) {
        if ((yield* read(examination, paths.table(table.id))) !== undefined) continue
        faults.push({ rule: "L3", detail: `an output of a running job is not there: job=${job.id} table=${table.id}` })
      }
    }
  }
  return [{ object, kind: "compactions", bytes: bytes.length, rows: 0, parts: [], faults }]
})

const boundary = Effect.fnUntraced(function* (
  examination: Examination
): Effect.fn.Return<ReadonlyArray<Checked>, DbError.DbError> {
  const object = examination.paths.boundary("manifest")
  const bytes = yield* read(examination, object)
  const latest = examination.active[0]?.id
  if (bytes === undefined || latest === undefined) return []
  const faults = Result.match(BoundaryCodec.decode(bytes), {
    onFailure: (error) => [formatFault(error)],
    onSuccess: (mark): ReadonlyArray<Fault> =>
      mark < latest
        ? []
        : [{ rule: "L9", detail: `the latest manifest lies behind the boundary: boundary=${mark} manifest=${latest}` }]
  })
  return [{ object, kind: "boundary", bytes: bytes.length, rows: 0, parts: [], faults }]
})

/** One object after the other. */
const each = <A>(
  items: ReadonlyArray<A>,
  examine: (item: A) => Effect.Effect<ReadonlyArray<Checked>, DbError.DbError>
): Checks =>
  Stream.fromIterable(items).pipe(
    Stream.rechunk(1),
    Stream.mapEffect(examine),
    Stream.flatMap((checks) => Stream.fromIterable(checks))
  )

/** Lets other fibers run between a few hundred blocks. */
const walk = Effect.fnUntraced(function* (check: SsTableCheck) {
  for (let part = 1; check.next(); part++) if (part % 256 === 0) yield* Effect.yieldNow
})

const latestManifest = (examination: Examination) =>
  Effect.gen(function* () {
    const id = (yield* idsOf(examination, examination.paths.manifests)).at(-1)
    return id === undefined ? undefined : yield* readManifest(examination, id)
  })

/** Whether the manifest that is the latest by now names the table, or pins a manifest that does. */
const isStillNeeded = (examination: Examination, namings: ReadonlyArray<Naming>) =>
  Effect.map(latestManifest(examination), (latest) => {
    if (latest?.manifest === undefined) return true
    const named = new Set(TreeCheck.tablesOf(latest.manifest).map(({ id }) => id))
    const pinned = new Set(latest.manifest.checkpoints.map(({ manifestId }) => manifestId))
    return namings.some(({ table, version }) => named.has(table.id) || pinned.has(version.id))
  })

const readManifest = Effect.fnUntraced(function* (examination: Examination, id: number) {
  const bytes = yield* read(examination, examination.paths.manifests.path(id))
  if (bytes === undefined) return undefined
  const decoded = ManifestCodec.decode(bytes)
  if (Result.isFailure(decoded))
    return { bytes: bytes.length, faults: [formatFault(decoded.failure)], manifest: undefined }
  const faults = ManifestInvariants.check(decoded.success).map(({ found, law, says }): Fault => ({
    rule: law,
    detail: `broken: ${says}: ${found}`
  }))
  return { bytes: bytes.length, faults, manifest: decoded.success }
})

const formatFault = ({ kind, message }: FormatError): Fault => ({
  rule: kind === "unsupported" ? kind : "format",
  detail: message
})

const read = ({ store }: Examination, path: string): Effect.Effect<Uint8Array | undefined, DbError.DbError> =>
  store.get(path).pipe(
    Effect.map((bytes): Uint8Array | undefined => bytes),
    Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.succeed(undefined)),
    Effect.mapError(StoreFailure.fromStore)
  )

const idsOf = ({ store }: Examination, folder: ObjectPaths.Folder) =>
  store.list({ prefix: folder.prefix }).pipe(
    Stream.runFold(
      (): Array<number> => [],
      (ids, { path }) => {
        const id = folder.id(path)
        if (id !== undefined) ids.push(id)
        return ids
      }
    ),
    Effect.mapError(StoreFailure.fromStore)
  )
