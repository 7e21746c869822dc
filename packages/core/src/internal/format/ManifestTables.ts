/**
 * The tables of manifests and compactions files, with their slots.
 *
 * The schemas of what both manifest versions share give values of the model; a
 * mapping stands where the file says the same in another way. `docs/format/manifest.md`
 * has all of this as a table of bytes, with the names of SlateDB's own schema.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Model from "../model/SsTable.ts"
import * as UlidModel from "../model/Ulid.ts"
import * as UuidModel from "../model/Uuid.ts"
import {
  Bool,
  Bytes,
  emptyAsAbsent,
  I64,
  I8,
  mapped,
  member,
  RawU64,
  Refused,
  slot,
  Text,
  U16,
  U32,
  U64
} from "./FlatBufferSchema.ts"
import * as SequenceTrackerCodec from "./SequenceTrackerCodec.ts"
import { SsTableInfo } from "./SsTableInfoCodec.ts"

const optional = Schema.UndefinedOr

/** `Ulid` and `Uuid`: tables, not structs, so a half that is zero takes no byte. */
const Halves = Schema.Struct({ high: slot(0, RawU64), low: slot(1, RawU64) })

export const Ulid = mapped(Schema.String.check(Schema.isPattern(UlidModel.pattern)), Halves, {
  decode: ({ high, low }) => UlidModel.fromHalves(high, low),
  encode: UlidModel.toHalves
})

const Uuid = mapped(Schema.String.check(Schema.isPattern(UuidModel.pattern)), Halves, {
  decode: ({ high, low }) => UuidModel.fromHalves(high, low),
  encode: UuidModel.toHalves
})

/** `BytesBound`. The type is written out: a bound without one (0) has no meaning. */
const BytesBound = Schema.Struct({ key: slot(0, optional(Bytes)), type: slot(1, I8) })

const boundType = { Unbounded: 1, Included: 2, Excluded: 3 } as const

const KeyBound = mapped(
  Schema.Union([
    Schema.TaggedStruct("Unbounded", {}),
    Schema.TaggedStruct("Included", { key: Schema.Uint8Array }),
    Schema.TaggedStruct("Excluded", { key: Schema.Uint8Array })
  ]),
  BytesBound,
  {
    decode: ({ key, type }): Model.KeyBound | Refused => {
      if (type === boundType.Unbounded && key === undefined) return { _tag: "Unbounded" }
      if (type === boundType.Included && key !== undefined) return { _tag: "Included", key }
      if (type === boundType.Excluded && key !== undefined) return { _tag: "Excluded", key }
      return new Refused("corrupt", "unbounded (1), or included (2) or excluded (3) with a key", `type ${type}`)
    },
    encode: (bound) => ({ type: boundType[bound._tag], key: bound._tag === "Unbounded" ? undefined : bound.key })
  }
)

/** `BytesRange`. */
export const BytesRange = Schema.Struct({ start: slot(0, KeyBound), end: slot(1, KeyBound) })

/** Absent in files older than the field: version 1. Always written out. */
const FormatVersion = mapped(Schema.Literals([1, 2]), optional(U16), {
  decode: (version) => {
    if (version === undefined || version === 1) return 1
    return version === 2 ? 2 : new Refused("unsupported", "1 or 2", version)
  },
  encode: (version) => version
})

/** `CompactedSsTable`: the view of a table has the name of the table. */
export const SsTable = mapped(
  Schema.Struct({
    id: Ulid,
    viewId: Ulid,
    formatVersion: FormatVersion,
    info: SsTableInfo,
    visibleRange: optional(BytesRange)
  }),
  Schema.Struct({
    id: slot(0, Ulid),
    info: slot(1, SsTableInfo),
    visibleRange: slot(2, optional(BytesRange)),
    formatVersion: slot(3, FormatVersion)
  }),
  {
    decode: ({ formatVersion, id, info, visibleRange }) => ({ id, viewId: id, formatVersion, info, visibleRange }),
    encode: (table) => {
      if (table.viewId === table.id) return table
      throw new Error(`a table is written under its own name: id=${table.id} viewId=${table.viewId}`)
    }
  }
)

/** `SortedRun`. */
export const SortedRun = Schema.Struct({ id: slot(0, U32), tables: slot(1, Schema.Array(SsTable)) })

/** `Checkpoint`. */
export const Checkpoint = Schema.Struct({
  id: slot(0, Uuid),
  manifestId: slot(1, U64),
  expireTimeSeconds: slot(
    2,
    mapped(optional(U32.check(Schema.isGreaterThan(0))), U32, {
      decode: (seconds) => (seconds === 0 ? undefined : seconds),
      encode: (seconds) => seconds ?? 0
    })
  ),
  createTimeSeconds: slot(3, U32),
  metadata: slot(
    4,
    optional(Schema.Union([member(1, Schema.TaggedStruct("WriterCheckpoint", { epoch: slot(0, U64) }))]))
  ),
  name: slot(6, optional(Text))
})

