/**
 * The compactor's register, as bytes: a version, then one FlatBuffer, with the
 * same root table in both versions.
 *
 * Version 1 is read and written; version 2, of newer engines, is read. A file that
 * holds a job which version 1 cannot say, or in which others may be at work, must
 * not be rewritten: `readOnlyReason` says why. What finished jobs lose in version
 * 1 (destination, worker, progress) nobody reads again.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Model from "../model/Compactions.ts"
import * as FlatBufferCompiler from "./FlatBufferCompiler.ts"
import { Bytes, emptyAsAbsent, I8, member, names, slot, Text, U32, U64 } from "./FlatBufferSchema.ts"
import * as FormatError from "./FormatError.ts"
import * as FormatSchema from "./FormatSchema.ts"
import * as FormatVersion from "./FormatVersion.ts"
import { BytesRange, SsTable, Ulid } from "./ManifestTables.ts"

const optional = Schema.UndefinedOr

/** `TieredCompactionSpec`. Slot 0 is where old files have what slot 2 has. */
const Tiered = Schema.TaggedStruct("Tiered", {
  tableIds: slot(0, emptyAsAbsent(Ulid)),
  runIds: slot(1, emptyAsAbsent(U32)),
  l0ViewIds: slot(2, optional(Schema.Array(Ulid))),
  segment: slot(3, optional(Bytes)),
  destination: slot(4, U32)
})

/** `DrainSegmentSpec`. */
const DrainSegment = Schema.TaggedStruct("DrainSegment", {
  segment: slot(0, Bytes),
  l0ViewIds: slot(1, emptyAsAbsent(Ulid)),
  runIds: slot(2, emptyAsAbsent(U32))
})

/** `WorkerSpec`. */
const Worker = Schema.Struct({ id: slot(0, optional(Text)), lastHeartbeatMillis: slot(1, U64) })

/** `Subcompaction`. */
const Subcompaction = Schema.Struct({ range: slot(0, BytesRange), outputs: slot(1, emptyAsAbsent(SsTable)) })

/** `TieredCompactionContext`. */
const TieredContext = Schema.TaggedStruct("TieredContext", {
  subcompactions: slot(0, emptyAsAbsent(Subcompaction)),
  retentionMinSequence: slot(1, U64)
})

const Status = names(I8, ["submitted", "running", "completed", "failed", "compacted", "scheduled"])

/** `Compaction`. */
const Compaction = Schema.Struct({
  id: slot(0, Ulid),
  spec: slot(1, Schema.Union([member(1, Tiered), member(2, DrainSegment)])),
  status: slot(3, Status),
  outputs: slot(4, emptyAsAbsent(SsTable)),
  worker: slot(5, optional(Worker)),
  context: slot(6, optional(Schema.Union([member(1, TieredContext)])))
})

/** `CompactionsV1`. */
export const CompactionsTable = Schema.Struct({
  compactorEpoch: slot(0, U64),
  compactions: slot(1, Schema.Array(Compaction))
})

const table = FlatBufferCompiler.compile("compactions", CompactionsTable)

/** The register in version 1: without the destinations, which its reader derives. */
export const encode = (compactions: Model.Compactions): Uint8Array => {
  if (compactions.readOnlyReason !== undefined) {
    throw new Error(`a register that would lose something is not written: reason=${compactions.readOnlyReason}`)
  }
  const bytes = table.encode(
    {
      compactorEpoch: compactions.compactorEpoch,
      compactions: compactions.compactions.map((job) => ({
        id: job.id,
        spec: toSpec(job.spec),
        status: job.status,
        outputs: job.outputs,
        worker: undefined,
        context: undefined
      }))
    },
    FormatVersion.size
  )
  return FormatVersion.write(bytes, 1)
}

export const decode = (bytes: Uint8Array): Result.Result<Model.Compactions, FormatError.FormatError> =>
  Result.flatMap(FormatVersion.read("compactions", bytes, [1, 2]), (version) => {
    const decoded = table.decode(bytes.subarray(FormatVersion.size))
    return Result.mapBoth(decoded, {
      onFailure: (error) => FormatError.shift(error, FormatVersion.size),
      onSuccess: ({ newer, value }) => {
        const compactions = value.compactions.map((job) => ({
          id: job.id,
          spec: fromSpec(version, job.spec),
          status: job.status,
          outputs: job.outputs
        }))
        return {
          compactorEpoch: value.compactorEpoch,
          compactions,
          readOnlyReason:
            newer === undefined
              ? readOnlyReason(version, compactions)
              : `it holds what only a newer engine knows: ${newer}`
        }
      }
    })
  })

type Spec = (typeof Compaction.Type)["spec"]

const toSpec = (spec: Model.Compaction["spec"]): Spec => {
  if (spec._tag === "DrainSegment") throw new Error("version 1 has no drain of a segment")
  const { l0ViewIds, runIds } = spec
  return {
    _tag: "Tiered",
    tableIds: [],
    runIds,
    l0ViewIds: l0ViewIds.length === 0 ? undefined : l0ViewIds,
    segment: undefined,
    destination: 0
  }
}

const fromSpec = (version: 1 | 2, spec: Spec): Model.Compaction["spec"] => {
  if (spec._tag === "DrainSegment") return spec
  const { destination, l0ViewIds, runIds, segment, tableIds } = spec
  return {
    _tag: "Tiered",
    l0ViewIds: l0ViewIds ?? tableIds,
    runIds,
    destination: version === 1 ? undefined : destination,
    segment: segment ?? new Uint8Array(0)
  }
}

const readOnlyReason = (version: 1 | 2, compactions: ReadonlyArray<Model.Compaction>): string | undefined => {
  for (const job of compactions) {
    if (job.spec._tag === "DrainSegment" || job.spec.segment.length > 0)
      return `a compaction of a segment: id=${job.id}`
    if (job.status === "compacted" || job.status === "scheduled") {
      return `a compaction that is for other workers: id=${job.id} status=${job.status}`
    }
    if (version === 2 && Model.isActive(job)) return `an active compaction of a newer engine: id=${job.id}`
  }
  return undefined
}

/** The model. */
export const Compactions = Schema.Struct({
  compactorEpoch: U64,
  compactions: Schema.Array(
    Schema.Struct({
      id: Ulid,
      spec: Schema.Union([
        Schema.TaggedStruct("Tiered", {
          l0ViewIds: Schema.Array(Ulid),
          runIds: Schema.Array(U32),
          destination: optional(U32),
          segment: Schema.Uint8Array
        }),
        Schema.TaggedStruct("DrainSegment", {
          segment: Schema.Uint8Array,
          l0ViewIds: Schema.Array(Ulid),
          runIds: Schema.Array(U32)
        })
      ]),
      status: Status,
      outputs: Schema.Array(SsTable)
    })
  ),
  readOnlyReason: optional(Schema.String)
})

/** From bytes to register and back, for tools and tests. */
export const schema: Schema.Codec<Model.Compactions, Uint8Array> = FormatSchema.make(Compactions, { decode, encode })