/** `ExternalDb`. */
export const ExternalDb = Schema.Struct({
  path: slot(0, Text),
  sourceCheckpointId: slot(1, Uuid),
  finalCheckpointId: slot(2, optional(Uuid)),
  tableIds: slot(3, Schema.Array(Ulid))
})

const noTick = -0x8000_0000_0000_0000n

/** The integers that a JavaScript number and an i64 both have: there is one zero. */
const Millis = Schema.Int.check(Schema.makeFilter((millis) => !Object.is(millis, -0) || "zero without a sign"))

/** The least i64 stands for "no row yet". */
export const ClockTick = mapped(optional(Millis), I64, {
  decode: (tick) => {
    if (tick === noTick) return undefined
    const millis = Number(tick)
    return Number.isSafeInteger(millis) ? millis : new Refused("corrupt", "magnitude of at most 2^53 - 1", `${tick}`)
  },
  encode: (tick) => (tick === undefined ? noTick : BigInt(tick))
})

export const SequenceTracker = mapped(
  Schema.Struct({ sequences: Schema.Array(U64), seconds: Schema.Array(U64) }),
  Bytes,
  {
    decode: (bytes) =>
      Result.getOrElse(
        SequenceTrackerCodec.decode(bytes),
        ({ expected, found, kind, part }) => new Refused(kind, `${part}: ${expected}`, found)
      ),
    encode: SequenceTrackerCodec.encode
  }
)

/** `ManifestV1`. Slot 0, the id, is always written as 0: the object's name has it. */
export const ManifestV1 = Schema.Struct({
  manifestId: slot(0, U64),
  externalDbs: slot(1, emptyAsAbsent(ExternalDb)),
  initialized: slot(2, Bool),
  writerEpoch: slot(3, U64),
  compactorEpoch: slot(4, U64),
  replayAfterWalId: slot(5, U64),
  walIdLastSeen: slot(6, U64),
  lastCompactedViewId: slot(7, optional(Ulid)),
  l0: slot(8, Schema.Array(SsTable)),
  runs: slot(9, Schema.Array(SortedRun)),
  lastL0ClockTick: slot(10, ClockTick),
  checkpoints: slot(11, Schema.Array(Checkpoint)),
  lastL0Sequence: slot(12, U64),
  walObjectStoreUri: slot(13, optional(Text)),
  recentSnapshotMinSequence: slot(14, U64),
  sequenceTracker: slot(15, optional(SequenceTracker))
})

/** `CompactedSsTableV2`: a table, once, whatever views there are of it. */
const SsTableV2 = Schema.Struct({
  id: slot(0, Ulid),
  info: slot(1, SsTableInfo),
  formatVersion: slot(2, FormatVersion)
})

/** `CompactedSsTableView`. */
const View = Schema.Struct({
  viewId: slot(0, Ulid),
  tableId: slot(1, Ulid),
  visibleRange: slot(2, optional(BytesRange))
})

/** `SortedRunV2`. */
const SortedRunV2 = Schema.Struct({ id: slot(0, U32), views: slot(1, Schema.Array(View)) })

/** `Segment`. */
const Segment = Schema.Struct({
  prefix: slot(0, Bytes),
  lastCompactedViewId: slot(1, optional(Ulid)),
  l0: slot(2, Schema.Array(View)),
  runs: slot(3, Schema.Array(SortedRunV2))
})

/** `ManifestV2`. */
export const ManifestV2 = Schema.Struct({
  manifestId: slot(0, U64),
  externalDbs: slot(1, emptyAsAbsent(ExternalDb)),
  initialized: slot(2, Bool),
  writerEpoch: slot(3, U64),
  compactorEpoch: slot(4, U64),
  replayAfterWalId: slot(5, U64),
  walIdLastSeen: slot(6, U64),
  lastCompactedViewId: slot(7, optional(Ulid)),
  tables: slot(8, Schema.Array(SsTableV2)),
  l0: slot(9, Schema.Array(View)),
  runs: slot(10, Schema.Array(SortedRunV2)),
  lastL0ClockTick: slot(11, ClockTick),
  checkpoints: slot(12, Schema.Array(Checkpoint)),
  lastL0Sequence: slot(13, U64),
  recentSnapshotMinSequence: slot(14, U64),
  sequenceTracker: slot(15, optional(SequenceTracker)),
  segments: slot(16, emptyAsAbsent(Segment)),
  segmentExtractorName: slot(17, optional(Text))
})
